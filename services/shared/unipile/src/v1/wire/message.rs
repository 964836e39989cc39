//! What a message is made of, beside people and files.

use super::json::{Node, Object};
use super::lenient;
use channel_domain::UpstreamMessageId;
use channel_domain::fact::{Quoted, SystemEvent};

/// The text is `message` in webhooks and `text` in REST.
pub(in crate::v1) fn body(root: &Object<'_>) -> Option<String> {
    root.pick(&["message", "text"], lenient::text)
}

/// Calls and system lines come as messages. UniPile gives `event_type` to nothing else, so it is
/// believed where `is_event` is missing.
pub(in crate::v1) fn system_event(root: &Object<'_>) -> Option<SystemEvent> {
    let number = root.pick(&["event_type"], lenient::integer);
    let is_event = root.pick(&["is_event"], lenient::flag);
    is_event
        .unwrap_or(number.is_some())
        .then(|| SystemEvent { number: number.and_then(|number| i32::try_from(number).ok()) })
}

/// UniPile does not document the webhook's `quoted`; it is read as REST's, or as REST's `reply_to`.
pub(in crate::v1) fn quoted(node: &Node<'_>) -> Option<Quoted> {
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
