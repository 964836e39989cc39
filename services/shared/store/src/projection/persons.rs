//! People, under all the ids that they have.

use super::book::{Book, Entry, Holders};
use super::command::{Clerk, Outcome};
use crate::outbox::{PersonChange, Refused};
use crate::rows::Link;
use channel_domain::attendee::{
    Attendee, Claim, ClaimKind, ClaimSource, Merged, claims_of, joining,
};
use channel_domain::chat::Chat;
use channel_domain::fact::Person;
use channel_domain::ids::AttendeeId;
use channel_domain::mentions::{self, Known};
use channel_domain::message::{Message, Reaction};
use channel_domain::people;
use channel_domain::time::Stamp;
use std::collections::{BTreeSet, HashMap};

impl Clerk<'_> {
    /// What the team says of a person.
    pub(super) fn change_person(&mut self, change: PersonChange) -> Result<Outcome, Refused> {
        let stamp = self.stamps.first().copied().unwrap_or_default();
        let known = |id: &AttendeeId| {
            let entry = self.book.attendees.get(id);
            entry.map(|entry| entry.row.is_self).ok_or(Refused::AttendeeUnknown)
        };
        Ok(Outcome::Person(match change {
            PersonChange::Join(id, other) => {
                // Whose messages would be shown as the account's own?
                if known(&id)? != known(&other)? {
                    return Err(Refused::AttendeeIsSelf);
                }
                self.book.join_people(&id, &other, stamp);
                id
            }
            PersonChange::Part(id) => {
                known(&id)?;
                self.book.part_people(&id, stamp);
                id
            }
            PersonChange::Call(id, name) => {
                known(&id)?;
                self.book.call_person(&id, name);
                id
            }
        }))
    }
}

impl Book {
    /// Takes in what somebody says of a person.
    pub(super) fn person(
        &mut self,
        person: &Person,
        is_self: bool,
        stamp: Stamp,
        source: ClaimSource,
    ) {
        let Some(id) = people::key(person) else {
            return;
        };
        if !self.attendees.contains_key(&id) {
            let fresh = Attendee::new(self.take_key(), id.clone());
            self.attendees.insert(id.clone(), Entry::fresh(fresh));
            if let Some(reading) = &mut self.reading {
                reading.people.push(id.clone());
            }
        }
        let Some(entry) = self.attendees.get_mut(&id) else {
            return;
        };
        let links = new_links(&entry.row, person, stamp, source);
        let was_self = entry.row.is_self;
        let picture_was = entry.row.claims.best(ClaimKind::PictureUrl).map(ToOwned::to_owned);
        let merged = entry.row.merge(person, is_self, stamp, source);
        self.links.extend(links);
        self.person_changed(&id, was_self, merged);
        if merged.stored {
            self.note_identifiers(&id);
            self.sort_out(&id);
            self.want_picture_of_person(&id, picture_was.as_deref(), stamp.at);
        }
    }

    fn join_people(&mut self, one: &AttendeeId, other: &AttendeeId, stamp: Stamp) {
        let person = |id| self.attendees.get(id).map(|entry| entry.row.person());
        if person(one) == person(other) {
            return;
        }
        // An id of the inbox is drawn once and for all, so no two joinings have the same.
        let word = stamp.inbox.to_string();
        for id in [one, other] {
            let Some(entry) = self.attendees.get_mut(id) else { continue };
            let (kind, source) = (ClaimKind::Joined, ClaimSource::Team);
            entry.row.claims.note(kind, &word, stamp, source);
            entry.note(Merged::STORED);
            let (value, attendee_key) = (word.clone(), entry.row.key);
            self.links.push(Link { kind, value, attendee_key, since: stamp, source });
            self.note_identifiers(id);
        }
        self.sort_out(one);
    }

    fn part_people(&mut self, id: &AttendeeId, stamp: Stamp) {
        let Some(entry) = self.attendees.get_mut(id) else { return };
        entry.row.ties.apart = entry.row.ties.apart.max(Some(stamp));
        entry.note(Merged::STORED);
        self.sort_out(id);
    }

    fn call_person(&mut self, id: &AttendeeId, name: Option<String>) {
        let Some(entry) = self.attendees.get_mut(id) else { return };
        let was_self = entry.row.is_self;
        let merged = entry.row.call(name);
        self.person_changed(id, was_self, merged);
        self.sort_out(id);
    }

    /// Notes that somebody is in the book, so that others are found to be the same.
    pub(super) fn hold_identifiers(&mut self, attendee: &Attendee) {
        if let Some(holders) = &mut self.holders {
            note(holders, attendee);
        }
    }

    fn note_identifiers(&mut self, id: &AttendeeId) {
        if let (Some(holders), Some(entry)) = (&mut self.holders, self.attendees.get(id)) {
            note(holders, &entry.row);
        }
    }

    /// Finds out anew who is the same person, of all who may be by what is known of them.
    fn sort_out(&mut self, id: &AttendeeId) {
        let circle = self.circle(id);
        let is_tied =
            |id: &AttendeeId| self.attendees.get(id).is_some_and(|it| it.row.ties.joined.is_some());
        if circle.len() < 2 && !circle.iter().any(is_tied) {
            return;
        }
        let rows: Vec<_> = circle.iter().filter_map(|id| self.attendees.get(id)).collect();
        let people: Vec<_> = rows.iter().map(|entry| &entry.row).collect();
        let mut ties = Vec::new();
        for group in joining::persons(&people) {
            let person: Vec<_> = group.into_iter().map(|at| people[at]).collect();
            ties.extend(person.iter().map(|it| (it.id.clone(), joining::joined(it, &person))));
        }
        for (id, joined) in ties {
            let Some(entry) = self.attendees.get_mut(&id) else { continue };
            let was_self = entry.row.is_self;
            let merged = entry.row.tie(joined);
            self.person_changed(&id, was_self, merged);
        }
    }

    /// Everybody who has something in common with a person, or with one of those.
    fn circle(&mut self, id: &AttendeeId) -> BTreeSet<AttendeeId> {
        let (attendees, holders) = (&self.attendees, holders(&mut self.holders, &self.attendees));
        let (mut circle, mut next) = (BTreeSet::from([id.clone()]), vec![id.clone()]);
        while let Some(entry) = next.pop().and_then(|id| attendees.get(&id)) {
            for claim in entry.row.claims.all().iter().filter(|claim| claim.kind.joins()) {
                let same = holders.get(&key(claim)).into_iter().flatten();
                for id in same.filter(|id| !circle.contains(*id)).collect::<Vec<_>>() {
                    circle.insert(id.clone());
                    next.push(id.clone());
                }
            }
        }
        circle
    }

    /// The picture of this very id is another one now.
    pub(super) fn picture_changed(&mut self, id: &AttendeeId, merged: Merged) {
        let Some(was_self) = self.attendees.get(id).map(|entry| entry.row.is_self) else { return };
        self.person_changed(id, was_self, merged);
        self.sort_out(id);
    }

    fn person_changed(&mut self, id: &AttendeeId, was_self: bool, merged: Merged) {
        let Some(entry) = self.attendees.get_mut(id) else { return };
        entry.note(merged);
        self.remembered |= merged.stored;
        if !merged.shown {
            return;
        }
        let row = entry.row.clone();
        self.touched.attendees.push(id.clone());
        self.rename(&row);
        if row.is_self != was_self {
            self.own_reactions(row.key, row.is_self);
        }
    }

    /// A person turned out to be the account's owner, or not to be, and so did the author of these reactions.
    fn own_reactions(&mut self, actor_key: i64, is_self: bool) {
        let mut changed = Vec::new();
        for (key, message) in &mut self.messages {
            let entry = &mut message.entry;
            let theirs = |reaction: &&mut Reaction| reaction.actor_key == actor_key;
            if let Some(reaction) = entry.row.reactions.iter_mut().find(theirs) {
                reaction.is_self = is_self;
                entry.shown |= reaction.emoji.is_some();
                changed.push(*key);
            }
        }
        changed.sort_unstable();
        self.touched.messages.extend(changed);
    }

    /// A person's new name is the name of their chat.
    fn rename(&mut self, attendee: &Attendee) {
        let theirs = |entry: &&mut Entry<Chat>| {
            entry.row.counterparty.as_ref().is_some_and(|person| person.key == attendee.key)
        };
        for entry in self.chats.values_mut().filter(theirs) {
            let merged = entry.row.show_counterparty(attendee);
            entry.note(merged);
            if merged.shown {
                self.touched.chats.push(entry.row.key);
            }
        }
    }

    // ---- who is named ---------------------------------------------------------------------------

    /// What is known of those whose ids stand in texts in place of names.
    pub(super) fn mentioned<'t>(&mut self, ids: impl Iterator<Item = &'t str>) -> Vec<Known> {
        let ids: BTreeSet<_> = ids.collect();
        if ids.is_empty() {
            return Vec::new();
        }
        let (attendees, holders) = (&self.attendees, holders(&mut self.holders, &self.attendees));
        let known = |id: &str| {
            let named = holders.get(&mentions::identifier(id)?)?;
            let rows = named.iter().filter_map(|id| attendees.get(id)).map(|entry| &entry.row);
            let person = rows.min_by_key(|row| row.key)?;
            let (name, phone) = (person.name().map(Into::into), person.phone().map(Into::into));
            Some(Known { id: id.to_owned(), attendee: person.id.clone(), name, phone })
        };
        ids.into_iter().filter_map(known).collect()
    }

    pub(super) fn name_the_mentioned(&mut self, message: &mut Message) {
        let known = self.mentioned(message.mentioned_ids());
        message.mention(known);
    }
}

/// Who has what, made from everybody in the book when it is first asked for.
fn holders<'b>(
    made: &'b mut Option<Holders>,
    attendees: &HashMap<AttendeeId, Entry<Attendee>>,
) -> &'b Holders {
    made.get_or_insert_with(|| {
        let mut holders = Holders::new();
        for entry in attendees.values() {
            note(&mut holders, &entry.row);
        }
        holders
    })
}

fn key(claim: &Claim) -> (ClaimKind, String) {
    (claim.kind, claim.value.clone())
}

fn note(holders: &mut Holders, attendee: &Attendee) {
    for claim in attendee.claims.all().iter().filter(|claim| claim.kind.joins()) {
        let ids = holders.entry(key(claim)).or_default();
        if !ids.contains(&attendee.id) {
            ids.push(attendee.id.clone());
        }
    }
}

fn new_links(known: &Attendee, person: &Person, since: Stamp, source: ClaimSource) -> Vec<Link> {
    claims_of(person)
        .filter(|(kind, value)| kind.identifies() && !known.claims.has(*kind, value))
        .map(|(kind, value)| Link { kind, value, attendee_key: known.key, since, source })
        .collect()
}
