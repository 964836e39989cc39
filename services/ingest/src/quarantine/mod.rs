//! Looking at stored webhooks, and applying them again.

mod list;
mod replay;
mod walk;

pub(crate) use list::{Entry, List, ListPage};
pub(crate) use replay::{Replay, ReplayError, Replayed, ReplayedOne};
pub(crate) use walk::Walk;
