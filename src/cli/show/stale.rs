//! `unify show --stale`

use std::io::{self, BufWriter, Write};

use crate::cli::args::OutputArgs;
use crate::cli::terminal::exit::{Exit, Failure};
use crate::cli::terminal::screen::Screen;
use crate::engine::{self, PlanFile};
use crate::report::show::stale::StaleReport;
use crate::rules::selectors::Selection;

pub(super) fn run(
    plan: &mut PlanFile,
    selection: &Selection,
    output: OutputArgs,
    exit_code: bool,
) -> Result<Exit, Failure> {
    let screen = Screen::new();
    engine::to_reading(&screen);
    let mut out = BufWriter::new(io::stdout().lock());
    let mut report = StaleReport::new(output.json, &mut out);
    let found = match engine::stale(plan, selection, &mut |line| report.line(line), &screen) {
        Ok(found) => found,
        Err(error) => {
            let failure = Failure::from(error);
            return Err(match report.begun() {
                Some(out) => failure.ends(out),
                None => failure,
            });
        }
    };
    report.end(&found)?;
    out.flush()?;
    Ok(match () {
        () if exit_code && found.stale > 0 => Exit::Something,
        () => Exit::Done.if_all_read(screen.has_unread() || found.unread > 0),
    })
}
