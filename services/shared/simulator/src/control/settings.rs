use axum::Json;
use axum::extract::Path;
use serde_json::{Value, json};

use crate::api::{Ask, Body, Problem};
use crate::engine::Behaviour;
use crate::mishap::{FaultRule, RuleState};

/// The rules in force.
pub(super) async fn faults(ask: Ask) -> Json<Vec<RuleState>> {
    Json(ask.engine.rules.all())
}

pub(super) async fn add(ask: Ask, Body(rule): Body<FaultRule>) -> Json<Value> {
    Json(json!({ "id": ask.engine.rules.add(rule) }))
}

pub(super) async fn clear(ask: Ask) -> Json<Value> {
    ask.engine.rules.clear();
    Json(json!({}))
}

pub(super) async fn remove(ask: Ask, Path(id): Path<u64>) -> Result<Json<Value>, Problem> {
    if ask.engine.rules.remove(id) { Ok(Json(json!({}))) } else { Err(Problem::not_found()) }
}

pub(super) async fn behaviour(ask: Ask) -> Json<Behaviour> {
    Json(ask.engine.behaviour())
}

/// Sets all of it; what is left out is as by default.
pub(super) async fn behave(ask: Ask, Body(behaviour): Body<Behaviour>) -> Json<Behaviour> {
    ask.engine.behave(behaviour);
    Json(ask.engine.behaviour())
}
