//! From UniPile's objects to ours. Only the id of a thing is required.

pub(super) mod account;
pub(super) mod attendee;
pub(super) mod chat;
pub(super) mod message;
pub(super) mod webhook;

#[cfg(test)]
mod tests;

use crate::upstream::{Cursor, Page, SyncState};
use crate::v1::wire::json::{Node, Object};
use crate::v1::wire::lenient;
use channel_domain::AccountId;

/// A success that cannot be used.
pub(super) enum Odd {
    /// Something is missing or of another type.
    Shape(&'static str),
    /// It is about another account than the one asked about.
    Foreign,
}

/// An object that must be there and be about the account.
pub(super) fn of_account<T>(
    root: &Object<'_>,
    account: &AccountId,
    read: impl FnOnce(&Object<'_>) -> Option<T>,
) -> Result<T, Odd> {
    if is_foreign(root, account) {
        return Err(Odd::Foreign);
    }
    read(root).ok_or(Odd::Shape("the id"))
}

/// A page of objects about the account. Others, and those that cannot be used, are left out.
pub(super) fn page_of_account<T>(
    root: &Object<'_>,
    account: &AccountId,
    read: impl Fn(&Object<'_>) -> Option<T>,
) -> Result<Page<T>, Odd> {
    page(root, |item| if is_foreign(item, account) { None } else { read(item) })
}

/// A page of anything.
pub(super) fn page<T>(
    root: &Object<'_>,
    read: impl Fn(&Object<'_>) -> Option<T>,
) -> Result<Page<T>, Odd> {
    let listed = root.list("items").ok_or(Odd::Shape("items"))?;
    let read = |node: &Node<'_>| match node {
        Node::Object(item) => read(item),
        _ => None,
    };
    let items: Vec<T> = listed.iter().filter_map(read).collect();
    let skipped = listed.len() - items.len();
    Ok(Page { items, next: cursor(root), skipped })
}

/// Missing, null and empty all mean the end.
fn cursor(root: &Object<'_>) -> Option<Cursor> {
    match root.get("cursor")? {
        Node::Text(cursor) => Cursor::new(cursor),
        Node::Int(cursor) => Cursor::new(&cursor.to_string()),
        _ => None,
    }
}

/// One API key reaches the accounts of all tenants; an object that names no account is believed.
fn is_foreign(root: &Object<'_>, account: &AccountId) -> bool {
    let named = root.pick(&["account_id"], lenient::id);
    named.is_some_and(|named| named != account.as_str())
}

pub(super) fn id(root: &Object<'_>) -> Option<String> {
    lenient::required(root, "id").ok()
}

/// An optional id of ours.
pub(super) fn known<T: From<String>>(root: &Object<'_>, key: &str) -> Option<T> {
    root.pick(&[key], lenient::id).map(T::from)
}

/// A list of texts; others are left out.
pub(super) fn texts(root: &Object<'_>, key: &str) -> Vec<String> {
    root.list(key).unwrap_or_default().iter().filter_map(lenient::name).collect()
}

pub(super) fn sync_state(root: &Object<'_>) -> SyncState {
    let status = root.pick(&["status"], lenient::name).unwrap_or_default();
    match status.trim().to_ascii_uppercase().as_str() {
        "SYNC_STARTED" => SyncState::Started,
        "SYNC_RUNNING" => SyncState::Running,
        "CHUNK_DONE" => SyncState::ChunkDone,
        "SYNC_DONE" => SyncState::Done,
        "SYNC_ERROR" => SyncState::Failed,
        "CHAT_DELETED" => SyncState::ChatDeleted,
        _ => SyncState::Unknown,
    }
}
