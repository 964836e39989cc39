//! What PostgreSQL must keep beyond the promises that every backend shares.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "this is test code")]

mod concurrency;
mod facts;
mod hints;
mod outage;
mod plans;
mod schema;
mod search;
