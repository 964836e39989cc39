//! Named background tasks, each with a declared meaning of failure, and an orderly end.

mod backoff;
mod outcome;
mod owned;
mod rounds;
mod signal;
mod supervisor;
#[cfg(test)]
mod tests;

pub use backoff::Backoff;
pub use outcome::{Cause, Outcome};
pub use owned::{Interrupted, Owned, Tasks, spawn_owned};
pub use rounds::Rounds;
pub use signal::Signals;
pub use supervisor::{OnFailure, Supervisor, TaskError};
