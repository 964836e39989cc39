//! Looking at stored webhooks, and applying them again.

mod list;
mod replay;
mod select;

pub(crate) use list::{Entry, ListPage, list};
pub(crate) use replay::{Replay, ReplayError, Replayed, ReplayedOne};
pub(crate) use select::{Selection, oldest, rows};
