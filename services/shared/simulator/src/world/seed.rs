//! The world as it is before anything happens.

use super::{
    Account, AccountKey, AccountStatus, Chat, Dialect, Party, Person, Privacy, Timeline, Who,
    World, names,
};
use crate::config::SimulatorConfig;
use crate::dice::Dice;

/// People whom the owner meets only in groups; their numbers are private.
const STRANGERS: usize = 3;

impl World {
    /// The accounts, contacts and chats that the configuration asks for.
    pub(crate) fn seeded(config: &SimulatorConfig) -> Self {
        let mut world = Self::empty(config.seed, config.messages_kept_per_chat);
        let mut dice = Dice::new(config.seed, 2);
        for n in 0..config.accounts {
            world.add_account(n, config, &mut dice);
        }
        world
    }

    fn add_account(&mut self, n: usize, config: &SimulatorConfig, dice: &mut Dice) {
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
        let id = self.ids.unipile();
        self.accounts.push(Account { id, people, status: AccountStatus::Ok, dialect });
        for contact in 1..=config.contacts {
            self.add_direct_chat(key, Who(contact));
        }
        for group in 0..config.groups {
            self.add_group(key, names::group(group), dice);
        }
    }

    fn new_person(&mut self, name: String) -> Person {
        let (digits, lid) = self.ids.person();
        Person::new(self.ids.unipile(), name, &digits, lid)
    }

    fn add_direct_chat(&mut self, account: AccountKey, who: Who) {
        let provider_id = self
            .account(account)
            .and_then(|account| account.people.get(who.0))
            .map(|person| person.provider_id().to_owned())
            .unwrap_or_default();
        self.add_chat(account, provider_id, Party::Direct(who));
    }

    fn add_group(&mut self, account: AccountKey, subject: String, dice: &mut Dice) {
        let others = self.account(account).map_or(0, |account| account.people.len() - 1);
        let mut pool: Vec<Who> = (1..=others).map(Who).collect();
        let size = (3 + dice.below(5)).min(pool.len());
        let members = (0..size).map(|_| pool.swap_remove(dice.below(pool.len()))).collect();
        let provider_id = self.ids.group();
        self.add_chat(account, provider_id, Party::Group { subject, members });
    }

    fn add_chat(&mut self, account: AccountKey, provider_id: String, party: Party) {
        let id = self.ids.unipile();
        self.chats.push(Chat { id, provider_id, account, party, timeline: Timeline::default() });
    }
}

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
