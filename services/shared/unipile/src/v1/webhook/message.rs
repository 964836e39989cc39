//! Events about a message.

use super::event::Event;
use super::outcome::Rejection;
use super::required_id;
use crate::v1::wire::json::Object;
use crate::v1::wire::message::{body, emoji, received};
use crate::v1::wire::{person, time};
use channel_domain::UpstreamMessageId;
use channel_domain::fact::{Deleted, Edited, Fact, Reacted, Receipt, ReceiptKind};

/// Reads an event about a message.
///
/// # Errors
///
/// If `message_id` is missing or bad, or `chat_id` where the message itself is told.
pub(super) fn fact(event: Event, root: &Object<'_>) -> Result<Fact, Rejection> {
    let message: UpstreamMessageId = required_id(root, "message_id")?;
    Ok(match event {
        Event::Received => {
            let chat = required_id(root, "chat_id")?;
            Fact::Received(Box::new(received(message, chat, root)))
        }
        Event::Read => Fact::Receipt(receipt(message, ReceiptKind::Read, root)),
        Event::Delivered => Fact::Receipt(receipt(message, ReceiptKind::Delivered, root)),
        // An edit without a text has to be read again; so has one to nothing, which may be either.
        Event::Edited => Fact::Edited(Edited { message, text: body(root) }),
        Event::Deleted => Fact::Deleted(Deleted { message }),
        Event::Reaction => Fact::Reacted(Box::new(reacted(message, root))),
    })
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
