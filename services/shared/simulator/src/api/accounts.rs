use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::ask::Ask;
use super::call::{Call, to_json};
use super::error::Problem;
use super::page;
use crate::books::Accepted;
use crate::mishap::Route;
use crate::rest::{AccountView, List};
use crate::world::{AccountKey, AccountStatus};

/// Where a list of things in a fixed order goes on: after this one.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct After {
    pub(super) after: u64,
}

pub(super) async fn list(ask: Ask) -> Result<Response, Problem> {
    let (limit, cursor) = (page::limit(&ask)?, page::cursor::<After>(&ask)?);
    let call = Call::begin(&ask, Route::ListAccounts, None, None).await?;
    let from = cursor.map_or(0, |cursor| usize::try_from(cursor.after).unwrap_or(usize::MAX));
    let body = {
        let world = call.engine.world.lock();
        let keys = (from..world.accounts().len()).map(AccountKey);
        let mut keys: Vec<_> =
            keys.filter(|key| world.is_connected(*key)).take(limit + 1).collect();
        let cursor = page::cut(&mut keys, limit, |key| After { after: key.0 as u64 + 1 });
        let items = keys.iter().filter_map(|key| world.account(*key)).map(AccountView::from);
        to_json(&List { object: "AccountList", items: items.collect(), cursor })
    };
    call.json(body).await
}

pub(super) async fn one(ask: Ask, Path(id): Path<String>) -> Result<Response, Problem> {
    let key = ask.account(&id)?;
    let call = Call::about_account(&ask, Route::GetAccount, key).await?;
    let body = {
        let world = call.engine.world.lock();
        to_json(&AccountView::from(world.account(key).ok_or_else(Problem::not_found)?))
    };
    call.json(body).await
}

/// Also takes back a code that nobody has scanned, which no document says of UniPile.
pub(super) async fn remove(ask: Ask, Path(id): Path<String>) -> Result<Response, Problem> {
    let Ok(key) = ask.account(&id) else {
        let call = Call::begin(&ask, Route::DeleteAccount, Some(&id), None).await?;
        if !call.engine.withdraw(&id) {
            return Err(Problem::not_found());
        }
        call.enter(Accepted { account_id: Some(id), ..call.blank() });
        return call.answer(StatusCode::OK, &json!({ "object": "AccountDeleted" })).await;
    };
    let call = Call::about_account(&ask, Route::DeleteAccount, key).await?;
    call.enter(Accepted { account_id: Some(id), ..call.blank() });
    if !call.plan.without_effect {
        call.engine.set_status(key, AccountStatus::Deleted);
    }
    call.answer(StatusCode::OK, &json!({ "object": "AccountDeleted" })).await
}

/// Exists for other providers only.
pub(super) async fn sync(ask: Ask, Path(id): Path<String>) -> Result<Response, Problem> {
    let key = ask.account(&id)?;
    Call::about_account(&ask, Route::SyncAccount, key).await?;
    Err(Problem::not_implemented())
}
