//! Bodies have the keys, types and order of the captured ones.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use channel_simulator::{AccountStatus, Event, Faults, Kind, Mix, Script, SimulatorConfig, bodies};
use serde_json::Value;

const EVENTS: usize = 20_000;

/// One account, so that every body is in the dialect of the captured ones.
fn config() -> SimulatorConfig {
    let mix = Mix { text: 150, call: 20, system: 20, unknown_notice: 10, ..Mix::default() };
    let load = SimulatorConfig::load(11, EVENTS as u64);
    SimulatorConfig {
        accounts: 1,
        contacts: 12,
        announce_accounts: true,
        commutative: false,
        mix,
        ..load
    }
}

/// The first event of each kind in a chat of two with the plainest contact.
fn samples() -> BTreeMap<Kind, Event> {
    let config = SimulatorConfig { contacts: 1, groups: 0, ..config() };
    let mut samples = BTreeMap::new();
    for event in bodies(&config) {
        samples.entry(event.kind).or_insert(event);
    }
    samples
}

fn fixture(name: &str) -> Value {
    let path =
        format!("{}/../unipile/tests/fixtures/webhook_{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Every path of a body with the type of what is there; list items share one path.
fn paths(value: &Value, at: &str, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            into.insert(format!("{at}: object"));
            fields.iter().for_each(|(key, value)| paths(value, &format!("{at}.{key}"), into));
        }
        Value::Array(items) => {
            into.insert(format!("{at}: array"));
            for item in items {
                paths(item, &format!("{at}[]"), into);
            }
        }
        Value::String(_) => drop(into.insert(format!("{at}: string"))),
        Value::Number(_) => drop(into.insert(format!("{at}: number"))),
        Value::Bool(_) => drop(into.insert(format!("{at}: bool"))),
        Value::Null => drop(into.insert(format!("{at}: null"))),
    }
}

fn shape(value: &Value) -> BTreeSet<String> {
    let mut into = BTreeSet::new();
    paths(value, "", &mut into);
    into
}

fn keys_in_order(bytes: &[u8]) -> Vec<String> {
    // A map in text order, whatever the map type of `Value` is.
    struct Keys(Vec<String>);
    impl<'de> serde::Deserialize<'de> for Keys {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Visitor;
            impl<'de> serde::de::Visitor<'de> for Visitor {
                type Value = Keys;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("an object")
                }
                fn visit_map<A: serde::de::MapAccess<'de>>(
                    self,
                    mut map: A,
                ) -> Result<Keys, A::Error> {
                    let mut keys = Vec::new();
                    while let Some((key, _)) = map.next_entry::<String, serde::de::IgnoredAny>()? {
                        keys.push(key);
                    }
                    Ok(Keys(keys))
                }
            }
            deserializer.deserialize_map(Visitor)
        }
    }
    serde_json::from_slice::<Keys>(bytes).unwrap().0
}

#[test]
fn every_kind_with_a_fixture_has_exactly_its_shape() {
    let samples = samples();
    let pairs = [
        (Kind::Text, "message_received_text"),
        (Kind::FromPhone, "message_received_api_echo"),
        (Kind::Document, "message_received_document"),
        (Kind::Reply, "message_received_quoted"),
        (Kind::UnknownNotice, "message_received_unknown_event"),
        (Kind::Delivered, "message_delivered"),
        (Kind::Read, "message_read"),
        (Kind::Edited, "message_edited"),
        (Kind::Deleted, "message_deleted"),
        (Kind::Reaction, "message_reaction"),
        (Kind::AccountStatus, "account_status_ok"),
    ];
    for (kind, name) in pairs {
        let Some(sample) = samples.get(&kind) else { panic!("no event of kind {kind:?}") };
        let body: Value = serde_json::from_slice(&sample.body).unwrap();
        // What was quoted, edited or reacted to may carry a quote, a file or a reply itself.
        let ours: BTreeSet<_> = shape(&body).into_iter().filter(|path| plain(kind, path)).collect();
        let theirs: BTreeSet<_> =
            shape(&fixture(name)).into_iter().filter(|path| plain(kind, path)).collect();
        assert_eq!(ours, theirs, "{kind:?} against {name}");
    }
}

fn plain(kind: Kind, path: &str) -> bool {
    let changes = matches!(
        kind,
        Kind::Delivered
            | Kind::Read
            | Kind::Edited
            | Kind::Deleted
            | Kind::Reaction
            | Kind::FromPhone
    );
    let content = [".quoted", ".attachments[]", ".message:", ".is_forwarded"];
    !(changes && content.iter().any(|part| path.starts_with(part)))
}

#[test]
fn an_image_has_the_shape_of_the_fixture_whether_it_has_a_caption_or_not() {
    let image = &samples()[&Kind::Image];
    let ours = shape(&serde_json::from_slice(&image.body).unwrap());
    let mut theirs = shape(&fixture("message_received_image"));
    if ours.contains(".message: null") {
        theirs.remove(".message: string");
        theirs.insert(".message: null".to_owned());
    }
    assert_eq!(ours, theirs);
}

#[test]
fn keys_come_in_the_order_of_the_captured_body() {
    let samples = samples();
    for (kind, name) in
        [(Kind::Text, "message_received_text"), (Kind::Reaction, "message_reaction")]
    {
        let path =
            format!("{}/../unipile/tests/fixtures/webhook_{name}.json", env!("CARGO_MANIFEST_DIR"));
        let theirs = keys_in_order(&std::fs::read(path).unwrap());
        assert_eq!(keys_in_order(&samples[&kind].body), theirs, "{kind:?}");
    }
}

#[test]
fn one_body_of_each_kind_is_as_it_was() {
    let mut text = String::new();
    for (kind, event) in samples() {
        let body = std::str::from_utf8(&event.body).unwrap();
        let _ = writeln!(text, "{kind:?}\n{body}\n");
    }
    insta::assert_snapshot!(text);
}

#[test]
fn every_kind_of_the_mix_occurs() {
    let seen: BTreeSet<Kind> = bodies(&config()).map(|event| event.kind).collect();
    let expected = [
        Kind::Text,
        Kind::FromPhone,
        Kind::Image,
        Kind::Video,
        Kind::Voice,
        Kind::Document,
        Kind::MediaUnavailable,
        Kind::Reply,
        Kind::Forwarded,
        Kind::Unsupported,
        Kind::Call,
        Kind::System,
        Kind::UnknownNotice,
        Kind::Delivered,
        Kind::Read,
        Kind::Edited,
        Kind::Deleted,
        Kind::Reaction,
        Kind::ReactionRemoved,
        Kind::AccountStatus,
        Kind::AccountStatusFlat,
    ];
    assert_eq!(seen, BTreeSet::from(expected));
}

#[test]
fn ids_and_times_have_the_forms_of_real_ones() {
    for event in bodies(&config()).take(2_000) {
        let body: Value = serde_json::from_slice(&event.body).unwrap();
        let Some(id) = body["message_id"].as_str() else {
            continue;
        };
        assert_eq!(id.len(), 22);
        assert_eq!(body["account_id"].as_str(), Some(&*event.account_id));
        assert_eq!(event.message_id.as_deref(), Some(id));
        let provider_id = body["provider_message_id"].as_str().unwrap();
        assert!(provider_id.starts_with("3A") && provider_id.len() == 20);
        let timestamp = body["timestamp"].as_str().unwrap();
        assert_eq!(timestamp.get(19..), Some(".000Z"), "{timestamp}");
        let chat = body["provider_chat_id"].as_str().unwrap();
        assert_eq!(body["is_group"].as_bool().unwrap(), chat.ends_with("@g.us"));
    }
}

#[test]
fn some_people_hide_their_numbers_and_groups_carry_their_subject() {
    let bodies: Vec<Value> = bodies(&SimulatorConfig { contacts: 40, ..config() })
        .filter_map(|event| serde_json::from_slice(&event.body).ok())
        .collect();
    let phone = |body: &Value| body["sender"]["attendee_specifics"]["phone_number"].clone();
    assert!(bodies.iter().any(|body| phone(body) == "hidden"));
    assert!(bodies.iter().any(|body| body["sender"].is_object() && phone(body).is_null()));
    assert!(bodies.iter().all(|body| body["is_group"] != true || body["subject"].is_string()));
    assert!(bodies.iter().any(|body| body["is_group"] == true));
}

#[test]
fn the_demo_fills_a_dozen_named_chats_before_it_goes_live() {
    let config = SimulatorConfig::default();
    let mut script = Script::new(&config);
    let start = script.start();
    let opening = 3 + usize::try_from(config.history).unwrap();
    let history: Vec<Event> = script.by_ref().take(opening).collect();
    let model = script.model();
    assert_eq!(model.chats.len(), 12);
    assert!(model.chats.values().all(|chat| chat.messages > 0 && !chat.name.is_empty()));
    assert!(model.messages.values().all(|message| message.timestamp <= start));
    let live: Vec<Event> = script.take(50).collect();
    let span = live[49].at.duration_since(history[opening - 1].at);
    let mean = span.as_secs_f64() / 50.0;
    assert!((1.0..3.0).contains(&mean), "one event every {mean} s");
}

#[test]
fn faults_are_off_unless_asked_for() {
    assert_eq!(SimulatorConfig::default().faults, Faults::default());
    let config = config();
    let plain: Vec<Event> = Script::new(&config).collect();
    assert_eq!(bodies(&config).collect::<Vec<_>>(), plain);
}

#[test]
fn every_account_state_of_the_fixtures_has_the_same_name_here() {
    let names = [
        "ok",
        "connecting",
        "error",
        "stopped",
        "credentials",
        "permissions",
        "deleted",
        "creation_success",
        "creation_fail",
        "reconnected",
        "sync_success",
    ];
    for name in names {
        let value = fixture(&format!("account_status_{name}"))["AccountStatus"]["message"].clone();
        let status: AccountStatus = serde_json::from_value(value.clone()).unwrap();
        assert_eq!(serde_json::to_value(status).unwrap(), value);
    }
}

#[test]
fn a_script_that_fell_behind_goes_on_with_the_present() {
    let mut script = Script::new(&config());
    let later = script.start() + jiff::SignedDuration::from_hours(5);
    script.catch_up(later);
    let event = script.by_ref().find(|event| event.kind == Kind::Text).unwrap();
    assert!(event.at >= later);
    let body: Value = serde_json::from_slice(&event.body).unwrap();
    let sent: jiff::Timestamp = body["timestamp"].as_str().unwrap().parse().unwrap();
    assert!(event.at.duration_since(sent) < jiff::SignedDuration::from_secs(1));
}
