use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::extract::Path;
use serde::{Deserialize, Serialize};

use crate::api::{Ask, Body, Problem};
use crate::books::{Accepted, Calls, Which};
use crate::deliver::Counts;
use crate::engine::{Condition, Settled};
use crate::mishap::Route;
use crate::world::MessageModel;

/// How long a wait may take when nobody says, and at most.
const USUAL_WAIT_MS: u64 = 10_000;
const LONGEST_WAIT_MS: u64 = 120_000;

/// What was accepted.
pub(super) async fn ledger(ask: Ask, Body(which): Body<Which>) -> Json<Vec<Accepted>> {
    Json(ask.engine.books.matching(&which))
}

/// How many calls there were of each kind.
pub(super) async fn calls(ask: Ask) -> Json<BTreeMap<Route, Calls>> {
    Json(ask.engine.books.calls())
}

/// How many webhooks there were, and what became of them.
pub(super) async fn deliveries(ask: Ask) -> Json<Counts> {
    Json(ask.engine.targets.ledger().counts())
}

#[derive(Debug, Deserialize)]
pub(super) struct Wait {
    until: Condition,
    timeout_ms: Option<u64>,
}

#[derive(Debug, Serialize)]
pub(super) struct Waited {
    outcome: Settled,
}

/// Answers when a condition holds, or when it did not in time.
pub(super) async fn wait(ask: Ask, Body(wait): Body<Wait>) -> Json<Waited> {
    let ms = wait.timeout_ms.unwrap_or(USUAL_WAIT_MS).min(LONGEST_WAIT_MS);
    let limit = Duration::from_millis(ms);
    Json(Waited { outcome: ask.engine.until(&wait.until, limit).await })
}

/// The truth about a message.
pub(super) async fn message(
    ask: Ask,
    Path(id): Path<String>,
) -> Result<Json<MessageModel>, Problem> {
    let world = ask.engine.world.lock();
    let key = world.find_message(&id).ok_or_else(Problem::not_found)?;
    world.message_model(key).map(Json).ok_or_else(Problem::not_found)
}
