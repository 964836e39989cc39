//! Every fixture, and what it is read as.

use crate::support::{fixture, fixtures, parse_value, received_from, statement};
use channel_unipile::digest;
use channel_unipile::v1::webhook::{Parsed, parse};
use serde_json::{Value, json};

#[test]
fn every_fixture_is_read_as_its_snapshot_says() {
    let fixtures = fixtures();
    assert!(fixtures.len() >= 37, "only {} fixtures found", fixtures.len());
    for (name, body) in fixtures {
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_json_snapshot!(name, shown(&parse(&body)));
        });
    }
}

fn shown(parsed: &Parsed) -> Value {
    let mut value = match parsed {
        Parsed::Statement(statement) => json!({
            "statement": { "account": statement.account, "fact": statement.fact },
            "digest": digest(statement).map(|digest| format!("{:032x}", u128::from_be_bytes(digest))),
        }),
        Parsed::Ignored { account, reason, kind } => json!({
            "ignored": { "account": account, "reason": reason.code(), "kind": kind },
        }),
        Parsed::Rejected(rejection) => json!({
            "rejected": {
                "account": rejection.account,
                "field": rejection.field,
                "display": rejection.to_string(),
            },
        }),
    };
    prune(&mut value);
    value
}

/// Leaves out nulls and empty lists, so that a snapshot shows what is there.
fn prune(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.values_mut().for_each(prune);
            object.retain(|_, value| !value.is_null() && *value != json!([]));
        }
        Value::Array(list) => list.iter_mut().for_each(prune),
        _ => {}
    }
}

#[test]
fn both_vocabularies_of_attachments_name_the_same_file() {
    let file = |name| {
        let message = received_from(statement(parse_value(&fixture(name))));
        let [file] = message.attachments.try_into().unwrap();
        file
    };
    let webhook = file("webhook_message_received_image");
    let mut rest = file("webhook_message_received_image_rest_keys");
    assert_eq!((rest.width, rest.height), (Some(1200), Some(900)));
    (rest.width, rest.height) = (None, None);
    assert_eq!(webhook, rest);
}

#[test]
fn a_message_told_with_one_or_both_parties_differs_in_its_attendees_only() {
    let told = |name| received_from(statement(parse_value(&fixture(name))));
    let one = told("webhook_message_received_text");
    let mut both = told("webhook_message_received_text_two_attendees");
    assert_eq!((one.attendees.len(), both.attendees.len()), (1, 2));
    both.attendees.remove(0);
    assert_eq!(one, both);
}
