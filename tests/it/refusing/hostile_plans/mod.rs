//! An attacker wrote a plan to do harm. Whatever it says, guests keep their bytes, and the program touches
//! nothing else.
//!
//! | part | what is wrong with the plan |
//! | --- | --- |
//! | `lines` | one action line: its path, evidence, neighbours |
//! | `objects` | what is made, of what, how often, and how it is protected |
//! | `heads` | header, guests, summary, digest: where and how it would be done |
//! | `texts` | the text as a whole: not JSON, cut off, endless, compressed, not even a file |
//! | `escapes` | strings that a terminal would obey |
//! | `random` | anything, a thousand times |

mod draft;
mod escapes;
mod heads;
mod lines;
mod objects;
mod random;
mod texts;
mod yard;

use draft::Draft;
use yard::{Hostile, Yard};

use crate::support::{Disk, Out};

/// A hostile plan: its name, how it is made of a real one, and the exit codes that `apply` may give without and with
/// `--accept-edits`.
struct Case {
    name: &'static str,
    make: fn(&Yard, &mut Draft),
    plain: &'static [i32],
    accepted: &'static [i32],
}

/// Refused as a whole, whatever is accepted.
const fn never(name: &'static str, make: fn(&Yard, &mut Draft)) -> Case {
    Case {
        name,
        make,
        plain: &[5],
        accepted: &[5],
    }
}

/// Refused unless edits are accepted, and then it ends with one of these.
const fn edit(name: &'static str, accepted: &'static [i32], make: fn(&Yard, &mut Draft)) -> Case {
    Case {
        name,
        make,
        plain: &[5],
        accepted,
    }
}

/// Runs all cases of a table, each without and with `--accept-edits`.
#[track_caller]
fn run_all(yard: &mut Yard, cases: &[Case]) {
    let mut wrong = Vec::new();
    for case in cases {
        for (options, codes) in [(&[][..], case.plain), (&["--accept-edits"], case.accepted)] {
            let mut draft = Draft::of(&yard.plan);
            (case.make)(yard, &mut draft);
            let hostile = Hostile::from(draft.text());
            wrong.extend(judge(yard, case.name, &hostile, options, codes));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Applies one plan in one run, and undoes what was executed. Tells of an exit code that is none of `codes`.
#[track_caller]
fn judge(
    yard: &mut Yard,
    name: &str,
    hostile: &Hostile,
    options: &[&str],
    codes: &[i32],
) -> Option<String> {
    let Out { code, stderr, .. } = yard.apply(name, hostile, options);
    if matches!(code, 0 | 4) {
        yard.reset();
    } else {
        assert_eq!(
            yard.lab.objects().len(),
            0,
            "{name} {options:?}: nothing is done"
        );
    }
    let wrong = !codes.contains(&code);
    wrong.then(|| format!("{name} {options:?}: exit code {code}, wanted {codes:?}: {stderr}"))
}

#[test]
fn lines_that_lie() {
    let lab = lab!(Disk::Own);
    let mut yard = Yard::new(lab);
    for table in [lines::PATHS, lines::EVIDENCE, lines::NAMES, lines::ACTIONS] {
        run_all(&mut yard, table);
    }
}

#[test]
fn objects_that_lie() {
    let lab = lab!(Disk::Own);
    run_all(&mut Yard::new(lab), objects::CASES);
}

#[test]
fn heads_that_lie() {
    let lab = lab!(Disk::Own);
    run_all(&mut Yard::new(lab), heads::CASES);
}

#[test]
fn texts_that_are_no_plans() {
    let lab = lab!(Disk::Own);
    let mut yard = Yard::new(lab);
    let mut wrong = Vec::new();
    for (name, make, codes) in texts::TEXTS {
        for options in [&[][..], &["--accept-edits"]] {
            let hostile = make(&yard);
            wrong.extend(judge(&mut yard, name, &hostile, options, codes));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_plan_cut_anywhere() {
    let lab = lab!(Disk::Own);
    let mut yard = Yard::new(lab);
    let whole = yard.plan.trim_end().len();
    for n in 0..40 {
        let cut = yard.plan.as_bytes()[..whole * n / 40].to_vec().into();
        let name = format!("cut at {n} of 40");
        assert_eq!(
            judge(&mut yard, &name, &cut, &["--accept-edits"], &[5]),
            None
        );
    }
}

/// Lines of a plan for the same guests that was made with other options, in between those of another.
#[test]
fn two_plans_mixed() {
    let lab = lab!(Disk::Own);
    let mut yard = Yard::new(lab);
    let other = yard
        .lab
        .plan(&[&yard.web], &["--objects", "copy", "--same-path"]);
    let other = Draft::of(&std::fs::read_to_string(&other.path).unwrap());
    let own = Draft::of(&yard.plan);
    for at in 0..own.0.len().max(other.0.len()) {
        for (from, into) in [(&own, &other), (&other, &own)] {
            let Some(line) = from.0.get(at) else { continue };
            let mut mixed = into.clone();
            mixed.0.insert(at.min(into.0.len()), line.clone());
            let mixed = mixed.text().into();
            let name = format!("line {at} of another plan");
            let codes = &[0, 1, 2, 4, 5, 8];
            assert_eq!(
                judge(&mut yard, &name, &mixed, &["--accept-edits"], codes),
                None
            );
            assert_eq!(judge(&mut yard, &name, &mixed, &[], codes), None);
        }
    }
}

#[test]
fn strings_that_a_terminal_would_obey() {
    let lab = lab!(Disk::Own);
    let mut yard = Yard::new(lab);
    let count = escapes::values(&yard.plan).len();
    assert!(count > 40, "only {count} strings in {}", yard.plan);
    let codes = &[0, 1, 2, 4, 5, 8];
    for n in 0..count {
        for text in [escapes::ORDERS, escapes::RAW] {
            for options in [&[][..], &["--accept-edits"]] {
                let (what, at) = escapes::values(&yard.plan)[n].clone();
                let hostile = escapes::with(&yard.plan, &at, text).into();
                assert_eq!(judge(&mut yard, &what, &hostile, options, codes), None);
            }
        }
    }
}

#[test]
fn fields_that_a_terminal_would_obey() {
    let lab = lab!(Disk::Own);
    run_all(&mut Yard::new(lab), escapes::CASES);
}

/// `UNIFY_LONG=1` runs 20,000 plans instead of 200; `UNIFY_SEED` repeats a run.
#[test]
fn random_plans() {
    let lab = lab!(Disk::Own);
    let mut yard = Yard::new(lab);
    let plans = if crate::support::is_long() {
        20_000
    } else {
        200
    };
    let seed = std::env::var("UNIFY_SEED").map_or(1, |seed| seed.parse().unwrap());
    println!("UNIFY_SEED={seed}");
    let codes = &[0, 1, 2, 4, 5, 8];
    for n in 0..plans {
        for options in [&[][..], &["--accept-edits"]] {
            // The same changes to a plan that may be a new one.
            let mut dice = random::Dice::new(seed, n);
            let (plan, what) = random::mutated(&yard.plan, &mut dice);
            let name = format!("UNIFY_SEED={seed}, plan {n}: {what}");
            assert_eq!(judge(&mut yard, &name, &plan.into(), options, codes), None);
        }
    }
}
