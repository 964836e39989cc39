//! Damaged objects: nothing panics, and damage to what is optional costs no object.

use super::{account, attendee, chat, message, page, webhook};
use crate::v1::wire::document;
use crate::v1::wire::json::{Node, Object};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};
use std::fmt::Debug;

const MARK: &str = "@mutation@";
/// Damage to these may cost the object.
const REQUIRED: [&str; 4] = ["/id", "/chat_id", "/type", "/account_type"];
const KEYS: [&str; 34] = [
    "id",
    "chat_id",
    "account_id",
    "type",
    "name",
    "text",
    "timestamp",
    "attachments",
    "size",
    "width",
    "reactions",
    "value",
    "sender_id",
    "seen_by",
    "quoted",
    "reply_to",
    "is_event",
    "event_type",
    "lastMessage",
    "muted_until",
    "read_only",
    "disabledFeatures",
    "unread_count",
    "specifics",
    "phone_number",
    "lid",
    "sources",
    "status",
    "connection_params",
    "im",
    "headers",
    "key",
    "account_ids",
    "events",
];

/// What an object is read as by the reader that it belongs to.
fn read(fixture: &str, body: &str) -> Option<String> {
    fn shown<T: Debug>(item: Option<T>) -> Option<String> {
        item.map(|item| format!("{item:?}"))
    }
    let of = |root: &Object<'_>| match fixture {
        "account_get_whatsapp" => shown(account::account(root)),
        "chat_attendee_get" => shown(attendee::attendee(root)),
        "webhook" => shown(webhook::webhook(root)),
        name if name.starts_with("chat_get") => shown(chat::chat(root)),
        _ => shown(message::message(root)),
    };
    document::read(body.as_bytes(), |node| match node {
        Node::Object(root) => of(root),
        _ => None,
    })
    .flatten()
}

fn fixture(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/rest/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Every kind of object, with the name of its reader.
fn object() -> impl Strategy<Value = (&'static str, Value)> {
    let names = ["account_get_whatsapp", "chat_attendee_get", "chat_get", "chat_get_group"];
    let mut all: Vec<_> = names.into_iter().map(|name| (name, fixture(name))).collect();
    let listed = |name: &str| fixture(name)["items"].as_array().unwrap().clone();
    all.extend(listed("messages_list").into_iter().map(|item| ("message", item)));
    all.extend(listed("webhooks_list").into_iter().map(|item| ("webhook", item)));
    select(all)
}

fn value() -> impl Strategy<Value = Value> {
    let word = select(vec!["WHATSAPP", "OK", "1", "true", "-1", "1769940312", "a1", "reactions"]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        word.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 48, 8, |inner| {
        let object = prop::collection::vec((select(&KEYS[..]), inner.clone()), 0..8);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::from),
            object.prop_map(|entries| {
                let owned = entries.into_iter().map(|(key, value)| (key.to_owned(), value));
                Value::Object(owned.collect::<Map<_, _>>())
            }),
        ]
    })
}

/// JSON text of any value, with the extremes that a value of a JSON library cannot hold.
fn junk() -> impl Strategy<Value = String> {
    let extreme =
        select(vec!["1e999", "18446744073709551616", r#""\ud83d""#, r#""\u0000""#, "[[{}]]"]);
    prop_oneof![extreme.prop_map(str::to_owned), value().prop_map(|value| value.to_string())]
}

fn collect(value: &Value, at: &str, places: &mut Vec<String>) {
    let below: Vec<(String, &Value)> = match value {
        Value::Object(object) => object.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(list) => list.iter().enumerate().map(|(n, v)| (n.to_string(), v)).collect(),
        _ => Vec::new(),
    };
    for (key, value) in below {
        // The keys of `seen_by` are ids.
        let place = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
        collect(value, &place, places);
        places.push(place);
    }
}

fn optional_places(value: &Value) -> Vec<String> {
    let mut places = Vec::new();
    collect(value, "", &mut places);
    places.retain(|place| !REQUIRED.contains(&place.as_str()));
    places
}

/// The value with JSON text in place of what stands there.
fn damaged(value: &Value, place: &str, junk: &str) -> String {
    let mut damaged = value.clone();
    *damaged.pointer_mut(place).unwrap() = MARK.into();
    damaged.to_string().replace(&format!("\"{MARK}\""), junk)
}

proptest! {
    #[test]
    fn arbitrary_values_over_an_object_never_panic(
        (name, mut body) in object(),
        over in prop::collection::vec((select(&KEYS[..]), value()), 0..8),
    ) {
        for (key, value) in over {
            body[key] = value;
        }
        read(name, &body.to_string());
    }

    #[test]
    fn damage_to_an_optional_field_costs_no_object(
        (name, body) in object(), place in any::<Index>(), junk in junk(),
    ) {
        let places = optional_places(&body);
        let text = damaged(&body, place.get::<String>(&places), &junk);
        let shown = read(name, &text);
        prop_assert!(shown.is_some(), "{text}");
        prop_assert!(!shown.unwrap().contains('\0'));
    }

    #[test]
    fn an_unknown_key_changes_nothing((name, body) in object(), junk in junk()) {
        let mut more = body.clone();
        more["brand_new"] = MARK.into();
        let more = more.to_string().replace(&format!("\"{MARK}\""), &junk);
        prop_assert_eq!(read(name, &more), read(name, &body.to_string()));
    }

    #[test]
    fn a_damaged_item_costs_a_page_nothing_else(at in any::<Index>(), junk in junk()) {
        let list = fixture("messages_list");
        let count = list["items"].as_array().unwrap().len();
        let at = at.index(count);
        let text = damaged(&list, &format!("/items/{at}"), &junk);
        let read = |text: &str| document::read(text.as_bytes(), |node| match node {
            Node::Object(root) => page(root, message::message).ok(),
            _ => None,
        }).flatten().unwrap();
        let (mut whole, found) = (read(&list.to_string()), read(&text));
        whole.items.remove(at);
        // The junk may happen to be a message.
        if found.skipped == 1 {
            prop_assert_eq!(found.items, whole.items);
            prop_assert_eq!(found.next, whole.next);
        }
    }
}

fn chat_with(more: &Value) -> crate::upstream::Chat {
    let mut body = json!({"id": "c1"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let read = |node: &Node<'_>| match node {
        Node::Object(root) => chat::chat(root),
        _ => None,
    };
    document::read(body.to_string().as_bytes(), read).flatten().unwrap()
}

#[test]
fn a_chat_is_read_in_all_the_forms_that_its_fields_have() {
    let muted = |form: Value| chat_with(&json!({"muted_until": form})).muted_until.map(|at| at.0);
    let at = Some(1_769_940_312_000_000);
    assert_eq!(muted(json!(-1)), Some(i64::MAX));
    assert_eq!(muted(json!("-1")), Some(i64::MAX));
    assert_eq!(muted(json!("2026-02-01T10:05:12.000Z")), at);
    assert_eq!(muted(json!(1_769_940_312_000_i64)), at);
    assert_eq!((muted(json!(null)), muted(json!(true))), (None, None));
    let closed = |form: Value| chat_with(&json!({"read_only": form})).read_only;
    for (form, expected) in [
        (json!(0), Some(false)),
        (json!(1), Some(true)),
        (json!(2), Some(true)),
        (json!("2"), Some(true)),
        (json!(false), Some(false)),
        (json!(null), None),
        (json!([]), None),
    ] {
        assert_eq!(closed(form.clone()), expected, "{form}");
    }
    let group = chat_with(&json!({"provider_id": "1@g.us", "name": "Group"}));
    assert_eq!((group.claim.is_group, group.claim.subject.as_deref()), (Some(true), Some("Group")));
    let unknown = chat_with(&json!({"name": "Who?", "type": 9}));
    assert_eq!((unknown.kind, unknown.claim.subject, unknown.counterparty), (None, None, None));
}
