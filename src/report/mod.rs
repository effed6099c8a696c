//! Floor 5, the reports: everything that people and programs are shown of a plan, a run, a verification or a
//! base.
//!
//! Reports are written to any [`std::io::Write`]; whether that is a terminal, a file or a test is not known here.
//! Nothing is read, asked or decided: a report is a view of values from `model`, and the same values give the
//! same bytes. Actions are fed one by one ([`Tally`]), so memory does not grow with a plan.
//!
//! What may be assumed of these values is their types and nothing more. Paths, packages, rules, notes and reasons
//! of a plan are an attacker's, and so are its numbers: text is escaped where it enters a sentence
//! ([`words::sentence`]) or a cell ([`layout::table`]), sums stop at the largest number. No report holds a
//! control character other than the line feeds between its lines.
//!
//! | file | what it shows |
//! | --- | --- |
//! | [`plan`] | what `unify plan` found, on stderr |
//! | [`show`] | a plan, in text, JSON or markdown |
//! | [`findings`] | what `check` found, in the forms of CI services, too |
//! | [`cut`] | what a narrower plan keeps |
//! | [`diff`] | what two plans, guests or files have not in common |
//! | [`rehearsal`] | what `apply` would do |
//! | [`undo_view`] | what `undo` would do |
//! | [`run`] | what `apply` or `undo` did |
//! | [`clone`] | what `clone` made |
//! | [`verify`], [`status`], [`gc`], [`doctor`], [`guard`] | what these commands found; what `protect` moved |
//! | [`answer`] | what answers for programs have in common: schemas, errors, commands that may come next |
//! | [`words`] | codes and facts as sentences: the only place |
//! | [`layout`] | numbers and columns for people |

mod alarms;
pub mod answer;
mod audit;
pub mod clone;
pub mod cut;
pub mod diff;
pub mod doctor;
pub mod explain;
pub mod findings;
pub mod gc;
pub mod guard;
pub mod layout;
mod near_misses;
pub mod plan;
mod plan_view;
pub mod recover;
pub mod rehearsal;
pub mod rules;
pub mod run;
pub mod scrub;
pub mod show;
pub mod status;
pub mod totals;
pub mod undo_view;
pub mod verify;
pub mod words;

#[cfg(test)]
mod samples;

pub use plan_view::PlanView;
pub use show::Show;
pub use totals::{By, Tally};

/// For whom a report is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// A person at a terminal.
    #[default]
    Text,
    /// A program: one JSON object.
    Json,
    /// A merge request.
    Markdown,
}
