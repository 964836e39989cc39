//! Pages of stored webhooks, the newest first.

use bytes::Bytes;
use channel_store::StoreError;
use channel_store::intake::{Intake, Stored};

use super::Selection;
use crate::reading::event_name;

/// A rare reason or account may hide among many rows: a page then ends early and the next goes on.
const MOST_LOOKED_AT: usize = 5_000;
/// Callers' own limits on an answer begin at 4 MiB.
const MOST_BODY_BYTES: usize = 2 * 1024 * 1024;

/// A stored webhook for people.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The row; its body is empty unless asked for.
    pub(crate) stored: Stored,
    /// The event's name, if the body gives one.
    pub(crate) event: Option<String>,
    /// The size of the body.
    pub(crate) body_bytes: usize,
}

/// A page.
#[derive(Debug, Default)]
pub(crate) struct ListPage {
    pub(crate) entries: Vec<Entry>,
    /// Below which id the next page begins; `None`: this is the last.
    pub(crate) next: Option<i64>,
}

/// Lists what lies below `below`, at most `size`.
pub(crate) async fn list(
    store: &dyn Intake,
    selection: &Selection,
    below: Option<i64>,
    size: usize,
    with_bodies: bool,
) -> Result<ListPage, StoreError> {
    let mut page = ListPage { next: below, ..ListPage::default() };
    let (mut looked_at, mut bytes) = (0, 0);
    loop {
        let rows = selection.below(store, page.next).await?;
        if rows.is_empty() {
            page.next = None;
            return Ok(page);
        }
        for stored in rows {
            let full = page.entries.len() == size || looked_at == MOST_LOOKED_AT;
            let heavy = with_bodies && bytes + stored.body.len() > MOST_BODY_BYTES;
            if full || (heavy && bytes > 0) {
                return Ok(page);
            }
            looked_at += 1;
            page.next = Some(stored.stamp.inbox);
            if selection.matches(&stored) {
                bytes += stored.body.len();
                page.entries.push(Entry::of(stored, with_bodies));
            }
        }
    }
}

impl Entry {
    fn of(mut stored: Stored, with_body: bool) -> Self {
        let event = event_name(&stored.body);
        let body_bytes = stored.body.len();
        if !with_body {
            stored.body = Bytes::new();
        }
        Self { stored, event, body_bytes }
    }
}
