//! What lies before a base's thread.

use std::collections::{HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::asker::Asker;
use super::message::Message;
use super::shares::AskerShares;
use crate::engine::breaking::request::WriterAsked;
use crate::model::FileId;
use crate::sys::guard::WriteRequest;

/// What lies before a base's thread. Whoever puts something there never waits.
#[derive(Default)]
pub(in crate::engine::breaking) struct WriteQueue {
    queued: Mutex<Queued>,
    more: Condvar,
}

#[derive(Default)]
struct Queued {
    /// What the base's own readers and copiers have to say: no more than there are of them.
    news: VecDeque<Message>,
    asked: AskerShares,
    /// The roots of all guests, to tell who asks.
    roots: HashMap<FileId, usize>,
    is_over: bool,
}

/// What became of a request that was put there.
#[derive(Debug)]
pub(in crate::engine::breaking) enum QueuePlace {
    /// It waits, or the same does.
    Waits,
    /// This one has no place: whoever asks for it has too many there.
    None(Box<WriterAsked>),
    /// Nobody takes it any more.
    Over,
}

impl WriteQueue {
    fn queued(&self) -> MutexGuard<'_, Queued> {
        self.queued.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says by which roots those who ask are known.
    pub fn learn_roots(&self, roots: &HashMap<FileId, usize>) {
        self.queued().roots.clone_from(roots);
    }

    /// Who asks. `ground` are the directories in which the writer lives, the nearest first.
    pub fn asker(&self, request: &WriteRequest, ground: &[FileId]) -> Asker {
        Asker::of(request, ground, &self.queued().roots)
    }

    /// Puts a request behind the others of its asker.
    pub fn put(&self, asked: WriterAsked) -> QueuePlace {
        let mut queued = self.queued();
        if queued.is_over {
            return QueuePlace::Over;
        }
        let refused = queued.asked.put(asked);
        self.more.notify_one();
        refused.map_or(QueuePlace::Waits, |one| QueuePlace::None(Box::new(one)))
    }

    /// Puts one back that waited for what is there now: before the others of its asker.
    pub fn put_back(&self, asked: WriterAsked) {
        self.queued().asked.put_back(asked);
        self.more.notify_one();
    }

    /// Takes out all that were asked longer ago than this.
    pub fn take_late(&self, patience: Duration) -> Vec<WriterAsked> {
        self.queued().asked.take_late(patience)
    }

    /// What is no request.
    pub fn tell(&self, message: Message) {
        self.queued().news.push_back(message);
        self.more.notify_one();
    }

    /// The next message; `None` where none has come in this time. Of requests: one of who had the least of our time.
    pub fn next(&self, patience: Duration) -> Option<Message> {
        let end = Instant::now() + patience;
        let mut queued = self.queued();
        loop {
            if let Some(message) = queued.next() {
                return Some(message);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            let waited = self.more.wait_timeout(queued, left);
            queued = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// So long took what was asked for by this one.
    pub fn charge(&self, asker: &Asker, took: Duration) {
        self.queued().asked.charge(asker.by, took);
    }

    /// Does nobody take anything any more?
    pub fn is_over(&self) -> bool {
        self.queued().is_over
    }

    /// Nobody takes anything any more.
    pub fn close(&self) {
        self.queued().is_over = true;
    }
}

impl Queued {
    fn next(&mut self) -> Option<Message> {
        let news = self.news.pop_front();
        news.or_else(|| self.asked.take().map(Message::Asked))
    }
}
