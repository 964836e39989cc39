//! Damaged bodies: nothing panics, and damage to what is optional costs no message.

use crate::support::{fixtures, statement};
use channel_domain::fact::Fact;
use channel_unipile::digest;
use channel_unipile::v1::webhook::{Parsed, parse};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value};
use std::mem::{Discriminant, discriminant};

const MARK: &str = "@mutation@";
/// Damage to these may change the outcome.
const REQUIRED: [&str; 5] = ["event", "account_id", "message_id", "chat_id", "account_type"];
/// Keys that the parser looks at, so that arbitrary values reach every branch.
const KEYS: [&str; 34] = [
    "event",
    "account_id",
    "account_type",
    "account_info",
    "type",
    "phone_number",
    "user_id",
    "message_id",
    "chat_id",
    "message",
    "timestamp",
    "sender",
    "attendees",
    "attendee_id",
    "attendee_name",
    "attendee_specifics",
    "lid",
    "attachments",
    "attachment_id",
    "attachment_type",
    "mimetype",
    "size",
    "width",
    "duration",
    "is_sender",
    "is_event",
    "event_type",
    "quoted",
    "text",
    "reaction",
    "reaction_sender",
    "AccountStatus",
    "account_status",
    "id",
];

/// JSON text of any value, with the extremes that a value of a JSON library cannot hold.
fn junk() -> impl Strategy<Value = String> {
    let extreme = select(vec![
        "1e999",
        "-1e999",
        "18446744073709551616",
        "-9223372036854775809",
        "-1",
        "0.5",
        "1e30",
        r#""\ud83d""#,
        r#""\u0000""#,
        r#""""#,
        "null",
        "true",
        "{}",
        "[]",
        "[[[[[]]]]]",
        "[null]",
    ]);
    prop_oneof![extreme.prop_map(str::to_owned), value().prop_map(|value| value.to_string())]
}

fn value() -> impl Strategy<Value = Value> {
    let word = select(vec![
        "message_received",
        "message_reaction",
        "message_read",
        "WHATSAPP",
        "OK",
        "img",
        "1",
        "true",
        "image/png",
        "2026-02-01T10:05:12.000Z",
        "1769940312",
        "a1",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
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

/// A body that tells something of a message.
fn message() -> impl Strategy<Value = Value> {
    let all = fixtures().into_iter().filter(|(name, body)| {
        name.starts_with("webhook_message") && matches!(parse(body), Parsed::Statement(_))
    });
    let bodies = all.map(|(_, body)| serde_json::from_slice(&body).unwrap());
    select(bodies.collect::<Vec<Value>>())
}

/// Every place in a value that may be damaged, as a JSON pointer.
fn optional_places(value: &Value) -> Vec<String> {
    let mut places = Vec::new();
    collect(value, "", &mut places);
    places.retain(|place| !REQUIRED.iter().any(|key| place[1..] == **key));
    places
}

fn collect(value: &Value, at: &str, places: &mut Vec<String>) {
    let below: Vec<(String, &Value)> = match value {
        Value::Object(object) => object.iter().map(|(key, value)| (key.clone(), value)).collect(),
        Value::Array(list) => list.iter().enumerate().map(|(n, v)| (n.to_string(), v)).collect(),
        _ => Vec::new(),
    };
    for (key, value) in below {
        let place = format!("{at}/{key}");
        collect(value, &place, places);
        places.push(place);
    }
}

/// The outcome; whatever was damaged, nothing taken over holds a NUL.
fn tried(body: &[u8]) -> Parsed {
    let parsed = parse(body);
    if let Parsed::Statement(statement) = &parsed {
        assert_eq!(digest(statement).is_some(), statement.fact.is_monotone());
        assert!(!statement.account.as_str().contains('\0'));
        assert!(!has_nul(&serde_json::to_value(&statement.fact).unwrap()));
    }
    parsed
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(list) => list.iter().any(has_nul),
        Value::Object(object) => object.values().any(has_nul),
        _ => false,
    }
}

/// Account, message and kind of fact.
fn subject(parsed: Parsed) -> (String, Option<String>, Discriminant<Fact>) {
    let statement = statement(parsed);
    let message = statement.fact.message().map(ToString::to_string);
    let kind = discriminant(&statement.fact);
    (statement.account.to_string(), message, kind)
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(body in prop::collection::vec(any::<u8>(), 0..512)) {
        tried(&body);
    }

    #[test]
    fn arbitrary_values_never_panic(value in value()) {
        tried(value.to_string().as_bytes());
    }

    #[test]
    fn arbitrary_values_over_a_message_never_panic(
        mut body in message(),
        over in prop::collection::vec((select(&KEYS[..]), value()), 0..8),
    ) {
        for (key, value) in over {
            body[key] = value;
        }
        tried(body.to_string().as_bytes());
    }

    #[test]
    fn damage_to_an_optional_field_costs_no_message(
        body in message(), place in any::<Index>(), junk in junk(),
    ) {
        let places = optional_places(&body);
        let mut damaged = body.clone();
        *damaged.pointer_mut(place.get::<String>(&places)).unwrap() = MARK.into();
        let damaged = damaged.to_string().replace(&format!("\"{MARK}\""), &junk);
        let expected = subject(tried(body.to_string().as_bytes()));
        prop_assert_eq!(subject(tried(damaged.as_bytes())), expected);
    }

    #[test]
    fn a_dropped_optional_field_costs_no_message(body in message(), place in any::<Index>()) {
        let mut damaged = body.clone();
        let places = optional_places(&body);
        let (parent, key) = place.get(&places[..]).rsplit_once('/').unwrap();
        match damaged.pointer_mut(parent).unwrap() {
            Value::Object(object) => drop(object.remove(key)),
            Value::Array(list) => drop(list.remove(key.parse().unwrap())),
            _ => unreachable!(),
        }
        let expected = subject(tried(body.to_string().as_bytes()));
        prop_assert_eq!(subject(tried(damaged.to_string().as_bytes())), expected);
    }

    #[test]
    fn of_a_repeated_key_the_last_counts(body in message(), key in any::<Index>(), junk in junk()) {
        let keys: Vec<_> = body.as_object().unwrap().keys().collect();
        let text = body.to_string();
        let doubled = format!("{{\"{}\":{junk},{}", key.get(&keys[..]), &text[1..]);
        prop_assert_eq!(tried(doubled.as_bytes()), tried(text.as_bytes()));
    }

    #[test]
    fn an_unknown_key_changes_nothing(body in message(), place in any::<Index>(), junk in junk()) {
        let mut places: Vec<_> = optional_places(&body);
        places.retain(|at| body.pointer(at).is_some_and(|value| {
            value.as_object().is_some_and(|object| !object.is_empty())
        }));
        places.push(String::new());
        let mut more = body.clone();
        more.pointer_mut(place.get::<String>(&places)).unwrap()["brand_new"] = MARK.into();
        let more = more.to_string().replace(&format!("\"{MARK}\""), &junk);
        prop_assert_eq!(tried(more.as_bytes()), tried(body.to_string().as_bytes()));
    }

    #[test]
    fn a_body_cut_short_is_refused(body in message(), at in any::<Index>()) {
        let text = body.to_string();
        let cut = tried(&text.as_bytes()[..at.index(text.len())]);
        prop_assert!(matches!(cut, Parsed::Rejected(_)), "{cut:?}");
    }

    #[test]
    fn a_changed_byte_never_panics(body in message(), at in any::<Index>(), byte in any::<u8>()) {
        let mut bytes = body.to_string().into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        tried(&bytes);
    }
}
