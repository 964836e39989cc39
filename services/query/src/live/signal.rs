//! How a stream is told that there is something for it.

use super::lock;
use futures::task::AtomicWaker;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::task::Waker;

/// What has happened since a stream last looked.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// Accounts, by their place in the stream, whose rings changed.
    pub(super) slots: BTreeSet<u32>,
    /// What the caller may see changed.
    pub(super) access: bool,
    /// The server stops.
    pub(super) shutdown: bool,
}

/// One stream's marks and the way to wake it. Marks are not a queue: they never grow past one for each
/// account.
#[derive(Debug, Default)]
pub(super) struct Signal {
    marks: Mutex<Marks>,
    waker: AtomicWaker,
}

impl Signal {
    /// Marks an account and wakes the stream.
    pub(super) fn moved(&self, slot: u32) {
        lock(&self.marks).slots.insert(slot);
        self.waker.wake();
    }

    /// Makes the stream check what it may see.
    pub(super) fn access_changed(&self) {
        lock(&self.marks).access = true;
        self.waker.wake();
    }

    /// Makes the stream end.
    pub(super) fn shut_down(&self) {
        lock(&self.marks).shutdown = true;
        self.waker.wake();
    }

    /// Takes all marks; whatever is marked after this wakes `waker`.
    pub(super) fn take(&self, waker: &Waker) -> Marks {
        self.waker.register(waker);
        std::mem::take(&mut *lock(&self.marks))
    }
}
