//! What the faulty wire may do to a sequence, and what it may not.

use std::collections::BTreeMap;

use channel_simulator::{
    Event, Fault, FaultRecord, Faults, Faulty, Kind, Poison, Script, SimulatorConfig,
};
use proptest::prelude::*;
use serde_json::Value;

fn send(seed: u64, total: u64, faults: &Faults) -> (Vec<Event>, Vec<Event>, Vec<FaultRecord>) {
    let config = SimulatorConfig::load(seed, total);
    let sent: Vec<Event> = Script::new(&config).collect();
    let mut wire = Faulty::new(sent.clone().into_iter(), faults.clone(), seed);
    let arrived: Vec<Event> = wire.by_ref().collect();
    let (_, records) = wire.into_parts();
    (sent, arrived, records)
}

/// Genuine first sendings, by number.
fn originals(events: &[Event]) -> Vec<u64> {
    let genuine = events.iter().filter(|event| !event.duplicate && !event.is_poison());
    genuine.map(|event| event.number).collect()
}

prop_compose! {
    fn any_faults()(
        duplicate in 0.0..1.0_f64, reorder in 0.0..1.0_f64, reorder_window in 0_usize..40,
        delay in 0.0..0.5_f64, delay_max_ms in 0_u64..5_000, drop in 0.0..0.5_f64,
        poison in 0.0..0.3_f64,
    ) -> Faults {
        Faults {
            duplicate, reorder, reorder_window, delay, delay_max_ms, drop, poison,
            oversize_bytes: 2_048,
            ..Faults::default()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn everything_arrives_unchanged_except_what_is_recorded_as_dropped(
        seed: u64, faults in any_faults(),
    ) {
        let (sent, arrived, records) = send(seed, 300, &faults);
        let with = |wanted: Fault| {
            let mut numbers: Vec<u64> =
                records.iter().filter(|r| r.fault == wanted).map(|r| r.number).collect();
            numbers.sort_unstable();
            numbers
        };
        let dropped = with(Fault::Dropped);
        let mut expected: Vec<u64> = sent.iter().map(|event| event.number).collect();
        expected.retain(|number| dropped.binary_search(number).is_err());
        let mut numbers = originals(&arrived);
        numbers.sort_unstable();
        prop_assert_eq!(numbers, expected);
        let mut copies: Vec<u64> =
            arrived.iter().filter(|e| e.duplicate).map(|e| e.number).collect();
        copies.sort_unstable();
        prop_assert_eq!(copies, with(Fault::Duplicated));
        let bodies: BTreeMap<u64, &Event> = sent.iter().map(|e| (e.number, e)).collect();
        for event in arrived.iter().filter(|event| !event.is_poison()) {
            prop_assert_eq!(&event.body, &bodies[&event.number].body);
        }
        let poisoned = records.iter().filter(|r| matches!(r.fault, Fault::Poisoned { .. })).count();
        prop_assert_eq!(arrived.iter().filter(|e| e.is_poison()).count(), poisoned);
    }

    #[test]
    fn no_event_moves_further_than_the_window(seed: u64, window in 0_usize..50, chance in 0.0..=1.0_f64) {
        let faults = Faults { reorder: chance, reorder_window: window, ..Faults::default() };
        let (_, arrived, _) = send(seed, 300, &faults);
        for (place, number) in originals(&arrived).into_iter().enumerate() {
            prop_assert!(number.abs_diff(place as u64) <= window as u64);
        }
    }

    #[test]
    fn times_never_go_back_and_delays_are_kept(seed: u64, faults in any_faults()) {
        let (_, arrived, records) = send(seed, 300, &faults);
        prop_assert!(arrived.is_sorted_by_key(|event| event.at));
        let arrival: BTreeMap<u64, &Event> = arrived
            .iter()
            .filter(|event| !event.duplicate && !event.is_poison())
            .map(|event| (event.number, event))
            .collect();
        for record in records {
            if let Fault::Delayed { until } = record.fault {
                prop_assert!(arrival[&record.number].at >= until);
            }
        }
    }
}

#[test]
fn reordering_really_reorders_and_delays_let_others_pass() {
    let reorder = Faults { reorder: 0.5, reorder_window: 8, ..Faults::default() };
    let delay = Faults { delay: 0.1, delay_max_ms: 500, ..Faults::default() };
    for faults in [reorder, delay] {
        let (_, arrived, _) = send(1, 500, &faults);
        assert!(!originals(&arrived).is_sorted());
    }
}

#[test]
fn without_faults_the_wire_is_transparent() {
    let (sent, arrived, records) = send(4, 500, &Faults::default());
    assert_eq!(sent, arrived);
    assert!(records.is_empty());
}

/// One body of each kind of poison.
fn poison() -> BTreeMap<Poison, Event> {
    let faults = Faults { poison: 1.0, ..Faults::default() };
    let (_, arrived, _) = send(9, 500, &faults);
    let of_kind = |event: Event| match event.kind {
        Kind::Poison(poison) => Some((poison, event)),
        _ => None,
    };
    arrived.into_iter().filter_map(of_kind).collect()
}

#[test]
fn every_poison_is_bad_in_its_own_way() {
    let poison = poison();
    assert_eq!(poison.len(), Poison::ALL.len());
    let parsed = |kind: Poison| serde_json::from_slice::<Value>(&poison[&kind].body);
    for kind in [Poison::BrokenJson, Poison::DeepNesting, Poison::NulByte, Poison::Empty] {
        assert!(parsed(kind).is_err(), "{kind:?}");
    }
    assert!(std::str::from_utf8(&poison[&Poison::InvalidUtf8].body).is_err());
    assert!(poison[&Poison::NulByte].body.contains(&0));
    assert!(parsed(Poison::NulCharacter).unwrap()["message"].as_str().unwrap().contains('\0'));
    assert!(poison[&Poison::Oversize].body.len() > 1_048_576);
    assert_eq!(parsed(Poison::V2Shaped).unwrap()["type"], "message.new");
    assert!(parsed(Poison::WrongTypes).unwrap()["message"].is_object());
    assert_eq!(parsed(Poison::UnknownKind).unwrap()["event"], "message_teleported");
    assert!(parsed(Poison::MissingIds).unwrap().get("message_id").is_none());
    assert!(parsed(Poison::NotAnObject).unwrap().is_array());
    let unknown = &poison[&Poison::UnknownAccount];
    assert_ne!(parsed(Poison::UnknownAccount).unwrap()["account_id"], *unknown.account_id);
}

#[test]
fn v2_poison_has_the_keys_of_the_v2_fixture() {
    let path =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../unipile/tests/fixtures/v2_event_message_new.json");
    let fixture: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let ours: Value = serde_json::from_slice(&poison()[&Poison::V2Shaped].body).unwrap();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&ours), keys(&fixture));
    assert_eq!(keys(&ours["payload"]), keys(&fixture["payload"]));
}

#[test]
fn poison_touches_nothing_that_the_model_knows() {
    let config = SimulatorConfig::load(9, 500);
    let mut script = Script::new(&config);
    assert_eq!(script.by_ref().count(), 500);
    let known = serde_json::to_string(&script.model()).unwrap();
    for event in poison().values() {
        if let Some(id) = &event.message_id {
            assert!(!known.contains(&**id));
        }
        let Ok(body) = serde_json::from_slice::<Value>(&event.body) else {
            continue;
        };
        for key in ["chat_id", "provider_chat_id"] {
            assert!(body[key].as_str().is_none_or(|id| !known.contains(id)), "{key}");
        }
    }
}
