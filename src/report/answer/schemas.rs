//! The manuals of the answers, as JSON Schema (draft 2020-12): every answer with `--json` has one.

/// What `unify schema` calls it, the kinds of answers that it describes, and its text.
pub struct AnswerSchema {
    /// One word.
    pub name: &'static str,
    /// What stands as `kind` in the answers.
    pub kinds: &'static [&'static str],
    /// What the answers are.
    pub title: &'static str,
    /// The schema.
    pub text: &'static str,
}

macro_rules! answers {
    ($($name:literal: $($kind:literal)+ = $title:literal,)*) => {
        /// All of them, in the order in which they are listed.
        pub const ANSWERS: &[AnswerSchema] = &[$(AnswerSchema {
            name: $name,
            kinds: &[$($kind),+],
            title: $title,
            text: include_str!(concat!("../../../schemas/answers/", $name, "-1.schema.json")),
        }),*];
    };
}

answers! {
    "show": "unify.show" = "the answer of plan and show",
    "stale": "unify.stale" = "the answer of show --stale",
    "cut": "unify.cut" = "the answer of cut",
    "diff-plans": "unify.diff-plans" = "the answer of diff, of two plans or of one and now",
    "diff-guests": "unify.diff-guests" = "the answer of diff, of two guests",
    "diff-files": "unify.diff-files" = "the answer of diff, of one file of two guests",
    "explain": "unify.explain" = "the answer of explain GUEST:PATH",
    "explain-code": "unify.explain-code" = "the answer of explain CODE",
    "run": "unify.apply" "unify.undo" "unify.forget" = "the answer of apply, undo and forget",
    "dry-run": "unify.dry-run" = "the answer of apply --dry-run",
    "undo-dry-run": "unify.undo-dry-run" = "the answer of undo --dry-run",
    "maintain": "unify.maintain" = "the answer of maintain",
    "clone": "unify.clone" = "the answer of clone",
    "verify": "unify.verify" = "the answer of verify PLAN",
    "scrub": "unify.scrub" = "the answer of verify --base",
    "status": "unify.status" = "the answer of status",
    "recover": "unify.recover" = "the answer of recover",
    "gc": "unify.gc" = "the answer of gc",
    "check": "unify.check" = "the answer of check",
    "check-rules": "unify.check-rules" = "the answer of check --list-rules",
    "doctor": "unify.doctor" = "the answer of doctor",
    "guard": "unify.guard" = "the answer of guard",
    "protect": "unify.protect" = "the answer of protect",
    "rules": "unify.rules" = "the answer of rules",
    "schemas": "unify.schemas" = "the answer of schema",
    "no-base": "unify.no-base" = "the answer of a command with --if-base-exists, where there is no base",
    "error": "unify.error" = "an error or refusal, in place of any other answer",
}
