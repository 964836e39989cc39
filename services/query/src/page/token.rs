//! Page tokens: opaque, versioned, and of no use for another question.

use super::Binding;
use crate::error::QueryError;
use crate::seal::{SEAL_KEY_LENGTH, Seal};
use std::fmt;

/// Length of the key in bytes.
pub const TOKEN_KEY_LENGTH: usize = SEAL_KEY_LENGTH;

/// No token of ours comes near it.
const LONGEST: usize = 1024;

/// Seals places into tokens and opens them again.
///
/// A token is bound to its question, so whoever opens it must ask the same one. It is not a permission, access is
/// checked apart; the code keeps clients from building on what is inside, and from reading one list with another's
/// place.
#[derive(Clone)]
pub struct PageTokens(Seal);

impl fmt::Debug for PageTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PageTokens")
    }
}

impl PageTokens {
    /// Tokens under a key, which all replicas over one database must share.
    #[must_use]
    pub fn new(key: &[u8; TOKEN_KEY_LENGTH]) -> Self {
        Self(Seal::new(key))
    }

    /// Makes a token.
    #[must_use]
    pub fn seal(&self, binding: &Binding, place: &[u8]) -> String {
        self.0.seal(&binding.finish(), place)
    }

    /// Opens a token of the same question.
    ///
    /// # Errors
    ///
    /// `INVALID_ARGUMENT` with reason `PAGE_TOKEN_INVALID` for every other text.
    pub fn open(&self, binding: &Binding, token: &str) -> Result<Vec<u8>, QueryError> {
        let place = (token.len() <= LONGEST).then(|| self.0.open(&binding.finish(), token));
        place.flatten().ok_or_else(QueryError::page_token)
    }
}
