//! A thread plays the games of a hostile guest as fast as it can.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::fs::{CWD, FileType, Mode, RenameFlags, makedev, mknodat, rename, renameat_with};
use rustix::mount::{UnmountFlags, mount_bind, unmount};

/// A game has two states, and is played by going from one to the other.
pub enum Game {
    /// Two names change places.
    Exchange(PathBuf, PathBuf),
    /// A directory from outside is mounted on a directory.
    Mount(PathBuf, PathBuf),
    /// A directory goes elsewhere.
    Move(PathBuf, PathBuf),
}

impl Game {
    /// To the other state; `away` is the state that is not the first.
    fn play(&self, away: bool) -> rustix::io::Result<()> {
        match (self, away) {
            (Game::Exchange(a, b), _) => renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE),
            (Game::Mount(from, on), false) => mount_bind(from, on),
            (Game::Mount(_, on), true) => unmount(on, UnmountFlags::DETACH),
            (Game::Move(a, b), false) => rename(a, b),
            (Game::Move(a, b), true) => rename(b, a),
        }
    }
}

/// A device that everybody may open.
pub fn null_device(path: &Path) {
    let mode = Mode::from_raw_mode(0o666);
    mknodat(CWD, path, FileType::CharacterDevice, mode, makedev(1, 3)).unwrap();
}

/// Everything but directories in a tree, by what it is and not by its name.
pub fn things(top: &Path) -> Vec<String> {
    let mut all = Vec::new();
    let entries = std::fs::read_dir(top).into_iter().flatten();
    for path in entries.map(|entry| entry.unwrap().path()) {
        let kind = path.symlink_metadata().unwrap().file_type();
        if kind.is_dir() {
            all.extend(things(&path));
        } else if kind.is_symlink() {
            all.push(format!("link to {:?}", std::fs::read_link(&path).unwrap()));
        } else if kind.is_file() {
            let text = std::fs::read_to_string(&path).unwrap();
            let (length, line) = (text.len(), text.lines().next());
            all.push(format!("file of {length} bytes with {line:?}"));
        } else {
            all.push(format!("{kind:?}"));
        }
    }
    all
}

/// What the attacker leaves.
pub struct Beaten {
    /// Every game, and is it in its second state?
    games: Vec<(Game, bool)>,
    pub swaps: u64,
    /// Names that are shared are protected: the attacker could not exchange them.
    pub refused: u64,
}

impl Beaten {
    fn play(&mut self, at: usize) {
        let (game, away) = &mut self.games[at];
        match game.play(*away) {
            Ok(()) => {
                *away = !*away;
                self.swaps += 1;
            }
            Err(_) => self.refused += 1,
        }
    }

    /// Puts all names back, the last game first.
    pub fn put_back(&mut self) {
        for at in (0..self.games.len()).rev() {
            if self.games[at].1 {
                self.play(at);
            }
        }
    }

    pub fn assert_put_back(&self) {
        let away = self.games.iter().filter(|(_, away)| *away);
        assert_eq!(away.count(), 0, "names could not be put back");
    }
}

/// Does a run have anything in flight?
fn is_busy(staging: &Path) -> bool {
    let runs = std::fs::read_dir(staging).into_iter().flatten().flatten();
    runs.filter_map(|run| std::fs::read_dir(run.path()).ok())
        .any(|mut run| run.next().is_some())
}

/// A thread that plays.
pub struct Hostile {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Beaten>>,
}

impl Hostile {
    /// It is quick while something lies in `staging`, and slow otherwise, so that there is something to plan.
    pub fn start(games: Vec<Game>, staging: PathBuf) -> Hostile {
        let stop = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut beaten = Beaten {
                games: games.into_iter().map(|game| (game, false)).collect(),
                swaps: 0,
                refused: 0,
            };
            let mut random: u64 = 0x9e37_79b9_7f4a_7c15;
            while !asked.load(Ordering::Relaxed) {
                for shift in [13_u32, 7, 17] {
                    random ^= if shift == 7 {
                        random >> 7
                    } else {
                        random << shift
                    };
                }
                let at = random as usize % beaten.games.len();
                beaten.play(at);
                let longest = if is_busy(&staging) { 0x3ff } else { 0x1fff };
                std::thread::sleep(Duration::from_micros(random >> 32 & longest));
            }
            beaten
        });
        Hostile {
            stop,
            thread: Some(thread),
        }
    }

    pub fn stop(mut self) -> Beaten {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap()
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().map(|mut beaten| beaten.put_back()).ok();
        }
    }
}
