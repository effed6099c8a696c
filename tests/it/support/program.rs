//! Runs the program.

pub mod answers;
pub mod checked;
pub mod kernel;

use std::ffi::OsStr;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use answers::assert_answers;

/// The program under test.
pub const BIN: &str = env!("CARGO_BIN_EXE_unify");

/// What came of a run.
#[derive(Debug, Clone)]
pub struct Out {
    pub args: String,
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// Runs `unify`, without a terminal, and never for longer than ten minutes.
#[track_caller]
pub fn unify<S: AsRef<OsStr>>(args: &[S]) -> Out {
    unify_with(&[], args)
}

/// The same with more in its environment. Every answer must be as its schema says.
#[track_caller]
pub fn unify_with<S: AsRef<OsStr>>(env: &[(&str, &str)], args: &[S]) -> Out {
    let out = Command::new("timeout")
        .args(["--signal=KILL", "600", BIN])
        .args(args)
        .current_dir("/")
        .env("NO_COLOR", "1")
        // A sentence is one line.
        .env("COLUMNS", "10000")
        .envs(env.iter().copied())
        .stdin(Stdio::null())
        .output()
        .expect("`timeout` of coreutils runs the program");
    let shown: Vec<_> = args.iter().map(|a| a.as_ref().to_string_lossy()).collect();
    let args = shown.join(" ");
    assert_answers(&args, &out.stdout);
    Out {
        args,
        code: out.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&out.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&out.stderr).into_owned(),
    }
}

/// Runs the program as root without `CAP_SYS_ADMIN`, as in many a container.
pub fn unify_without_admin(args: &[&str]) -> Output {
    Command::new("setpriv")
        .args(["--inh-caps=-sys_admin", "--bounding-set=-sys_admin", BIN])
        .args(args)
        .stdin(Stdio::null())
        .output()
        .expect("setpriv runs")
}

impl Out {
    /// Fails, with everything that was said, unless the exit code is this one.
    #[track_caller]
    pub fn expect(self, code: i32) -> Out {
        self.expect_one_of(&[code])
    }

    /// The same for several codes.
    #[track_caller]
    pub fn expect_one_of(self, codes: &[i32]) -> Out {
        let Out {
            args,
            code,
            stdout,
            stderr,
        } = &self;
        let tail = |text: &str| {
            text.lines()
                .rev()
                .take(30)
                .collect::<Vec<_>>()
                .into_iter()
                .rev()
                .collect::<Vec<_>>()
                .join("\n")
        };
        assert!(
            codes.contains(code),
            "unify {args}\nexit code {code}, wanted {codes:?}\n--- stdout\n{}\n--- stderr\n{}",
            tail(stdout),
            tail(stderr)
        );
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| {
            panic!(
                "unify {}: stdout is not JSON: {e}\n{}",
                self.args, self.stdout
            )
        })
    }
}
