//! Who took part in a message. Nothing here decides a direction; see [`crate::direction`].

use crate::direction::{Direction, is_owner};
use crate::fact::{OwnerClaim, Person, Received};
use crate::ids::AttendeeId;
use crate::jid;

/// The people of one message, sorted into their parts.
#[derive(Debug, PartialEq, Eq)]
pub struct Cast<'a> {
    /// Who wrote it.
    pub sender: Option<&'a Person>,
    /// Everybody else who is in the chat and is not the owner.
    pub others: Vec<&'a Person>,
    /// The owner, if the payload shows them.
    pub owner: Option<&'a Person>,
    /// The other party of a one-to-one chat.
    pub counterparty: Option<&'a Person>,
}

impl<'a> Cast<'a> {
    /// All of them; the owner may come twice.
    pub fn everybody(&self) -> impl Iterator<Item = &'a Person> {
        self.owner.into_iter().chain(self.sender).chain(self.others.iter().copied())
    }
}

/// Sorts the people of a message. `attendees` may or may not contain the owner and the sender, in any
/// order, so nothing is taken from a position.
#[must_use]
pub fn cast(message: &Received, direction: Direction) -> Cast<'_> {
    let sender = message.sender.as_ref().filter(|person| key(person).is_some());
    let own_sender = sender.filter(|_| direction == Direction::Out);
    let owner = own_sender.or_else(|| {
        message.attendees.iter().find(|person| is_owner(person, &message.owner) == Some(true))
    });
    let is_other = |person: &&Person| {
        key(person).is_some()
            && owner.is_none_or(|owner| !same(owner, person))
            && sender.is_none_or(|sender| !same(sender, person))
    };
    let others: Vec<_> = message.attendees.iter().filter(is_other).collect();
    let counterparty = match direction {
        _ if is_group(message) => None,
        Direction::In => sender,
        Direction::Out => others.first().copied(),
    };
    Cast { sender, others, owner, counterparty }
}

/// Whether the chat is a group: by the payload's word, else by the form of its id.
#[must_use]
pub fn is_group(message: &Received) -> bool {
    let by_id = || message.chat.provider_id.as_deref().is_some_and(jid::is_group);
    message.chat.is_group.unwrap_or_else(by_id) || by_id()
}

/// The id under which a person is kept: UniPile's, else one made from the WhatsApp id.
#[must_use]
pub fn key(person: &Person) -> Option<AttendeeId> {
    let upstream = person.id.clone().filter(|id| !id.as_str().is_empty());
    upstream.or_else(|| {
        let provider = person.provider_id.as_deref().filter(|id| !id.is_empty())?;
        Some(AttendeeId::made_of(&jid::bare(provider)))
    })
}

/// A person's phone number, from the first place that truly holds one: the explicit field, then the
/// public identifier, then the WhatsApp id. A privacy id is never read as a number.
#[must_use]
pub fn phone(person: &Person) -> Option<String> {
    let explicit = person.phone.as_deref().and_then(jid::phone_from_digits);
    explicit
        .or_else(|| person.public_identifier.as_deref().and_then(jid::phone_of))
        .or_else(|| person.provider_id.as_deref().and_then(jid::phone_of))
}

/// A person's privacy id, from the explicit field or the WhatsApp id.
#[must_use]
pub fn lid(person: &Person) -> Option<String> {
    let candidates = [person.lid.as_deref(), person.provider_id.as_deref()];
    candidates.into_iter().flatten().map(jid::bare).find(|id| jid::is_lid(id))
}

/// Whether UniPile itself names the person "owner of this account" rather than a contact.
#[must_use]
pub fn is_self(person: &Person, owner: &OwnerClaim) -> bool {
    is_owner(person, owner) == Some(true)
}

fn same(a: &Person, b: &Person) -> bool {
    let by_phone = || phone(a).zip(phone(b)).is_some_and(|(a, b)| a == b);
    let by_lid = || lid(a).zip(lid(b)).is_some_and(|(a, b)| a == b);
    key(a) == key(b) || by_phone() || by_lid()
}
