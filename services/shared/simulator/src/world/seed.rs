//! The world as it is before anything happens.

use std::sync::Arc;

use jiff::Timestamp;

use super::past::Before;
use super::{
    Account, AccountKey, AccountStatus, Chat, ChatKey, Dialect, Party, Person, Privacy, Timeline,
    Who, World, names,
};
use crate::config::SimulatorConfig;
use crate::dialogue::Bank;
use crate::dice::Dice;

/// Whether a chat has a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Began {
    LongAgo,
    Now,
}

/// People whom the owner meets only in groups; their numbers are private.
const STRANGERS: usize = 3;

impl World {
    /// The accounts, contacts and chats that the configuration asks for. What they said to each
    /// other before ends at `before`.
    pub(crate) fn seeded(config: &SimulatorConfig, before: Timestamp) -> Self {
        let mut world = Self::empty(config.seed, config.messages_kept_per_chat);
        world.before = (config.past_per_chat > 0).then(|| Before {
            seed: config.seed,
            per_chat: u64::from(config.past_per_chat),
            end: before,
            bank: Arc::new(Bank::new()),
        });
        let mut dice = Dice::new(config.seed, 2);
        let connected = Timestamp::from_second(CONNECTED_SECONDS).unwrap_or_default();
        for _ in 0..config.accounts {
            world.add_account(None, config, &mut dice, connected);
        }
        world
    }

    /// Connects another shop. It has an id already where somebody was told of it.
    pub(crate) fn add_account(
        &mut self,
        id: Option<Arc<str>>,
        config: &SimulatorConfig,
        dice: &mut Dice,
        created_at: Timestamp,
    ) -> AccountKey {
        let n = self.accounts.len();
        let mut people = vec![self.new_person(names::shop(n))];
        for contact in 0..config.contacts {
            let person = self.new_person(names::contact(n, contact));
            people.push(varied(person, contact, dice));
        }
        for stranger in 0..STRANGERS {
            let name = names::contact(n, config.contacts + CAST_GAP + stranger);
            people.push(self.new_person(name).with_privacy(Privacy::Hidden));
        }
        let key = AccountKey(self.accounts.len());
        // The first account speaks exactly as the captured payloads do.
        let dialect = if n == 0 { Dialect::default() } else { any_dialect(dice) };
        let id = id.unwrap_or_else(|| self.ids.unipile());
        let status = AccountStatus::Ok;
        let grounded = false;
        self.accounts.push(Account { id, people, status, dialect, created_at, grounded });
        self.index_account(key);
        for contact in 1..=config.contacts {
            self.add_direct_chat(key, Who(contact), Began::LongAgo);
        }
        for group in 0..config.groups {
            self.add_group(key, names::group(group), dice);
        }
        key
    }

    fn new_person(&mut self, name: String) -> Person {
        let (digits, lid) = self.ids.person();
        Person::new(self.ids.unipile(), name, &digits, lid)
    }

    /// Somebody whom nobody knew so far.
    pub(crate) fn stranger(&mut self, digits: &str) -> Person {
        let number = digits.bytes().fold(0_usize, |n, digit| (n * 10 + usize::from(digit)) % 9_973);
        let (id, lid) = (self.ids.unipile(), self.ids.lid());
        Person::new(id, names::contact(1, number), digits, lid)
    }

    /// A chat with one person.
    pub(crate) fn add_direct_chat(
        &mut self,
        account: AccountKey,
        who: Who,
        began: Began,
    ) -> ChatKey {
        let provider_id = self
            .account(account)
            .and_then(|account| account.people.get(who.0))
            .map(|person| person.provider_id().to_owned())
            .unwrap_or_default();
        self.add_chat(account, provider_id, Party::Direct(who), began)
    }

    /// A group that the owner makes.
    pub(crate) fn create_group(
        &mut self,
        account: AccountKey,
        subject: String,
        members: Vec<Who>,
        began: Began,
    ) -> ChatKey {
        let provider_id = self.ids.group();
        self.add_chat(account, provider_id, Party::Group { subject, members }, began)
    }

    fn add_group(&mut self, account: AccountKey, subject: String, dice: &mut Dice) {
        let others = self.account(account).map_or(0, |account| account.people.len() - 1);
        let mut pool: Vec<Who> = (1..=others).map(Who).collect();
        let size = (3 + dice.below(5)).min(pool.len());
        let members = (0..size).map(|_| pool.swap_remove(dice.below(pool.len()))).collect();
        self.create_group(account, subject, members, Began::LongAgo);
    }

    fn add_chat(
        &mut self,
        account: AccountKey,
        provider_id: String,
        party: Party,
        began: Began,
    ) -> ChatKey {
        let id = self.ids.unipile();
        let key = ChatKey(self.chats.len());
        let mut chat = Chat::new(id, provider_id, account, party);
        if began == Began::LongAgo
            && let Some(timeline) = self.timeline_of(key, &chat)
        {
            chat.seen_below = timeline.next();
            chat.timeline = timeline;
        }
        self.chats.push(chat);
        self.index_chat(key);
        key
    }

    /// What was said in a chat before the run.
    fn timeline_of(&self, key: ChatKey, chat: &Chat) -> Option<Timeline> {
        let people = &self.account(chat.account)?.people;
        let jid = |who: Who| people.get(who.0).map(|p| (who, Arc::from(p.provider_id())));
        let others = chat.others().iter().filter_map(|&who| jid(who)).collect();
        let (_, owner) = jid(Who::OWNER)?;
        let past = self.before.as_ref()?.of(key, chat.is_group(), others, owner);
        Some(Timeline::after(past))
    }
}

/// 2026-01-15T09:30:00Z: when the accounts of the beginning were connected.
const CONNECTED_SECONDS: i64 = 1_768_469_400;

/// Keeps the names of strangers apart from those of the contacts.
const CAST_GAP: usize = 12;

/// Most contacts are addressed by lid and show their number; a few are not, or do not.
fn varied(person: Person, contact: usize, dice: &mut Dice) -> Person {
    match (contact, dice.below(100)) {
        // The very first contact is as plain as the captured payloads.
        (0, _) | (_, 25..) => person,
        (_, 0..10) => person.without_lid(),
        (_, 10..20) => person.with_privacy(Privacy::Hidden),
        (_, 20..25) => person.with_privacy(Privacy::Absent),
    }
}

fn any_dialect(dice: &mut Dice) -> Dialect {
    Dialect {
        owner_among_attendees: dice.chance(0.3),
        user_id: dice.chance(0.3),
        boolean_event_flag: dice.chance(0.3),
        rest_attachments: dice.chance(0.2),
        no_subject: dice.chance(0.2),
    }
}
