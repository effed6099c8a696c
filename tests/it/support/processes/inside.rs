//! A process that was started inside a guest.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A process that said that it is where it should be; killed when the test ends.
pub struct Inside(Child);

impl Drop for Inside {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Starts a program that prints a line once it is inside, then waits.
pub fn inside(program: &str, args: &[&str], cwd: &Path) -> Option<Inside> {
    let mut command = Command::new(program);
    command
        .args(args)
        .current_dir(cwd)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = Inside(command.spawn().ok()?);
    let mut line = String::new();
    BufReader::new(child.0.stdout.take()?)
        .read_line(&mut line)
        .ok()?;
    (line == "inside\n").then_some(child)
}
