use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::connect::Scan;
use crate::event::Event;
use crate::world::{AccountKey, AccountStatus, MessageKey, Receipt};

/// Something that is going to happen by itself.
#[derive(Debug)]
pub(crate) enum Doing {
    /// A webhook goes out.
    Send(Event),
    /// An own message gets further.
    Receipt(MessageKey, Receipt),
    /// Somebody answers.
    Answer(MessageKey),
    /// An account changes its state.
    Status(AccountKey, AccountStatus),
    /// Somebody scans the code that was shown for an account.
    Scan(Scan),
    /// The page for signing in tells its caller how it went.
    Notify { url: String, body: Bytes },
}

/// What is to happen, in order of time and then of being planned.
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    plans: Mutex<Plans>,
    wake: Notify,
}

#[derive(Debug, Default)]
struct Plans {
    items: BinaryHeap<Reverse<Item>>,
    made: u64,
    busy: bool,
}

#[derive(Debug)]
struct Item {
    due: Instant,
    made: u64,
    doing: Doing,
}

impl PartialEq for Item {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Item {}
impl PartialOrd for Item {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Item {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.due, self.made).cmp(&(other.due, other.made))
    }
}

impl Agenda {
    pub(crate) fn add(&self, due: Instant, doing: Doing) {
        let mut plans = self.lock();
        plans.made += 1;
        let made = plans.made;
        plans.items.push(Reverse(Item { due, made, doing }));
        drop(plans);
        self.wake.notify_one();
    }

    /// Waits for the next thing to do. The agenda counts as busy until it is asked again.
    pub(crate) async fn next(&self) -> Doing {
        loop {
            let due = {
                let mut plans = self.lock();
                plans.busy = false;
                let due = plans.items.peek().map(|Reverse(item)| item.due);
                if due.is_some_and(|due| due <= Instant::now())
                    && let Some(Reverse(item)) = plans.items.pop()
                {
                    plans.busy = true;
                    return item.doing;
                }
                due
            };
            let woken = self.wake.notified();
            match due {
                Some(due) => drop(tokio::time::timeout_at(due, woken).await),
                None => woken.await,
            }
        }
    }

    /// Whether nothing is planned or under way.
    pub(crate) fn is_idle(&self) -> bool {
        let plans = self.lock();
        plans.items.is_empty() && !plans.busy
    }

    fn lock(&self) -> MutexGuard<'_, Plans> {
        self.plans.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
