//! A way through all directories of a tree, however deep it is: one path is held, and of each directory on it the names
//! of those in it that are still to come.

/// Where the way has got to. The top itself is never named: the way begins in it.
#[derive(Debug)]
pub struct Descent {
    path: Vec<u8>,
    levels: Vec<DescentLevel>,
}

#[derive(Debug)]
struct DescentLevel {
    /// Bytes of the path to this directory.
    length: usize,
    below: std::vec::IntoIter<Vec<u8>>,
}

/// The next step on the way; a path is relative to the top.
#[derive(Debug, PartialEq, Eq)]
pub enum DescentStep<'a> {
    /// Into this directory: [`Descent::enter`] must be told what is in it before the next step.
    Enter(&'a [u8]),
    /// Out of this directory, with all beneath it behind.
    Leave(&'a [u8]),
}

impl Descent {
    /// Begins at the top, which has these directories in it.
    pub fn new(below: Vec<Vec<u8>>) -> Descent {
        let mut descent = Descent {
            path: Vec::new(),
            levels: Vec::new(),
        };
        descent.enter(below);
        descent
    }

    /// The directory that was entered has these in it.
    pub fn enter(&mut self, below: Vec<Vec<u8>>) {
        self.levels.push(DescentLevel {
            length: self.path.len(),
            below: below.into_iter(),
        });
    }

    /// The next step; `None` when the top is all that is left.
    pub fn step(&mut self) -> Option<DescentStep<'_>> {
        let level = self.levels.last_mut()?;
        self.path.truncate(level.length);
        if let Some(name) = level.below.next() {
            if !self.path.is_empty() {
                self.path.push(b'/');
            }
            self.path.extend(name);
            return Some(DescentStep::Enter(&self.path));
        }
        self.levels.pop();
        (!self.levels.is_empty()).then_some(DescentStep::Leave(&self.path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<Vec<u8>> {
        names.iter().map(|name| name.as_bytes().to_vec()).collect()
    }

    #[test]
    fn what_is_in_a_directory_is_left_before_it() {
        let mut descent = Descent::new(names(&["a", "b"]));
        let mut seen = Vec::new();
        loop {
            let entered = match descent.step() {
                None => break,
                Some(DescentStep::Leave(path)) => {
                    seen.push(format!("-{}", String::from_utf8_lossy(path)));
                    continue;
                }
                Some(DescentStep::Enter(path)) => String::from_utf8_lossy(path).into_owned(),
            };
            descent.enter(match entered.as_str() {
                "a" => names(&["x", "y"]),
                "a/x" => names(&["deep"]),
                _ => Vec::new(),
            });
            seen.push(entered);
        }
        let want = [
            "a",
            "a/x",
            "a/x/deep",
            "-a/x/deep",
            "-a/x",
            "a/y",
            "-a/y",
            "-a",
            "b",
            "-b",
        ];
        assert_eq!(seen, want);
    }
}
