//! What happens next: a seeded, endless sequence of changes to the world.

mod act;
mod group;
mod mix;
mod script;

use std::collections::VecDeque;

use jiff::Timestamp;

use crate::config::SimulatorConfig;
use crate::dialogue::{Bank, Thread};
use crate::dice::Dice;
use crate::world::{AccountKey, AccountStatus, Change, ChatKey, MessageKey, Receipt, World};
use mix::Action;

pub use mix::Mix;
pub use script::Script;
pub(crate) use script::whole_seconds;

/// Own messages that may still get a receipt; older ones stay as they are.
const AWAITING: usize = 512;

/// Chooses what happens, and makes it happen.
#[derive(Debug)]
pub(crate) struct Traffic {
    dice: Dice,
    actions: Vec<Action>,
    weights: Vec<u32>,
    commutative: bool,
    bank: Bank,
    threads: Vec<Thread>,
    focus: usize,
    lines_left: usize,
    in_order: bool,
    sent: VecDeque<MessageKey>,
    delivered: VecDeque<MessageKey>,
    statuses: VecDeque<(AccountKey, AccountStatus)>,
}

impl Traffic {
    pub(crate) fn new(config: &SimulatorConfig, world: &World) -> Self {
        let (actions, weights) = config.mix.table().into_iter().unzip();
        let mut traffic = Self {
            dice: Dice::of_chapter(config.seed, config.chapter, 3),
            actions,
            weights,
            commutative: config.commutative,
            bank: Bank::new(),
            threads: vec![Thread::default(); world.chats().len()],
            focus: 0,
            lines_left: 0,
            in_order: true,
            sent: VecDeque::new(),
            delivered: VecDeque::new(),
            statuses: VecDeque::new(),
        };
        if config.announce_accounts && config.chapter == 0 {
            traffic.announce(world);
        }
        traffic
    }

    /// The states of an account that was just connected.
    fn announce(&mut self, world: &World) {
        let fresh = [AccountStatus::CreationSuccess, AccountStatus::Ok, AccountStatus::SyncSuccess];
        let keys = (0..world.accounts().len()).map(AccountKey);
        self.statuses.extend(keys.flat_map(|key| fresh.map(|status| (key, status))));
    }

    /// Whether the states of fresh accounts are still to be told; they come all at once.
    pub(crate) fn is_announcing(&self) -> bool {
        self.in_order && !self.statuses.is_empty()
    }

    /// While the history is told, chats come one after another; live, at random.
    pub(crate) fn go_live(&mut self) {
        self.in_order = false;
    }

    /// Account states that are due before anything else.
    fn pending_status(&mut self, world: &mut World) -> Option<Change> {
        let (account, status) = self.statuses.pop_front()?;
        world.set_status(account, status, false)
    }

    /// Makes the next thing happen.
    pub(crate) fn step(&mut self, world: &mut World, at: Timestamp) -> Option<Change> {
        // An account in trouble recovers before it says anything else: UniPile sends no messages
        // of an account that is down.
        if let Some(change) = self.pending_status(world) {
            return Some(change);
        }
        let index = self.dice.weighted(&self.weights)?;
        let action = self.actions.get(index).copied()?;
        let change = match self.act(action, world, at) {
            Some(change) => change,
            None => self.act(Action::Text, world, at)?,
        };
        self.remember(change, world);
        Some(change)
    }

    /// Own messages wait for their receipts.
    fn remember(&mut self, change: Change, world: &World) {
        match change {
            Change::Posted(key)
                if world.message(key).is_some_and(|m| m.is_own() && !m.is_notice()) =>
            {
                push_bounded(&mut self.sent, key);
            }
            Change::Delivered(key) => push_bounded(&mut self.delivered, key),
            _ => {}
        }
    }

    fn receipt(&mut self, world: &mut World, receipt: Receipt) -> Option<Change> {
        let waiting = if receipt == Receipt::Read { &mut self.delivered } else { &mut self.sent };
        while let Some(key) = waiting.pop_front() {
            if let Some(change) = world.receive(key, receipt) {
                return Some(change);
            }
        }
        None
    }

    /// The chat in which the next message falls: people say a few lines, then others do.
    fn next_chat(&mut self) -> ChatKey {
        let chats = self.threads.len();
        if self.lines_left == 0 {
            self.focus = if self.in_order {
                (self.focus + 1) % chats.max(1)
            } else {
                self.dice.below(chats)
            };
            self.lines_left = 1 + self.dice.below(4);
        }
        self.lines_left -= 1;
        ChatKey(self.focus)
    }
}

fn push_bounded(queue: &mut VecDeque<MessageKey>, key: MessageKey) {
    if queue.len() == AWAITING {
        queue.pop_front();
    }
    queue.push_back(key);
}
