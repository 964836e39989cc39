//! Chats.

use super::{id, message, texts};
use crate::upstream::Chat;
use crate::v1::wire::json::{Node, Object};
use crate::v1::wire::{lenient, time};
use channel_domain::chat::ChatKind;
use channel_domain::fact::{ChatClaim, Person};
use channel_domain::{ChatId, Micros, jid};

/// A chat of WhatsApp.
pub(in super::super) fn chat(root: &Object<'_>) -> Option<Chat> {
    let network = root.pick(&["account_type"], lenient::name);
    if network.is_some_and(|network| !network.trim().eq_ignore_ascii_case("WHATSAPP")) {
        return None;
    }
    let claim = claim(root, id(root)?.into());
    let kind = kind(root, claim.provider_id.as_deref());
    let disabled = texts(root, "disabledFeatures");
    let is_disabled = |feature: &str| disabled.iter().any(|d| d.eq_ignore_ascii_case(feature));
    let last = root.object("lastMessage");
    Some(Chat {
        counterparty: counterparty(root, kind, &claim),
        kind,
        active_at: root.pick(&["timestamp"], time::instant),
        unread: root.pick(&["unread_count"], lenient::count).and_then(|n| u32::try_from(n).ok()),
        archived: root.pick(&["archived"], lenient::flag),
        muted_until: root.pick(&["muted_until"], muted_until),
        read_only: root.pick(&["read_only"], non_zero),
        no_reactions: is_disabled("reactions"),
        no_replies: is_disabled("reply"),
        last_message: last.and_then(|last| message::in_chat(last, claim.id.clone())),
        claim,
    })
}

/// The name is a subject in groups only; elsewhere it is a person's.
fn claim(root: &Object<'_>, id: ChatId) -> ChatClaim {
    let provider_id = root.pick(&["provider_id"], lenient::id);
    let kind = kind(root, provider_id.as_deref());
    let has_subject = matches!(kind, Some(ChatKind::Group | ChatKind::Channel));
    ChatClaim {
        id,
        provider_id,
        is_group: kind.map(|kind| kind == ChatKind::Group),
        subject: if has_subject { root.pick(&["subject", "name"], lenient::name) } else { None },
        pinned: root.pick(&["pinned"], lenient::flag),
    }
}

fn kind(root: &Object<'_>, provider_id: Option<&str>) -> Option<ChatKind> {
    let number = root.pick(&["type"], lenient::integer).and_then(|n| i16::try_from(n).ok());
    let by_id = || provider_id.is_some_and(jid::is_group).then_some(ChatKind::Group);
    number.and_then(ChatKind::from_number).or_else(by_id)
}

fn counterparty(root: &Object<'_>, kind: Option<ChatKind>, claim: &ChatClaim) -> Option<Person> {
    if kind != Some(ChatKind::Single) {
        return None;
    }
    let provider_id = root.pick(&["attendee_provider_id"], lenient::id);
    let person = Person {
        provider_id: provider_id.or_else(|| claim.provider_id.clone()),
        public_identifier: root.pick(&["attendee_public_identifier"], lenient::id),
        name: root.pick(&["name"], lenient::name),
        ..Person::default()
    };
    (person != Person::default()).then_some(person)
}

/// -1 is for ever.
fn muted_until(node: &Node<'_>) -> Option<Micros> {
    match lenient::integer(node) {
        Some(-1) => Some(Micros(i64::MAX)),
        _ => time::instant(node),
    }
}

/// UniPile has 0, 1 and 2.
fn non_zero(node: &Node<'_>) -> Option<bool> {
    let number = || lenient::integer(node).map(|number| number != 0);
    lenient::flag(node).or_else(number)
}
