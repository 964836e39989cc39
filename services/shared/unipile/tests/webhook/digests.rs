//! What the early filter may drop, and what it may not.

use crate::support::{fixtures, minimal, parse_value, statement};
use channel_domain::fact::Statement;
use channel_unipile::digest;
use channel_unipile::v1::webhook::{Parsed, parse};
use serde_json::{Value, json};
use std::collections::HashMap;

fn of(more: &Value) -> Option<[u8; 16]> {
    digest(&statement(parse_value(&minimal(more))))
}

#[test]
fn only_what_can_never_mean_anything_new_has_a_digest() {
    for (name, body) in fixtures() {
        if let Parsed::Statement(statement) = parse(&body) {
            assert_eq!(digest(&statement).is_some(), statement.fact.is_monotone(), "{name}");
        }
    }
}

#[test]
fn two_fixtures_share_a_digest_only_if_they_say_the_same() {
    let mut seen: HashMap<[u8; 16], Statement> = HashMap::new();
    for (name, body) in fixtures() {
        let Parsed::Statement(statement) = parse(&body) else {
            continue;
        };
        let Some(digest) = digest(&statement) else {
            continue;
        };
        let first = seen.entry(digest).or_insert_with(|| statement.clone());
        assert_eq!(*first, statement, "{name}");
    }
    assert!(seen.len() > 15);
}

#[test]
fn a_retry_with_other_bytes_is_the_same() {
    let tidy = minimal(&json!({"message": "é", "timestamp": "2026-02-01T10:05:12.000Z"}));
    let other = "\n{ \"timestamp\": 1769940312, \"chat_id\":\"c1\", \"new_key\": [1],
        \"message\": \"\\u00e9\", \"message_id\":\"m1\", \"account_id\":\"a1\",
        \"is_sender\": null, \"event\":\"message.received\" }";
    let other = digest(&statement(parse(other.as_bytes())));
    assert!(other.is_some());
    assert_eq!(other, digest(&statement(parse_value(&tidy))));
}

#[test]
fn any_other_claim_is_another_digest() {
    let file = |more: Value| json!({"attachments": [more]});
    let bodies = [
        json!({}),
        json!({"account_id": "a2"}),
        json!({"message_id": "m2"}),
        json!({"chat_id": "c2"}),
        json!({"provider_message_id": "x"}),
        json!({"provider_chat_id": "x"}),
        json!({"message": "x"}),
        json!({"subject": "x"}),
        json!({"is_group": false}),
        json!({"is_group": true}),
        json!({"chat_pinned": true}),
        json!({"is_sender": true}),
        json!({"is_sender": false}),
        json!({"is_forwarded": true}),
        json!({"hidden": true}),
        json!({"is_event": true}),
        json!({"is_event": true, "event_type": 8}),
        json!({"timestamp": 1_769_940_312}),
        json!({"sender": "1@lid"}),
        json!({"sender": {"attendee_name": "1@lid"}}),
        json!({"attendees": ["1@lid"]}),
        json!({"attendees": ["1@lid", "2@lid"]}),
        json!({"account_info": {"phone_number": "x"}}),
        json!({"account_info": {"user_id": "x"}}),
        json!({"quoted": {"provider_id": "x"}}),
        json!({"quoted": {"text": "x"}}),
        file(json!({"id": "f"})),
        file(json!({"id": "f", "type": "img"})),
        file(json!({"id": "f", "mimetype": "image/png"})),
        file(json!({"id": "f", "file_size": 1})),
        file(json!({"id": "f", "file_name": "x"})),
        file(json!({"id": "f", "width": 1})),
        file(json!({"id": "f", "height": 1})),
        file(json!({"id": "f", "duration": 1})),
        file(json!({"id": "f", "unavailable": true})),
        json!({"event": "message_deleted"}),
        json!({"event": "message_read"}),
        json!({"event": "message_read", "timestamp": 1_769_940_312}),
        json!({"event": "message_delivered"}),
    ];
    let digests: HashMap<_, _> = bodies.iter().map(|body| (of(body).unwrap(), body)).collect();
    assert_eq!(digests.len(), bodies.len());
}

#[test]
fn what_a_receipt_or_a_deletion_does_not_claim_does_not_count() {
    for event in ["message_deleted", "message_read"] {
        let bare = of(&json!({"event": event}));
        assert!(bare.is_some());
        assert_eq!(bare, of(&json!({"event": event, "message": "x", "sender": "1@lid"})));
    }
}

/// A stored digest must mean the same after an upgrade. If this fails, raise the version of the encoding.
#[test]
fn the_encoding_has_not_changed() {
    let everything = json!({
        "message": "text", "provider_message_id": "p", "provider_chat_id": "g@g.us", "is_group": true,
        "subject": "s", "chat_pinned": 1, "account_info": {"phone_number": "+1", "user_id": "1@lid"},
        "is_sender": true, "hidden": 1, "is_forwarded": true, "timestamp": 1_769_940_312,
        "is_event": 1, "event_type": 8, "quoted": {"provider_id": "q", "id": "m0", "text": "t"},
        "sender": {"attendee_id": "i", "attendee_name": "n", "attendee_specifics": {"phone_number": "hidden"}},
        "attendees": ["2@lid", "3@lid"],
        "attachments": [{"id": "f", "type": "poll", "mimetype": "x/y", "file_size": 9, "file_name": "n",
            "width": 1, "height": 2, "duration": 3, "unavailable": true}],
    });
    let shown = |more| format!("{:032x}", u128::from_be_bytes(of(more).unwrap()));
    let digests = [
        shown(&everything),
        shown(&json!({"event": "message_read", "timestamp": 1_769_940_312})),
        shown(&json!({"event": "message_deleted"})),
    ];
    let expected = [
        "fecfcc750337f44b066707c0fb88ff3f",
        "f5707ae0f265a2e7b9a780d24d8454d8",
        "6d3a973b920e995b162e89573bb56864",
    ];
    assert_eq!(digests, expected);
}
