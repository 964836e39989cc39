//! Who calls: bearer tokens in, an [`Identity`] for every service out.

mod access;
mod issue;
mod layer;
#[cfg(test)]
mod tests;
mod token;
mod verify;

pub use access::{identity_of, require_account, require_any_role, require_role};
pub use issue::TokenIssuer;
pub use layer::{IdentityLayer, IdentityService};
pub use token::{Identity, Role};
pub use verify::{AuthError, TokenError, TokenVerifier};
