//! The names of events.

use crate::v1::wire::json::{Node, Object};

/// What happened to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    Received,
    Read,
    Delivered,
    Edited,
    Deleted,
    Reaction,
}

impl Event {
    /// Reads the name: the documented one, an older spelling with a dot (`message.received`), or a label
    /// of the dashboard (`new_message`). Case does not count.
    fn from_wire(name: &str) -> Option<Self> {
        let name = name.trim().to_ascii_lowercase().replace('.', "_");
        Some(match name.as_str() {
            "message_received" | "new_message" => Self::Received,
            "message_read" => Self::Read,
            "message_delivered" => Self::Delivered,
            "message_edited" | "message_edit" => Self::Edited,
            "message_deleted" | "message_delete" => Self::Deleted,
            "message_reaction" => Self::Reaction,
            _ => return None,
        })
    }

    /// The event of a body, if it is a known one.
    pub(super) fn of(root: &Object<'_>) -> Option<Self> {
        Self::from_wire(name(root)?)
    }
}

/// The event's name, if there is one.
pub(super) fn name<'a>(root: &'a Object<'_>) -> Option<&'a str> {
    match root.get("event")? {
        Node::Text(name) if !name.trim().is_empty() => Some(name),
        _ => None,
    }
}

/// Whether a body, or a part of one, says that it is about another network than WhatsApp.
pub(super) fn is_other_channel(part: &Object<'_>) -> bool {
    let from_info = || part.object("account_info")?.pick(&["type"], channel);
    let named = part.pick(&["account_type"], channel).or_else(from_info);
    named.is_some_and(|channel| !channel.eq_ignore_ascii_case("WHATSAPP"))
}

fn channel(node: &Node<'_>) -> Option<String> {
    let Node::Text(name) = node else { return None };
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

/// A sender's word made fit to be shown and stored.
pub(super) fn label(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let shown = name.trim().chars().take(64);
    shown.map(|c| if plain(c) { c } else { '_' }).collect()
}
