//! Pages of stored webhooks.

use std::time::Duration;

use bytes::Bytes;
use channel_store::StoreError;
use channel_store::intake::{InboxFilter, Inconsistent, Intake, Listed, Stored, id_of};
use tokio::time::Instant;

use super::Walk;
use crate::reading::event_name;

/// A call answers in time, perhaps with less than a page, and the next goes on.
const BUDGET: Duration = Duration::from_secs(5);
/// Callers' own limits on an answer begin at 4 MiB.
const MOST_BODY_BYTES: usize = 2 * 1024 * 1024;

/// A stored webhook for people.
#[derive(Debug)]
pub(crate) enum Entry {
    /// As it is stored.
    Sound {
        /// The row; its body is empty unless asked for.
        stored: Stored,
        /// The event's name, if the body gives one.
        event: Option<String>,
        /// The size of the body.
        body_bytes: usize,
    },
    /// A row that makes no sense.
    Broken(Inconsistent),
}

/// What to list.
#[derive(Debug, Clone, Default)]
pub(crate) struct List {
    pub(crate) filter: InboxFilter,
    /// Goes on behind this id.
    pub(crate) after: Option<i64>,
    /// At most this many.
    pub(crate) size: usize,
    pub(crate) with_bodies: bool,
}

/// A page.
#[derive(Debug, Default)]
pub(crate) struct ListPage {
    pub(crate) entries: Vec<Entry>,
    /// Behind which id the next page begins; `None`: this is the last.
    pub(crate) next: Option<i64>,
}

impl List {
    /// Reads the page.
    pub(crate) async fn run(&self, store: &dyn Intake) -> Result<ListPage, StoreError> {
        let began = Instant::now();
        let mut walk = Walk::begin(store, self.filter.clone(), self.after).await?;
        let mut page = ListPage::default();
        let (mut bytes, mut last) = (0, self.after);
        while let Some(rows) = walk.next().await? {
            for listed in rows {
                let size = listed.as_ref().map_or(0, |stored| stored.body.len());
                let heavy = self.with_bodies && bytes > 0 && bytes + size > MOST_BODY_BYTES;
                if page.entries.len() == self.size || heavy {
                    page.next = last;
                    return Ok(page);
                }
                bytes += size;
                last = Some(id_of(&listed));
                page.entries.push(Entry::of(listed, self.with_bodies));
            }
            if began.elapsed() > BUDGET && !walk.is_done() {
                page.next = Some(walk.passed());
                return Ok(page);
            }
        }
        Ok(page)
    }
}

impl Entry {
    fn of(listed: Listed, with_body: bool) -> Self {
        let mut stored = match listed {
            Ok(stored) => stored,
            Err(inconsistent) => return Self::Broken(inconsistent),
        };
        let event = event_name(&stored.body);
        let body_bytes = stored.body.len();
        if !with_body {
            stored.body = Bytes::new();
        }
        Self::Sound { stored, event, body_bytes }
    }
}
