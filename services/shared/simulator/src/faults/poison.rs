//! Bodies that are not what UniPile v1 sends.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::dice::Dice;
use crate::event::Event;
use crate::ids::Ids;
use crate::webhook::Time;

/// What is wrong with a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Poison {
    /// Cut off in the middle.
    BrokenJson,
    /// Thousands of nested arrays where a text should be.
    DeepNesting,
    /// Bytes that are not UTF-8 inside a text.
    InvalidUtf8,
    /// A text with `\u0000`: valid JSON that databases refuse.
    NulCharacter,
    /// A NUL byte inside a text.
    NulByte,
    /// Larger than a receiver should take.
    Oversize,
    /// An event of UniPile's API v2.
    V2Shaped,
    /// A message whose fields have types that no tenant was ever seen to send.
    WrongTypes,
    /// Numbers beyond all integers.
    HugeNumber,
    /// An event name outside the documented set.
    UnknownKind,
    /// A message of an account that nobody connected.
    UnknownAccount,
    /// An event without the ids that say what it is about.
    MissingIds,
    /// Valid JSON, but not an object.
    NotAnObject,
    /// No bytes at all.
    Empty,
}

impl Poison {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::BrokenJson,
        Self::DeepNesting,
        Self::InvalidUtf8,
        Self::NulCharacter,
        Self::NulByte,
        Self::Oversize,
        Self::V2Shaped,
        Self::WrongTypes,
        Self::HugeNumber,
        Self::UnknownKind,
        Self::UnknownAccount,
        Self::MissingIds,
        Self::NotAnObject,
        Self::Empty,
    ];
}

/// Deep enough to exhaust the stack of a parser without a limit.
const DEPTH: usize = 20_000;

/// Where the bad part goes in a body that is bad in one place only.
const MARK: &str = "@@MARK@@";

/// Makes bad bodies. Their chats and messages are their own, so that whatever a receiver makes of
/// them, the rest of the world stays as it is.
#[derive(Debug)]
pub(super) struct Crafter {
    dice: Dice,
    ids: Ids,
    oversize_bytes: usize,
}

type Crafted = (Option<Arc<str>>, Bytes);

impl Crafter {
    pub(super) fn new(dice: Dice, oversize_bytes: usize) -> Self {
        Self { ids: Ids::apart(dice.clone()), dice, oversize_bytes }
    }

    /// A bad body, and the message id inside where it has one.
    pub(super) fn craft(&mut self, poison: Poison, beside: &Event) -> Crafted {
        let id = self.ids.unipile();
        let mut good = self.message(beside, &id);
        let body = match poison {
            Poison::BrokenJson => self.cut(&good),
            Poison::DeepNesting => splice(&good, deep().as_bytes(), true),
            Poison::InvalidUtf8 => splice(&good, b"caf\xe9 \xff\xfe \xf0\x28\x8c\x28", false),
            Poison::NulCharacter => splice(&good, b"before\\u0000after", false),
            Poison::NulByte => splice(&good, b"before\0after", false),
            Poison::Oversize => splice(&good, &vec![b'x'; self.oversize_bytes], false),
            Poison::HugeNumber => splice(&good, "9".repeat(400).as_bytes(), true),
            Poison::V2Shaped => to_bytes(&v2(beside, &id)),
            Poison::WrongTypes => {
                wrong_types(&mut good);
                to_bytes(&good)
            }
            Poison::UnknownKind => {
                good["event"] = json!("message_teleported");
                to_bytes(&good)
            }
            Poison::UnknownAccount => {
                good["account_id"] = json!(&*self.ids.unipile());
                to_bytes(&good)
            }
            Poison::MissingIds => return (None, to_bytes(&without_ids(good))),
            Poison::NotAnObject => {
                return (None, Bytes::from_static(b"[\"message_received\", 42, null]"));
            }
            Poison::Empty => return (None, Bytes::new()),
        };
        (Some(id), body)
    }

    fn cut(&mut self, good: &Value) -> Bytes {
        let whole = to_bytes(good);
        let keep = 1 + self.dice.below(whole.len().saturating_sub(2));
        whole.slice(..keep)
    }

    /// A message that would be fine.
    fn message(&mut self, beside: &Event, id: &str) -> Value {
        let (phone, lid) = self.ids.person();
        let sender = json!({
            "attendee_id": &*self.ids.unipile(),
            "attendee_provider_id": lid,
            "attendee_name": "Poison",
            "attendee_profile_url": null,
            "attendee_specifics": {
                "provider": "WHATSAPP", "phone_number": format!("+{phone}"), "lid": lid,
            },
            "attendee_public_identifier": format!("{phone}@s.whatsapp.net"),
        });
        json!({
            "event": "message_received",
            "account_id": &*beside.account_id,
            "account_type": "WHATSAPP",
            "account_info": { "type": "WHATSAPP" },
            "webhook_name": "simulated messaging",
            "chat_id": &*self.ids.unipile(),
            "attendees": [sender],
            "sender": sender,
            "subject": null,
            "message": MARK,
            "message_id": id,
            "timestamp": Time(beside.at),
            "attachments": [],
            "is_sender": false,
            "provider_chat_id": lid,
            "provider_message_id": self.ids.provider_message(),
            "is_event": 0,
            "chat_pinned": 0,
            "quoted": null,
            "is_forwarded": null,
            "chat_content_type": null,
            "message_type": null,
            "is_group": false,
            "folder": ["INBOX"],
        })
    }
}

fn to_bytes(value: &Value) -> Bytes {
    value.to_string().into_bytes().into()
}

/// Replaces the mark, with its quotes when `unquoted`.
fn splice(body: &Value, bad: &[u8], unquoted: bool) -> Bytes {
    let text = body.to_string();
    let mark = if unquoted { format!("\"{MARK}\"") } else { MARK.to_owned() };
    let Some((before, after)) = text.split_once(&mark) else {
        return to_bytes(body);
    };
    [before.as_bytes(), bad, after.as_bytes()].concat().into()
}

fn deep() -> String {
    "[".repeat(DEPTH) + &"]".repeat(DEPTH)
}

fn wrong_types(body: &mut Value) {
    body["message"] = json!({ "text": ["not", "a", "string"] });
    body["sender"] = json!(17);
    body["attendees"] = json!("nobody");
    body["timestamp"] = json!([2026, "February"]);
    body["attachments"] = json!(true);
    body["is_sender"] = json!({ "maybe": 0.5 });
    body["folder"] = json!(-1);
}

fn without_ids(mut body: Value) -> Value {
    if let Some(fields) = body.as_object_mut() {
        fields.retain(|key, _| !key.ends_with("_id"));
    }
    body
}

/// The envelope of API v2: `type` with a dot, and the message under `payload`.
fn v2(beside: &Event, id: &str) -> Value {
    json!({
        "id": format!("evt_{id}"),
        "created_at": Time(beside.at),
        "type": "message.new",
        "account_id": &*beside.account_id,
        "payload": {
            "object": "Message",
            "id": id,
            "text": "From the other generation",
            "sender_id": "900000000000002@lid",
            "chat_id": "900000000000002@lid",
            "timestamp": Time(beside.at),
            "is_sender": false,
            "is_hidden": false,
            "is_seen": false,
            "is_delivered": true,
            "is_deleted": false,
            "is_edited": false,
            "is_pinned": false,
            "is_event": false,
            "is_mentionned": false,
            "reactions_counter": [],
            "sender": {
                "object": "User",
                "id": "900000000000002@lid",
                "type": "individual",
                "public_identifier": "15550100002",
                "display_name": "Poison",
            },
            "provider": "whatsapp",
            "attachments": [],
        },
    })
}
