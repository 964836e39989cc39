//! What a message is made of, beside people and files.

use super::json::{Node, Object};
use super::{attachment, lenient, person, time};
use channel_domain::fact::{ChatClaim, Quoted, Received, SystemEvent};
use channel_domain::{ChatId, UpstreamMessageId};

/// A message, told by a webhook or as a REST object.
pub(in crate::v1) fn received(
    message: UpstreamMessageId,
    chat: ChatId,
    root: &Object<'_>,
) -> Received {
    let chat = self::chat(chat, root);
    let flag = |keys: &[&str]| root.pick(keys, lenient::flag);
    Received {
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
    }
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

/// The text is `message` in webhooks and `text` in REST.
pub(in crate::v1) fn body(root: &Object<'_>) -> Option<String> {
    root.pick(&["message", "text"], lenient::text)
}

/// Calls and system lines come as messages. UniPile gives `event_type` to nothing else, so it is
/// believed where `is_event` is missing.
fn system_event(root: &Object<'_>) -> Option<SystemEvent> {
    let number = root.pick(&["event_type"], lenient::integer);
    let is_event = root.pick(&["is_event"], lenient::flag);
    is_event
        .unwrap_or(number.is_some())
        .then(|| SystemEvent { number: number.and_then(|number| i32::try_from(number).ok()) })
}

/// UniPile does not document the webhook's `quoted`; it is read as REST's, or as REST's `reply_to`.
fn quoted(node: &Node<'_>) -> Option<Quoted> {
    let Node::Object(object) = node else {
        return None;
    };
    let message = object.pick(&["message_id", "id"], lenient::id);
    let quoted = Quoted {
        provider_id: object.pick(&["provider_id", "provider_message_id"], lenient::id),
        message: message.map(UpstreamMessageId::new),
        sender_id: object.pick(&["sender_id"], lenient::id),
        text: object.pick(&["text", "message"], lenient::text),
    };
    let names_it = quoted.provider_id.is_some() || quoted.message.is_some();
    (names_it || quoted.text.is_some()).then_some(quoted)
}

/// The emoji itself, or within an object as in REST.
pub(in crate::v1) fn emoji(node: &Node<'_>) -> Option<String> {
    match node {
        Node::Object(object) => object.pick(&["value"], lenient::name),
        _ => lenient::name(node),
    }
}
