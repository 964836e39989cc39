//! The same seed and the same calls give the same run.

use channel_simulator::{ApiFault, FaultRule, Route, SimulatorConfig, Which};
use reqwest::Method;
use serde_json::{Value, json};

use crate::rig::{Rig, quiet};

/// One run: what was answered, what was accepted, what webhooks told, and how it all ended.
async fn run(seed: u64) -> (Vec<(u16, Value)>, Value, Vec<Value>, Value) {
    let mut config = SimulatorConfig { seed, ..quiet() };
    config.delivery.concurrency = 1;
    let api = config.api.as_mut().unwrap();
    api.behaviour.answers = 0.5;
    let fault = ApiFault::Answer { status: 500, error: None, accepted: true, retry_after: None };
    api.faults = vec![FaultRule { probability: 0.4, ..FaultRule::each(Route::SendMessage, fault) }];
    let rig = Rig::with(config).await;
    rig.subscribe().await;
    let chat = rig.chat().await;
    let mut answers = Vec::new();
    for n in 0..20 {
        answers.push(rig.text(&chat, &format!("Is number {n} in stock?")).await);
        rig.settle().await;
    }
    let (_, connected) =
        rig.send(Method::POST, "/accounts", &json!({ "provider": "WHATSAPP" })).await;
    answers.push((0, connected));
    let accepted =
        rig.running.remote.accepted(&Which { route: Some(Route::SendMessage), ..Which::default() });
    let hooks = rig.bodies(|hook| hook["event"].is_string());
    let list = rig.read(&format!("/chats/{chat}/messages?limit=250")).await;
    (answers, serde_json::to_value(accepted).unwrap(), hooks, list)
}

#[tokio::test]
async fn the_same_seed_and_calls_give_the_same_run_and_another_seed_another_one() {
    let (first, second, other) = (run(7).await, run(7).await, run(8).await);
    assert_eq!(first, second);
    assert_ne!(first.0, other.0);
    let failed = first.0.iter().filter(|(status, _)| *status == 500).count();
    assert!((1..20).contains(&failed), "{failed}");
}
