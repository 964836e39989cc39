//! Ids without which a webhook means nothing.

use super::outcome::{RejectReason, Rejection};
use crate::v1::wire::json::Object;
use crate::v1::wire::lenient::{self, IdFault};

/// A required id.
///
/// # Errors
///
/// A rejection that names the field.
pub(super) fn required_id<T: From<String>>(
    object: &Object<'_>,
    key: &'static str,
) -> Result<T, Rejection> {
    lenient::required(object, key).map(T::from).map_err(|fault| {
        let (reason, problem) = match fault {
            IdFault::Missing => (RejectReason::MissingField, "is missing"),
            IdFault::Blank => (RejectReason::MissingField, "is blank"),
            IdFault::WrongType => (RejectReason::WrongType, "is no string"),
            IdFault::Bad => {
                (RejectReason::BadId, "is longer than 512 bytes or has control characters")
            }
        };
        Rejection::field(reason, key, problem)
    })
}
