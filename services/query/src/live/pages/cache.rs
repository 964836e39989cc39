//! Pages in memory, up to a limit; the least recently used ones go first.

use super::Page;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Bounds the search for the page to forget.
const MOST_PAGES: usize = 1_024;

#[derive(Debug)]
pub(super) struct Cache {
    /// By account and start, each with the moment of its last use.
    by_account: HashMap<i64, BTreeMap<u64, (u64, Arc<Page>)>>,
    moment: u64,
    count: usize,
    bytes: usize,
    most_bytes: usize,
}

impl Cache {
    pub(super) fn new(most_bytes: usize) -> Self {
        Self { by_account: HashMap::new(), moment: 0, count: 0, bytes: 0, most_bytes }
    }

    /// The page that begins at `seq`, or next before it.
    pub(super) fn touch(&mut self, key: i64, seq: u64) -> Option<Arc<Page>> {
        self.moment += 1;
        let pages = self.by_account.get_mut(&key)?;
        let (_, (used, page)) = pages.range_mut(..=seq).next_back()?;
        *used = self.moment;
        Some(Arc::clone(page))
    }

    /// Keeps a page, whatever its size.
    pub(super) fn insert(&mut self, key: i64, page: Page) {
        self.moment += 1;
        self.count += 1;
        self.bytes += page.segment.bytes();
        let start = page.segment.start().seq;
        let entry = (self.moment, Arc::new(page));
        let pages = self.by_account.entry(key).or_default();
        if let Some((_, old)) = pages.insert(start, entry) {
            self.count -= 1;
            self.bytes -= old.segment.bytes();
        }
        while self.count > 1 && (self.count > MOST_PAGES || self.bytes > self.most_bytes) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let all = self.by_account.iter().flat_map(|(key, pages)| {
            let used = |(start, (used, _)): (&u64, &(u64, Arc<Page>))| (*used, *key, *start);
            pages.iter().map(used)
        });
        let Some((_, key, start)) = all.min() else {
            return;
        };
        let Some(pages) = self.by_account.get_mut(&key) else {
            return;
        };
        if let Some((_, page)) = pages.remove(&start) {
            self.count -= 1;
            self.bytes -= page.segment.bytes();
        }
        if pages.is_empty() {
            self.by_account.remove(&key);
        }
    }
}
