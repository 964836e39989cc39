//! Lists, page by page.

use super::UpstreamError;
use futures::{Stream, stream};
use std::collections::HashSet;
use std::fmt;

/// The most items that UniPile gives in one page.
pub const PAGE_MAX: u16 = 250;

/// Where the next page begins: opaque, to be handed back with the same filters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Cursor(Box<str>);

impl Cursor {
    /// Takes a cursor as UniPile writes it; an empty one means the end and is none.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self(text.into()))
    }

    /// As UniPile writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Which page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paging {
    /// Where to begin; `None` is the beginning.
    pub cursor: Option<Cursor>,
    /// Items in a page, from 1 to [`PAGE_MAX`]; others are moved there. Always sent, for UniPile does not
    /// say what it would take instead.
    pub limit: u16,
}

impl Default for Paging {
    fn default() -> Self {
        Self { cursor: None, limit: 100 }
    }
}

/// One page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// What it holds.
    pub items: Vec<T>,
    /// Where the next one begins; `None` at the end.
    pub next: Option<Cursor>,
    /// Items that were left out: without an id, about another account or about another network.
    pub skipped: usize,
}

/// Follows cursors, and stops where UniPile would lead in circles.
#[derive(Debug)]
pub struct Walk {
    seen: HashSet<Cursor>,
    left: u32,
    cap: u32,
}

/// Why a walk over pages stopped before its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WalkError {
    /// A page could not be had.
    Upstream(UpstreamError),
    /// UniPile gave a cursor for the second time.
    Repeated(Cursor),
    /// There are more pages than allowed.
    TooMany {
        /// The allowed number of pages.
        cap: u32,
    },
}

impl Walk {
    /// A walk over at most `cap` pages.
    #[must_use]
    pub fn new(cap: u32) -> Self {
        Self { seen: HashSet::new(), left: cap, cap }
    }

    /// Notes the beginning of a page that is about to be asked for.
    ///
    /// # Errors
    ///
    /// If it was asked for before, or if there were too many pages.
    pub fn enter(&mut self, cursor: Option<&Cursor>) -> Result<(), WalkError> {
        if let Some(cursor) = cursor
            && !self.seen.insert(cursor.clone())
        {
            return Err(WalkError::Repeated(cursor.clone()));
        }
        let left = self.left.checked_sub(1);
        self.left = left.ok_or(WalkError::TooMany { cap: self.cap })?;
        Ok(())
    }
}

/// All pages, from `from` on: `fetch` is asked for each, with the cursor where it begins. After an error
/// the stream ends.
pub fn pages<T, F, Fut>(
    from: Option<Cursor>,
    cap: u32,
    mut fetch: F,
) -> impl Stream<Item = Result<Page<T>, WalkError>>
where
    F: FnMut(Option<Cursor>) -> Fut,
    Fut: Future<Output = Result<Page<T>, UpstreamError>>,
{
    let first = Some((from, Walk::new(cap)));
    stream::try_unfold(first, move |at| {
        let step = at.map(|(cursor, mut walk)| {
            let entered = walk.enter(cursor.as_ref());
            (entered.map(|()| fetch(cursor)), walk)
        });
        async move {
            let Some((page, walk)) = step else { return Ok(None) };
            let page = page?.await.map_err(WalkError::Upstream)?;
            let next = page.next.clone().map(|cursor| (Some(cursor), walk));
            Ok(Some((page, next)))
        }
    })
}

impl fmt::Display for WalkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Upstream(error) => error.fmt(f),
            Self::Repeated(cursor) => {
                write!(f, "UniPile repeats the cursor {:?}", shortened(cursor.as_str()))
            }
            Self::TooMany { cap } => write!(f, "UniPile has more than {cap} pages"),
        }
    }
}

impl std::error::Error for WalkError {}

fn shortened(text: &str) -> String {
    text.chars().take(64).collect()
}
