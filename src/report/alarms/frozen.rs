//! What is said of guests that stand still, or stood still for moments.

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use crate::report::layout::shell::shell_word;
use crate::report::layout::size::counted;
use crate::report::words::sentence::safe;

use crate::model::FreezeTimes;

/// First of all what a run left frozen: somebody waits.
pub fn left(frozen: &[String], base: &Path, out: &mut dyn Write) -> io::Result<()> {
    if frozen.is_empty() {
        return Ok(());
    }
    let which: Vec<String> = frozen.iter().map(|cgroup| safe(cgroup)).collect();
    writeln!(
        out,
        "GUESTS STAND STILL: a run that was cut short left them frozen ({}): run `unify recover --base {}` now\n",
        which.join(", "),
        shell_word(base)
    )
}

/// How often and how long guests were frozen in a run.
pub fn text(stillness: &FreezeTimes, out: &mut dyn Write) -> io::Result<()> {
    if stillness.moments == 0 {
        return Ok(());
    }
    let times = counted(stillness.moments, "time");
    let (longest, total) = (
        milliseconds(stillness.longest),
        milliseconds(stillness.total),
    );
    writeln!(
        out,
        "\nRunning guests were frozen {times}, for at most {longest} ms, {total} ms in all."
    )?;
    if stillness.exceeded == 0 {
        return Ok(());
    }
    writeln!(
        out,
        "{} of these longer than the {} ms that --max-freeze allows.",
        counted(stillness.exceeded, "moment"),
        milliseconds(stillness.budget)
    )
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1}", time.as_secs_f64() * 1000.0)
}

#[derive(Serialize)]
pub struct FrozenJson {
    /// How often.
    moments: u64,
    /// The longest moment, and all together, in milliseconds.
    longest_ms: f64,
    total_ms: f64,
    /// How long a moment should have been at most, and how many were longer.
    budget_ms: f64,
    exceeded: u64,
}

impl FrozenJson {
    /// `None` where nothing was frozen.
    pub fn of(stillness: &FreezeTimes) -> Option<FrozenJson> {
        let ms = |time: Duration| (time.as_secs_f64() * 1e6).round() / 1e3;
        (stillness.moments > 0).then(|| FrozenJson {
            moments: stillness.moments,
            longest_ms: ms(stillness.longest),
            total_ms: ms(stillness.total),
            budget_ms: ms(stillness.budget),
            exceeded: stillness.exceeded,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::{HOSTILE, assert_tame, written};

    #[test]
    fn guests_that_stood_still_longer_than_allowed() {
        let mut stillness = FreezeTimes {
            budget: Duration::from_millis(100),
            ..FreezeTimes::default()
        };
        let said = |stillness: &FreezeTimes| written(|out| text(stillness, out));
        assert_eq!(said(&stillness), "");
        stillness.add(Duration::from_micros(99_900));
        let want = "\nRunning guests were frozen 1 time, for at most 99.9 ms, 99.9 ms in all.\n";
        assert_eq!(said(&stillness), want);
        stillness.add(Duration::from_millis(250));
        let want = "
Running guests were frozen 2 times, for at most 250.0 ms, 349.9 ms in all.
1 moment of these longer than the 100.0 ms that --max-freeze allows.
";
        assert_eq!(said(&stillness), want);
        let json = FrozenJson::of(&stillness).unwrap();
        assert_eq!((json.exceeded, json.budget_ms), (1, 100.0));
    }

    #[test]
    fn guests_that_stand_still_are_named() {
        let said = |frozen: &[String]| written(|out| left(frozen, Path::new("/srv/.unify"), out));
        assert_eq!(said(&[]), "");
        let want = "GUESTS STAND STILL: a run that was cut short left them frozen (/lxc/web, /lxc/db): run `unify recover --base /srv/.unify` now\n\n";
        assert_eq!(said(&["/lxc/web".into(), "/lxc/db".into()]), want);
        assert_tame(&said(&[HOSTILE.into()]));
    }
}
