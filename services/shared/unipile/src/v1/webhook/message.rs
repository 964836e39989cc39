//! Events about a message.

use super::event::Event;
use super::outcome::Rejection;
use super::required_id;
use crate::v1::wire::json::Object;
use crate::v1::wire::message::{body, emoji, quoted, system_event};
use crate::v1::wire::{attachment, lenient, person, time};
use channel_domain::fact::{
    ChatClaim, Deleted, Edited, Fact, Reacted, Receipt, ReceiptKind, Received,
};
use channel_domain::{ChatId, UpstreamMessageId};

/// Reads an event about a message.
///
/// # Errors
///
/// If `message_id` is missing or bad, or `chat_id` where the message itself is told.
pub(super) fn fact(event: Event, root: &Object<'_>) -> Result<Fact, Rejection> {
    let message: UpstreamMessageId = required_id(root, "message_id")?;
    Ok(match event {
        Event::Received => Fact::Received(Box::new(received(message, root)?)),
        Event::Read => Fact::Receipt(receipt(message, ReceiptKind::Read, root)),
        Event::Delivered => Fact::Receipt(receipt(message, ReceiptKind::Delivered, root)),
        // An edit without a text has to be read again; so has one to nothing, which may be either.
        Event::Edited => Fact::Edited(Edited { message, text: body(root) }),
        Event::Deleted => Fact::Deleted(Deleted { message }),
        Event::Reaction => Fact::Reacted(Box::new(reacted(message, root))),
    })
}

fn received(message: UpstreamMessageId, root: &Object<'_>) -> Result<Received, Rejection> {
    let chat = chat(required_id(root, "chat_id")?, root);
    let flag = |keys: &[&str]| root.pick(keys, lenient::flag);
    Ok(Received {
        message,
        provider_id: root.pick(&["provider_message_id", "provider_id"], lenient::id),
        chat,
        owner: person::owner(root),
        is_sender: flag(&["is_sender"]),
        sender: person::sender(root),
        attendees: person::attendees(root),
        text: body(root),
        attachments: attachment::attachments(root),
        sent_at: root.pick(&["timestamp"], time::instant),
        event: system_event(root),
        hidden: flag(&["hidden", "is_hidden"]).unwrap_or(false),
        forwarded: flag(&["is_forwarded", "forwarded"]).unwrap_or(false),
        quoted: root.pick(&["quoted", "reply_to"], quoted),
    })
}

fn chat(id: ChatId, root: &Object<'_>) -> ChatClaim {
    ChatClaim {
        id,
        provider_id: root.pick(&["provider_chat_id", "chat_provider_id"], lenient::id),
        is_group: root.pick(&["is_group"], lenient::flag),
        subject: root.pick(&["subject"], lenient::name),
        pinned: root.pick(&["chat_pinned", "pinned"], lenient::flag),
    }
}

fn receipt(message: UpstreamMessageId, kind: ReceiptKind, root: &Object<'_>) -> Receipt {
    Receipt { message, kind, claimed_at: root.pick(&["timestamp"], time::instant) }
}

/// `sender` may be the author of the message reacted to, so only `reaction_sender` counts as the actor;
/// without it the actor stays empty.
fn reacted(message: UpstreamMessageId, root: &Object<'_>) -> Reacted {
    let actor = root.pick(&["reaction_sender"], person::person);
    Reacted {
        message,
        actor: actor.unwrap_or_default(),
        owner: person::owner(root),
        emoji: root.pick(&["reaction"], emoji),
    }
}
