//! Messages.

use super::id;
use crate::upstream::{MessageState, ReactionState, SeenBy};
use crate::v1::wire::json::{Node, Object};
use crate::v1::wire::{lenient, message, time};
use channel_domain::fact::Person;
use channel_domain::{AttendeeId, ChatId};

/// A message that names its chat.
pub(in super::super) fn message(root: &Object<'_>) -> Option<MessageState> {
    let chat = lenient::required(root, "chat_id").ok()?;
    in_chat(root, chat.into())
}

/// A message of a chat that is known from elsewhere.
pub(in super::super) fn in_chat(root: &Object<'_>, chat: ChatId) -> Option<MessageState> {
    let flag = |key| root.pick(&[key], lenient::flag);
    let mut received = message::received(id(root)?.into(), chat, root);
    received.sender = sender(root);
    Some(MessageState {
        received,
        edited: flag("edited") == Some(true),
        deleted: flag("deleted") == Some(true),
        delivered: flag("delivered"),
        seen: flag("seen"),
        seen_by: seen_by(root),
        reactions: root.list("reactions").map(|list| list.iter().filter_map(reaction).collect()),
    })
}

/// REST spreads the sender over the message.
fn sender(root: &Object<'_>) -> Option<Person> {
    let person = Person {
        id: root.pick(&["sender_attendee_id"], lenient::id).map(AttendeeId::new),
        provider_id: root.pick(&["sender_id"], lenient::id),
        public_identifier: root.pick(&["sender_public_identifier"], lenient::id),
        ..Person::default()
    };
    (person != Person::default()).then_some(person)
}

/// Each reader with a time, or with `true`.
fn seen_by(root: &Object<'_>) -> Vec<SeenBy> {
    let Some(readers) = root.object("seen_by") else { return Vec::new() };
    let reader = |(id, node): (&str, &Node<'_>)| {
        let provider_id = lenient::id(&Node::Text(id.into()))?;
        let at = time::instant(node);
        (at.is_some() || lenient::flag(node) == Some(true)).then_some(SeenBy { provider_id, at })
    };
    readers.entries().filter_map(reader).collect()
}

fn reaction(node: &Node<'_>) -> Option<ReactionState> {
    let Node::Object(object) = node else { return None };
    Some(ReactionState {
        emoji: message::emoji(node)?,
        provider_id: object.pick(&["sender_id"], lenient::id),
        is_own: object.pick(&["is_sender"], lenient::flag),
    })
}
