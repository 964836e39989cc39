//! The same seed gives the same bytes, and the model is what the bodies told.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;

use channel_simulator::{Event, Faults, Kind, Model, Receipt, Script, SimulatorConfig, bodies};
use proptest::prelude::*;
use serde_json::Value;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn the_same_seed_gives_the_same_events_and_another_seed_others(seed: u64) {
        let run = |seed| {
            let faults = Faults { drop: 0.1, ..Faults::rough() };
            let faults = Faults { oversize_bytes: 4_096, ..faults };
            let config = SimulatorConfig { faults, ..SimulatorConfig::load(seed, 400) };
            bodies(&config).collect::<Vec<Event>>()
        };
        prop_assert_eq!(run(seed), run(seed));
        prop_assert_ne!(run(seed), run(seed.wrapping_add(1)));
    }
}

/// A naive receiver that trusts order completely.
#[derive(Debug, Default)]
struct Told {
    text: Option<String>,
    edited: bool,
    deleted: bool,
    status: Option<Receipt>,
    reactions: BTreeMap<String, String>,
}

fn replay(events: impl Iterator<Item = Event>) -> BTreeMap<String, Told> {
    let mut told: BTreeMap<String, Told> = BTreeMap::new();
    for event in events {
        let Some(id) = event.message_id else { continue };
        let body: Value = serde_json::from_slice(&event.body).unwrap();
        let entry = told.entry(id.to_string()).or_default();
        let text = body["message"].as_str().map(str::to_owned);
        match event.kind {
            Kind::Delivered => entry.status = Some(Receipt::Delivered),
            Kind::Read => entry.status = Some(Receipt::Read),
            Kind::Edited => (entry.text, entry.edited) = (text, true),
            Kind::Deleted => entry.deleted = true,
            Kind::Reaction | Kind::ReactionRemoved => react(entry, &body),
            _ => {
                let own = body["is_sender"].as_bool().unwrap();
                entry.text = text;
                entry.status = Some(if own { Receipt::Sent } else { Receipt::Received });
            }
        }
    }
    told
}

fn react(entry: &mut Told, body: &Value) {
    let by = body["reaction_sender"]["attendee_id"].as_str().unwrap().to_owned();
    match body["reaction"].as_str().unwrap() {
        "" => drop(entry.reactions.remove(&by)),
        emoji => drop(entry.reactions.insert(by, emoji.to_owned())),
    }
}

fn assert_same(model: &Model, told: &BTreeMap<String, Told>) {
    assert_eq!(model.messages.len(), told.len());
    for (id, message) in &model.messages {
        let told = &told[id];
        assert_eq!(message.text, told.text);
        assert_eq!((message.edited, message.deleted), (told.edited, told.deleted));
        assert_eq!(Some(message.status), told.status);
        assert_eq!(message.reactions, told.reactions);
    }
}

#[test]
fn the_model_is_what_the_bodies_told() {
    for commutative in [true, false] {
        let config = SimulatorConfig { commutative, ..SimulatorConfig::load(5, 5_000) };
        let mut script = Script::new(&config);
        let told = replay(script.by_ref());
        let model = script.model();
        assert_same(&model, &told);
        assert!(model.messages.values().any(|m| m.edited));
        assert!(model.messages.values().any(|m| m.deleted));
        assert!(model.messages.values().any(|m| m.status == Receipt::Read));
        assert!(model.messages.values().any(|m| !m.reactions.is_empty()));
    }
}

#[test]
fn a_commutative_run_changes_nothing_twice() {
    let config = SimulatorConfig::load(8, 20_000);
    let mut changes: BTreeMap<String, u32> = BTreeMap::new();
    for event in bodies(&config) {
        let Some(id) = event.message_id else { continue };
        let body: Value = serde_json::from_slice(&event.body).unwrap();
        let by = body["reaction_sender"]["attendee_id"].as_str().unwrap_or_default();
        *changes.entry(format!("{:?} {id} {by}", event.kind)).or_default() += 1;
        assert_ne!(event.kind, Kind::ReactionRemoved);
    }
    assert_eq!(changes.values().max(), Some(&1));
}

#[test]
fn chats_know_their_last_message_and_the_limit_on_memory_holds() {
    let config =
        SimulatorConfig { messages_kept_per_chat: Some(10), ..SimulatorConfig::load(3, 20_000) };
    let mut script = Script::new(&config);
    assert_eq!(script.by_ref().count(), 20_000);
    let model = script.model();
    for chat in model.chats.values() {
        assert!(chat.messages <= 10);
        let last = &model.messages[chat.last_message_id.as_ref().unwrap()];
        assert_eq!(Some(last.timestamp), chat.last_message_at);
    }
}
