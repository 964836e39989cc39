//! Texts that clients carry around and cannot make themselves.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::fmt;

/// Length of a key in bytes.
pub const SEAL_KEY_LENGTH: usize = 32;

const VERSION: u8 = 1;
/// Half of the code: 128 bits, which nobody guesses.
const CODE: usize = 16;

/// Seals contents into texts that are safe in a URL, and opens them again.
///
/// A text is `version | contents | code`, the code being HMAC-SHA256 over version, binding and contents. The binding
/// itself is not in it: whoever opens the text must know it.
#[derive(Clone)]
pub struct Seal(Hmac<Sha256>);

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal")
    }
}

impl Seal {
    /// A seal with a key, which all replicas over one database must share.
    #[must_use]
    pub fn new(key: &[u8; SEAL_KEY_LENGTH]) -> Self {
        let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
        block[..SEAL_KEY_LENGTH].copy_from_slice(key);
        Self(<Hmac<Sha256> as hmac::digest::KeyInit>::new(&block))
    }

    /// Makes a text.
    #[must_use]
    pub fn seal(&self, binding: &[u8], contents: &[u8]) -> String {
        let mut text = Vec::with_capacity(1 + contents.len() + CODE);
        text.push(VERSION);
        text.extend_from_slice(contents);
        let code = self.code(binding, contents).finalize().into_bytes();
        text.extend_from_slice(&code[..CODE]);
        URL_SAFE_NO_PAD.encode(text)
    }

    /// The contents of a text that was made with this key and binding.
    #[must_use]
    pub fn open(&self, binding: &[u8], text: &str) -> Option<Vec<u8>> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (version, rest) = bytes.split_first()?;
        let (contents, code) = rest.split_at_checked(rest.len().checked_sub(CODE)?)?;
        if *version != VERSION {
            return None;
        }
        self.code(binding, contents).verify_truncated_left(code).ok()?;
        Some(contents.to_vec())
    }

    fn code(&self, binding: &[u8], contents: &[u8]) -> Hmac<Sha256> {
        let mut code = self.0.clone();
        code.update(&[VERSION]);
        code.update(binding);
        code.update(contents);
        code
    }
}
