//! Page tokens: opaque, versioned, and of no use for another question.

use super::Binding;
use crate::error::QueryError;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::fmt;

/// Length of the key in bytes.
pub const TOKEN_KEY_LENGTH: usize = 32;

const VERSION: u8 = 1;
/// Half of the code: 128 bits, which nobody guesses.
const CODE: usize = 16;
/// No token of ours comes near it.
const LONGEST: usize = 1024;

/// Seals places into tokens and opens them again.
///
/// A token is `version | place | code`, the code being HMAC-SHA256 over version, binding and place. The
/// binding itself is not in it: whoever opens the token must ask the same question. A token is not a
/// permission, access is checked apart; the code keeps clients from building on what is inside, and from
/// reading one list with another's place.
#[derive(Clone)]
pub struct PageTokens(Hmac<Sha256>);

impl fmt::Debug for PageTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PageTokens")
    }
}

impl PageTokens {
    /// Tokens under a key, which all replicas over one database must share.
    #[must_use]
    pub fn new(key: &[u8; TOKEN_KEY_LENGTH]) -> Self {
        let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
        block[..TOKEN_KEY_LENGTH].copy_from_slice(key);
        Self(<Hmac<Sha256> as hmac::digest::KeyInit>::new(&block))
    }

    /// Makes a token.
    #[must_use]
    pub fn seal(&self, binding: &Binding, place: &[u8]) -> String {
        let mut token = Vec::with_capacity(1 + place.len() + CODE);
        token.push(VERSION);
        token.extend_from_slice(place);
        let code = self.code(binding, place).finalize().into_bytes();
        token.extend_from_slice(&code[..CODE]);
        URL_SAFE_NO_PAD.encode(token)
    }

    /// Opens a token of the same question.
    ///
    /// # Errors
    ///
    /// `INVALID_ARGUMENT` with reason `PAGE_TOKEN_INVALID` for every other text.
    pub fn open(&self, binding: &Binding, token: &str) -> Result<Vec<u8>, QueryError> {
        self.try_open(binding, token).ok_or_else(QueryError::page_token)
    }

    fn try_open(&self, binding: &Binding, token: &str) -> Option<Vec<u8>> {
        if token.len() > LONGEST {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (version, rest) = bytes.split_first()?;
        let (place, code) = rest.split_at_checked(rest.len().checked_sub(CODE)?)?;
        if *version != VERSION {
            return None;
        }
        self.code(binding, place).verify_truncated_left(code).ok()?;
        Some(place.to_vec())
    }

    fn code(&self, binding: &Binding, place: &[u8]) -> Hmac<Sha256> {
        let mut code = self.0.clone();
        code.update(&[VERSION]);
        code.update(&binding.finish());
        code.update(place);
        code
    }
}
