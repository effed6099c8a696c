//! What `check` found, in the forms that people and services read.
//!
//! | form | for whom | limits that are kept |
//! | --- | --- | --- |
//! | [`text`] | a person at a terminal, or in a job's log | 20 findings of a rule |
//! | [`json`] | programs | none |
//! | [`sarif`] | GitHub's code scanning: SARIF 2.1.0 | 5,000 results, a location for each |
//! | [`junit`] | Jenkins, GitLab and others: a suite is a guest, a case is a rule | 20 findings of a case |
//! | [`github`] | the log of a GitHub job: workflow commands | 10 of a kind, which is all that GitHub shows |
//! | [`gitlab`] | GitLab's merge requests: code quality | none |
//! | [`markdown`] | a job's summary, or a merge request | 20 findings of a rule |
//!
//! A number that was cut is always said. Findings that the baseline knows are counted and only listed in JSON and in
//! text; services are shown what is new. No finding holds a secret, a digest of one, or a path of the host.

mod facts;
pub mod github;
pub mod gitlab;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod rules;
pub mod sarif;
pub mod text;
mod words;
mod xml;

#[cfg(test)]
mod tests;

/// A form of the answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FindingsForm {
    /// A person at a terminal.
    #[default]
    Text,
    /// A program: one JSON object.
    Json,
    /// SARIF 2.1.0, as GitHub takes it.
    Sarif,
    /// JUnit's XML.
    Junit,
    /// Workflow commands of GitHub.
    Github,
    /// Code quality of GitLab.
    Gitlab,
    /// A summary for people.
    Markdown,
}
