//! What went wrong, as a short list of kinds and a reason that clients can match.
//!
//! A service's error implements [`Fault`]; the door it leaves by asks [`to_status`] or
//! [`http_status`]. What is nobody's business but ours is logged there, once, and hidden.

mod fields;
mod kind;
mod status;
#[cfg(test)]
mod tests;

use std::error::Error;

pub use fields::{FieldErrors, Violation};
pub use kind::{Kind, http_status, http_status_of_code};
pub use status::{DOMAIN, reason_of, retry_after_of, to_status, trailers_of, violations_of};
pub(crate) use status::{refusal, refusal_with};

/// An error that knows how to answer a caller.
///
/// Its `Display` is shown to the caller (except for [`Kind::Internal`]), so it names no secret,
/// no message text and no phone number.
pub trait Fault: Error + Send + Sync + 'static {
    /// The kind, which decides the status code.
    fn kind(&self) -> Kind;

    /// A stable `UPPER_SNAKE_CASE` reason, documented for clients.
    fn reason(&self) -> &'static str;

    /// Facts that go with the reason, such as the id that was not found.
    fn metadata(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// The request's fields that were refused.
    fn violations(&self) -> &[Violation] {
        &[]
    }
}
