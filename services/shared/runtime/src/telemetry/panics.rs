//! What is told of a panic.

use std::backtrace::{Backtrace, BacktraceStatus};

/// Logs where a panic happened instead of what it said: its words may quote a message's text.
pub(super) fn log_them() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let backtrace = Backtrace::capture();
        let taken = backtrace.status() == BacktraceStatus::Captured;
        let backtrace = taken.then(|| tracing::field::display(backtrace));
        tracing::error!(place, backtrace, "panic");
    }));
}
