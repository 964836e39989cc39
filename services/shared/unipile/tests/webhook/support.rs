//! Fixtures, and bodies made from a minimal one.

use channel_domain::fact::{Fact, Received, Statement};
use channel_unipile::v1::webhook::{Parsed, parse};
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;

/// Name and bytes of every fixture, by name.
pub(crate) fn fixtures() -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let json = files.filter(|path| path.extension().is_some_and(|end| end == "json"));
    let mut fixtures: Vec<_> = json
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, fs::read(path).unwrap())
        })
        .collect();
    fixtures.sort();
    fixtures
}

pub(crate) fn fixture(name: &str) -> Value {
    let path = format!("{}/tests/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// The least body that tells of a message, with `more` laid over it.
pub(crate) fn minimal(more: &Value) -> Value {
    let mut body = json!({
        "event": "message_received", "account_id": "a1", "message_id": "m1", "chat_id": "c1",
    });
    let object = body.as_object_mut().unwrap();
    object.extend(more.as_object().unwrap().clone());
    body
}

pub(crate) fn parse_value(body: &Value) -> Parsed {
    parse(body.to_string().as_bytes())
}

pub(crate) fn statement(parsed: Parsed) -> Statement {
    match parsed {
        Parsed::Statement(statement) => statement,
        other => panic!("expected a statement, got {other:?}"),
    }
}

pub(crate) fn fact(more: &Value) -> Fact {
    statement(parse_value(&minimal(more))).fact
}

/// What a body says of the message that it tells of.
pub(crate) fn received(more: &Value) -> Received {
    received_from(statement(parse_value(&minimal(more))))
}

pub(crate) fn received_from(statement: Statement) -> Received {
    match statement.fact {
        Fact::Received(received) => *received,
        other => panic!("expected a message, got {other:?}"),
    }
}
