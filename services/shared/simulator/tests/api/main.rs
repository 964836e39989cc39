//! The API as a client meets it: shapes, lists, what follows from calls, and what goes wrong.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod accounts;
mod control;
mod endings;
mod faults;
mod files;
mod lists;
mod refusals;
mod repeat;
mod rig;
mod sends;
mod shape;
mod shapes;
mod webhooks;
