//! Numbers for people: sizes in IEC units, counts with thousands separators.
//!
//! Sizes are rounded *down*, so that a promise is never larger than the truth and 1023.99 MiB never reads as 1024
//! MiB. Machines get plain integers and never come here.

/// How sizes are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Every byte (`1,438,814,044 B`) instead of a unit (`1.34 GiB`).
    pub exact: bool,
}

/// Powers of 1024, smallest first (IEC 80000-13).
const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

impl Sizes {
    /// `bytes` as text.
    pub fn of(self, bytes: u64) -> String {
        if self.exact {
            format!("{} B", count(bytes))
        } else {
            iec(bytes)
        }
    }
}

/// Three digits that say something: `512 B`, `1.34 GiB`, `15.9 EiB`, `212 MiB`.
pub fn iec(bytes: u64) -> String {
    let mut unit_bytes: u64 = 1;
    let mut unit = "B";
    for larger in UNITS {
        if bytes / unit_bytes < 1024 {
            break;
        }
        unit_bytes *= 1024;
        unit = larger;
    }
    let whole = bytes / unit_bytes;
    let hundredths = u128::from(bytes % unit_bytes) * 100 / u128::from(unit_bytes);
    match (unit_bytes, whole) {
        (1, _) | (_, 100..) => format!("{whole} {unit}"),
        (_, 10..) => format!("{whole}.{} {unit}", hundredths / 10),
        _ => format!("{whole}.{hundredths:02} {unit}"),
    }
}

/// `38,114`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 file`, `38,114 files`: the plural is the singular with an `s`.
pub fn counted(number: u64, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", count(number))
}

/// `1 name refers`, `2 names refer`: the verb agrees with the number.
pub fn counted_does(number: u64, thing: &str, one: &str, many: &str) -> String {
    let verb = if number == 1 { one } else { many };
    format!("{} {verb}", counted(number, thing))
}

/// `part` of `whole` in percent, rounded down; `None` where `whole` is zero.
pub fn percent(part: u64, whole: u64) -> Option<u64> {
    let percent = (u128::from(part) * 100).checked_div(u128::from(whole))?;
    Some(u64::try_from(percent).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_three_digits_and_never_promise_more() {
        let cases = [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.00 KiB"),
            (1_439_000_000, "1.34 GiB"),
            (1_438_814_044, "1.33 GiB"),
            (12_900_000, "12.3 MiB"),
            (222_298_112, "212 MiB"),
            (1024 * 1024 - 1, "1023 KiB"),
            (u64::MAX, "15.9 EiB"),
        ];
        for (bytes, want) in cases {
            assert_eq!(Sizes::default().of(bytes), want, "{bytes}");
        }
        assert_eq!(Sizes { exact: true }.of(1_438_814_044), "1,438,814,044 B");
    }

    #[test]
    fn counts_are_grouped_by_three() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1000), "1,000");
        assert_eq!(count(38_114), "38,114");
        assert_eq!(count(u64::MAX), "18,446,744,073,709,551,615");
        assert_eq!(counted(1, "file"), "1 file");
        assert_eq!(counted(0, "file"), "0 files");
        assert_eq!(counted_does(1, "name", "is", "are"), "1 name is");
        assert_eq!(counted_does(1000, "name", "is", "are"), "1,000 names are");
    }

    #[test]
    fn percents_survive_nothing_and_everything() {
        assert_eq!(percent(1, 0), None);
        assert_eq!(percent(2, 3), Some(66));
        assert_eq!(percent(u64::MAX, u64::MAX), Some(100));
        assert_eq!(percent(u64::MAX, 1), Some(u64::MAX));
    }
}
