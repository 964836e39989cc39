//! Each way in which a body cannot be understood, and that the reason is told without its content.

use crate::support::{minimal, parse_value};
use channel_unipile::v1::webhook::{Parsed, Rejection, parse};
use serde_json::{Value, json};

fn rejection(body: &[u8]) -> Rejection {
    match parse(body) {
        Parsed::Rejected(rejection) => rejection,
        other => panic!("expected a rejection, got {other:?}"),
    }
}

#[test]
fn each_fault_has_its_own_reason() {
    let deep = format!("{}1{}", "[".repeat(101), "]".repeat(101));
    let endless = "{\"a\":".repeat(50_000);
    let cases: [(&[u8], &str); 19] = [
        (b"", "EMPTY"),
        (b" \n", "EMPTY"),
        (b"\xef\xbb\xbf", "EMPTY"),
        (b"{\"event\":\"\xff\"}", "NOT_UTF8"),
        (b"\x00", "NOT_JSON"),
        (b"hello", "NOT_JSON"),
        (b"{\"event\":}", "NOT_JSON"),
        (b"{\"event\":\"a\"} x", "NOT_JSON"),
        (b"{\"event\":\"a\x01\"}", "NOT_JSON"),
        (b"{'event':'a'}", "NOT_JSON"),
        (b"{\"event\":\"message", "TRUNCATED"),
        (b"{\"event\"", "TRUNCATED"),
        (b"event=message_received&account_id=a1", "FORM_ENCODED"),
        (b"account_info%5Btype%5D=WHATSAPP", "FORM_ENCODED"),
        (b"[{\"event\":\"message_received\"}]", "NOT_AN_OBJECT"),
        (b"null", "NOT_AN_OBJECT"),
        (b"\"event\"", "NOT_AN_OBJECT"),
        (deep.as_bytes(), "TOO_DEEP"),
        (endless.as_bytes(), "TOO_DEEP"),
    ];
    for (body, code) in cases {
        let shown = String::from_utf8_lossy(&body[..body.len().min(40)]);
        assert_eq!(rejection(body).reason.code(), code, "{shown}");
    }
}

#[test]
fn a_byte_order_mark_and_blanks_around_the_json_do_no_harm() {
    let body = format!("\u{feff} \n{}\n ", minimal(&json!({})));
    assert!(matches!(parse(body.as_bytes()), Parsed::Statement(_)));
}

#[test]
fn a_body_just_within_the_depth_is_read() {
    let deep = format!("{}1{}", "[".repeat(99), "]".repeat(99));
    let body = minimal(&json!({"x": "@"})).to_string().replace("\"@\"", &deep);
    assert!(matches!(parse(body.as_bytes()), Parsed::Statement(_)));
}

fn names_the_field(body: &Value, code: &str, field: &str) {
    let rejection = rejection(body.to_string().as_bytes());
    assert_eq!((rejection.reason.code(), rejection.field), (code, Some(field)), "{body}");
}

#[test]
fn a_missing_field_is_named() {
    for key in ["event", "account_id", "message_id", "chat_id"] {
        let mut body = minimal(&json!({}));
        body.as_object_mut().unwrap().remove(key);
        names_the_field(&body, "MISSING_FIELD", key);
        for blank in [json!(null), json!(""), json!(" \n")] {
            names_the_field(&minimal(&json!({key: blank})), "MISSING_FIELD", key);
        }
    }
}

#[test]
fn a_required_field_of_another_type_is_named() {
    for key in ["event", "account_id", "message_id", "chat_id"] {
        for odd in [json!(5), json!(1.5), json!(true), json!(["c"]), json!({"id": "c"})] {
            names_the_field(&minimal(&json!({key: odd})), "WRONG_TYPE", key);
        }
    }
    let both = minimal(&json!({"event": 5, "type": "message.new"}));
    names_the_field(&both, "WRONG_TYPE", "event");
}

#[test]
fn an_id_that_cannot_be_kept_exactly_is_named() {
    let longest = "x".repeat(512);
    for key in ["account_id", "message_id", "chat_id"] {
        for bad in [format!("{longest}x"), "a\u{0}".into(), "a\nb".into()] {
            names_the_field(&minimal(&json!({key: bad})), "BAD_ID", key);
        }
        assert!(matches!(parse_value(&minimal(&json!({key: longest}))), Parsed::Statement(_)));
    }
}

#[test]
fn the_fault_of_a_status_is_named() {
    let status = |report| json!({"AccountStatus": report});
    let name = "AccountStatus.message";
    names_the_field(&status(json!({"message": "OK"})), "MISSING_FIELD", "account_id");
    names_the_field(&status(json!({"account_id": "a"})), "MISSING_FIELD", name);
    names_the_field(&status(json!({"account_id": "a", "message": " "})), "MISSING_FIELD", name);
    names_the_field(&status(json!({"message": 5})), "WRONG_TYPE", name);
    names_the_field(&status(json!(5)), "WRONG_TYPE", "AccountStatus");
}

#[test]
fn the_account_is_told_where_it_is_known() {
    let told = |body: Value| rejection(body.to_string().as_bytes()).account;
    let account = |body| told(body).map(|account| account.as_str().to_owned());
    assert_eq!(account(minimal(&json!({"chat_id": null}))).as_deref(), Some("a1"));
    assert_eq!(account(minimal(&json!({"event": null}))).as_deref(), Some("a1"));
    let status = json!({"AccountStatus": {"account_id": "a1"}});
    assert_eq!(account(status).as_deref(), Some("a1"));
    assert_eq!(account(minimal(&json!({"account_id": "a\u{0}"}))), None);
}

#[test]
fn an_event_of_the_next_generation_is_recognised_and_not_mistaken_for_ours() {
    let v2 = json!({"type": "message.new", "account_id": "acc", "payload": {}});
    assert_eq!(rejection(v2.to_string().as_bytes()).reason.code(), "V2_EVENT");
    assert!(matches!(parse_value(&minimal(&json!({"type": "a.b"}))), Parsed::Statement(_)));
}

#[test]
fn no_rejection_repeats_the_body() {
    let secret = "SECRET";
    for body in [
        format!("{{\"message\":\"{secret}\" {secret}"),
        format!("{secret}={secret}"),
        format!("{{\"event\":\"{secret}"),
        format!("\"{secret}\""),
        minimal(&json!({"message": secret, "chat_id": {secret: secret}})).to_string(),
        minimal(&json!({"message": secret, "event": [secret]})).to_string(),
        json!({"AccountStatus": {secret: secret}}).to_string(),
        json!({"type": format!("{secret}.{secret}")}).to_string(),
    ] {
        let rejection = rejection(body.as_bytes());
        assert!(!format!("{rejection:?} {rejection}").contains(secret), "{body}");
    }
}
