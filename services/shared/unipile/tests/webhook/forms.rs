//! Every form of a flag, a number, a time and an event's name.

use crate::support::{fact, minimal, parse_value, received, statement};
use channel_domain::fact::{Fact, ReceiptKind, UpstreamStatus};
use channel_unipile::v1::webhook::{IgnoreReason, Parsed, parse};
use serde_json::json;

#[test]
fn a_flag_is_read_in_every_form() {
    let cases = [
        (json!(true), Some(true)),
        (json!(false), Some(false)),
        (json!(1), Some(true)),
        (json!(0), Some(false)),
        (json!("1"), Some(true)),
        (json!("0"), Some(false)),
        (json!("true"), Some(true)),
        (json!("false"), Some(false)),
        (json!("True "), Some(true)),
        (json!(null), None),
        (json!(""), None),
        (json!("yes"), None),
        (json!(2), None),
        (json!(-1), None),
        (json!([true]), None),
        (json!({"value": true}), None),
    ];
    for (form, expected) in cases {
        let message = received(&json!({"is_sender": form, "is_forwarded": form, "hidden": form}));
        assert_eq!(message.is_sender, expected, "{form}");
        let or_not = expected.unwrap_or(false);
        assert_eq!((message.forwarded, message.hidden), (or_not, or_not), "{form}");
    }
    assert_eq!(received(&json!({})).is_sender, None);
}

#[test]
fn a_number_is_read_from_text_and_ignored_where_it_makes_no_sense() {
    let cases = [
        ("48213", Some(48213)),
        ("\"48213\"", Some(48213)),
        ("\" 48213 \"", Some(48213)),
        ("48213.0", Some(48213)),
        ("\"48213.4\"", Some(48213)),
        ("0", Some(0)),
        ("-1", None),
        ("\"-1\"", None),
        ("9223372036854775807", Some(i64::MAX.unsigned_abs())),
        ("9223372036854775808", None),
        ("18446744073709551616", None),
        ("1e30", None),
        ("1e999", None),
        ("-1e999", None),
        ("\"NaN\"", None),
        ("\"inf\"", None),
        ("\"much\"", None),
        ("true", None),
        ("null", None),
        ("[1]", None),
    ];
    for (form, expected) in cases {
        let body = minimal(&json!({"attachments": [{"id": "f", "file_size": "@"}]}));
        let body = body.to_string().replace("\"@\"", form);
        let Fact::Received(message) = statement(parse(body.as_bytes())).fact else {
            panic!("{form}")
        };
        assert_eq!(message.attachments[0].size, expected, "{form}");
    }
}

#[test]
fn a_time_is_read_as_iso_text_and_as_seconds_or_milliseconds() {
    /// 2026-02-01T10:05:12Z
    const AT: i64 = 1_769_940_312_000_000;
    let cases = [
        (json!("2026-02-01T10:05:12.000Z"), Some(AT)),
        (json!("2026-02-01T10:05:12Z"), Some(AT)),
        (json!("2026-02-01T10:05:12.123456Z"), Some(AT + 123_456)),
        (json!("2026-02-01T12:05:12+02:00"), Some(AT)),
        (json!("2026-02-01T04:35:12.000-05:30"), Some(AT)),
        (json!("2026-02-01T12:05:12+0200"), Some(AT)),
        (json!("2026-02-01T10:05:12"), Some(AT)),
        (json!("2026-02-01 10:05:12"), Some(AT)),
        (json!(" 2026-02-01T10:05:12Z "), Some(AT)),
        (json!(1_769_940_312), Some(AT)),
        (json!(1_769_940_312_000_i64), Some(AT)),
        (json!(1_769_940_312.25), Some(AT + 250_000)),
        (json!(1_769_940_312_123.0), Some(AT + 123_000)),
        (json!("1769940312"), Some(AT)),
        (json!("1769940312000"), Some(AT)),
        (json!("1769940312.25"), Some(AT + 250_000)),
        (json!("2026-02-30T10:05:12Z"), None),
        (json!("0001-01-01T00:00:00Z"), None),
        (json!("9999-01-01T00:00:00Z"), None),
        (json!("yesterday"), None),
        (json!(""), None),
        (json!("."), None),
        (json!(0), None),
        (json!(-5), None),
        (json!(i64::MAX), None),
        (json!(i64::MIN), None),
        (json!(1e300), None),
        (json!(-1e300), None),
        (json!(true), None),
        (json!({"seconds": 1_769_940_312}), None),
    ];
    for (form, expected) in cases {
        let sent_at = received(&json!({"timestamp": form})).sent_at;
        assert_eq!(sent_at.map(|at| at.0), expected, "{form}");
    }
}

#[test]
fn an_event_is_known_by_its_aliases() {
    let kind = |fact: &Fact| match fact {
        Fact::Received(_) => "received",
        Fact::Receipt(receipt) if receipt.kind == ReceiptKind::Read => "read",
        Fact::Receipt(_) => "delivered",
        Fact::Edited(_) => "edited",
        Fact::Deleted(_) => "deleted",
        Fact::Reacted(_) => "reaction",
        Fact::Status(_) => "status",
    };
    for name in ["received", "read", "delivered", "edited", "deleted", "reaction"] {
        for spelled in [format!("message_{name}"), format!("message.{name}")] {
            assert_eq!(kind(&fact(&json!({"event": spelled}))), name, "{spelled}");
        }
    }
    for (alias, name) in [
        ("new_message", "received"),
        ("message_edit", "edited"),
        ("message_delete", "deleted"),
        (" MESSAGE_READ ", "read"),
    ] {
        assert_eq!(kind(&fact(&json!({"event": alias}))), name, "{alias}");
    }
}

#[test]
fn every_status_is_read_nested_and_flat_in_any_case() {
    for name in [
        "OK",
        "CONNECTING",
        "ERROR",
        "STOPPED",
        "CREDENTIALS",
        "PERMISSIONS",
        "DELETED",
        "CREATION_SUCCESS",
        "CREATION_FAIL",
        "RECONNECTED",
        "SYNC_SUCCESS",
    ] {
        let expected = UpstreamStatus::from_wire(name).unwrap();
        let lower = name.to_lowercase();
        for body in [
            json!({"AccountStatus": {"account_id": "a1", "message": name}}),
            json!({"AccountStatus": {"account_id": "a1", "message": lower}}),
            json!({"account_id": "a1", "AccountStatus": {"message": name}}),
            json!({"account_id": "a1", "AccountStatus": name}),
            json!({"account_id": "a1", "account_status": name}),
        ] {
            let statement = statement(parse_value(&body));
            assert_eq!(statement.account.as_str(), "a1", "{body}");
            let Fact::Status(status) = statement.fact else { panic!("{body}") };
            assert_eq!(status.status, expected, "{body}");
        }
    }
}

#[test]
fn what_is_not_for_us_is_ignored_with_its_reason() {
    use IgnoreReason::{OtherChannel, UnknownEvent, UnknownStatus};
    let status = |name, kind| json!({"AccountStatus": {"account_id": "a1", "message": name, "account_type": kind}});
    let cases = [
        (minimal(&json!({"event": "message_failed"})), UnknownEvent, "message_failed"),
        (minimal(&json!({"event": "a b\u{0}<é>"})), UnknownEvent, "a_b____"),
        (minimal(&json!({"account_type": "LINKEDIN"})), OtherChannel, "message_received"),
        (minimal(&json!({"account_info": {"type": "SLACK"}})), OtherChannel, "message_received"),
        (status("PAUSED", "WHATSAPP"), UnknownStatus, "PAUSED"),
        (status("OK", "LINKEDIN"), OtherChannel, "OK"),
    ];
    for (body, expected, label) in cases {
        let Parsed::Ignored { account, reason, kind } = parse_value(&body) else {
            panic!("{body}")
        };
        assert_eq!(account.as_ref().map(AsRef::as_ref), Some("a1"), "{body}");
        assert_eq!((reason, kind.as_str()), (expected, label), "{body}");
    }
}

#[test]
fn the_channel_is_taken_for_whatsapp_unless_another_is_named() {
    for kind in [json!("whatsapp"), json!(""), json!(null), json!(7)] {
        received(&json!({"account_type": kind}));
    }
}

#[test]
fn a_system_line_is_one_by_flag_or_by_number() {
    let number = |more| received(&more).event.map(|event| event.number);
    assert_eq!(number(json!({"is_event": 1, "event_type": "8"})), Some(Some(8)));
    assert_eq!(number(json!({"is_event": true})), Some(None));
    assert_eq!(number(json!({"event_type": 3})), Some(Some(3)));
    assert_eq!(number(json!({"is_event": 1, "event_type": 9e15})), Some(None));
    assert_eq!(number(json!({"is_event": 0, "event_type": 0})), None);
    assert_eq!(number(json!({"event_type": null})), None);
}
