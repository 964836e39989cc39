//! The unary calls of the query service, over a real SQLite store.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod access;
mod fields;
mod lists;
mod live;
mod messages;
mod position;
mod search;
mod support;
