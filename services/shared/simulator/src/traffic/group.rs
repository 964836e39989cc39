//! Changes of groups, and the lines that tell of them.

use jiff::Timestamp;

use super::Traffic;
use super::act::nth_other;
use crate::world::{Change, ChatKey, Content, Draft, Party, Who, World};

/// A group needs somebody to talk to, and stays small enough to read.
const MEMBERS: std::ops::RangeInclusive<usize> = 3..=12;

/// UniPile's `event_type` numbers.
const CREATED: u8 = 3;
const RENAMED: u8 = 4;
const ADDED: u8 = 5;
const REMOVED: u8 = 6;
const LEFT: u8 = 7;

impl Traffic {
    /// Somebody changes a group. `None` when there are no groups.
    pub(super) fn group_notice(&mut self, world: &mut World, at: Timestamp) -> Option<Change> {
        let key = self.any_group(world)?;
        let others = world.chat(key)?.others().to_vec();
        let author = nth_other(&others, 0);
        let author_name = world.person(key, author)?.name.clone();
        let (event_type, text) = if self.commutative {
            (CREATED, format!("{author_name} created the group"))
        } else {
            self.change_of_group(world, key, &others, &author_name)?
        };
        let content = Content::Notice { event_type, text: Some(text) };
        world.post(key, Draft::new(author, content), at)
    }

    fn change_of_group(
        &mut self,
        world: &mut World,
        key: ChatKey,
        others: &[Who],
        author: &str,
    ) -> Option<(u8, String)> {
        match self.dice.below(4) {
            0 => rename(world, key, author),
            1 => self.leave(world, key, others, author),
            _ => self.join(world, key, others, author),
        }
    }

    fn join(
        &mut self,
        world: &mut World,
        key: ChatKey,
        others: &[Who],
        author: &str,
    ) -> Option<(u8, String)> {
        let known = world.account(world.chat(key)?.account)?.people.len();
        let outside: Vec<Who> = (1..known).map(Who).filter(|who| !others.contains(who)).collect();
        let who = *self.dice.pick(&outside)?;
        if others.len() >= *MEMBERS.end() {
            return None;
        }
        let name = world.person(key, who)?.name.clone();
        world.change_group(key, |_, members| members.push(who));
        Some((ADDED, format!("{author} added {name}")))
    }

    /// The first member writes the notices, so it is another one that goes.
    fn leave(
        &mut self,
        world: &mut World,
        key: ChatKey,
        others: &[Who],
        author: &str,
    ) -> Option<(u8, String)> {
        let who = *self.dice.pick(others.get(1..)?)?;
        if others.len() <= *MEMBERS.start() {
            return None;
        }
        let name = world.person(key, who)?.name.clone();
        world.change_group(key, |_, members| members.retain(|member| *member != who));
        if self.dice.chance(0.5) {
            return Some((REMOVED, format!("{author} removed {name}")));
        }
        Some((LEFT, format!("{name} left")))
    }

    fn any_group(&mut self, world: &World) -> Option<ChatKey> {
        let chats = world.chats();
        let start = self.dice.below(chats.len());
        (0..chats.len()).map(|step| ChatKey((start + step) % chats.len())).find(|key| {
            world.chat(*key).is_some_and(|chat| matches!(chat.party, Party::Group { .. }))
        })
    }
}

fn rename(world: &mut World, key: ChatKey, author: &str) -> Option<(u8, String)> {
    let old = world.chat(key)?.subject()?.to_owned();
    let new = match old.strip_suffix(" ✨") {
        Some(plain) => plain.to_owned(),
        None => format!("{old} ✨"),
    };
    let text = format!("{author} changed the subject to \"{new}\"");
    world.change_group(key, |subject, _| *subject = new);
    Some((RENAMED, text))
}
