//! The `unify` program: everything is in the library, see its front page.

use std::process::ExitCode;

fn main() -> ExitCode {
    unify::cli::run(std::env::args_os())
}
