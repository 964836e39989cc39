//! What services ask about their caller.

use std::collections::HashMap;

use tonic::{Request, Status};

use super::{Identity, Role, TokenError};
use crate::fault::{Kind, refusal, refusal_with, to_status};

/// The caller of a request that came through an [`IdentityLayer`](super::IdentityLayer).
///
/// # Errors
///
/// UNAUTHENTICATED when it did not, or came by an open path.
pub fn identity_of<T>(request: &Request<T>) -> Result<Identity, Status> {
    let found = request.extensions().get::<Identity>().cloned();
    found.ok_or_else(|| to_status(&TokenError::Missing))
}

/// Lets a caller on that may do what `needed` may.
///
/// # Errors
///
/// `PERMISSION_DENIED` with reason `ROLE_MISSING` otherwise.
pub fn require_role(identity: &Identity, needed: Role) -> Result<(), Status> {
    require_any_role(identity, &[needed])
}

/// Lets a caller on that may do what any of `needed` may.
///
/// # Errors
///
/// `PERMISSION_DENIED` with reason `ROLE_MISSING` otherwise.
pub fn require_any_role(identity: &Identity, needed: &[Role]) -> Result<(), Status> {
    if needed.iter().any(|needed| identity.role.includes(*needed)) {
        return Ok(());
    }
    let names: Vec<_> = needed.iter().map(|role| role.name()).collect();
    let facts = [("role", identity.role.name().to_owned()), ("required", names.join(","))];
    let facts: HashMap<String, String> =
        facts.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    let message = "the caller's role does not allow this";
    Err(refusal_with(Kind::Forbidden, "ROLE_MISSING", message, facts))
}

/// Lets a caller on that may see an account of `tenant`. Someone else's account and one that does
/// not exist must answer alike; use the same reason for both.
///
/// # Errors
///
/// `NOT_FOUND` with reason `ACCOUNT_NOT_FOUND` otherwise.
pub fn require_account(identity: &Identity, tenant: &str, account_id: &str) -> Result<(), Status> {
    if identity.may_see(tenant, account_id) {
        return Ok(());
    }
    Err(refusal(Kind::NotFound, "ACCOUNT_NOT_FOUND", "no such account"))
}
