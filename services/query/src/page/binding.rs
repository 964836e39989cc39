//! What a page token belongs to.

use sha2::{Digest, Sha256};

/// The question that a page token belongs to: method, tenant and filters, as a hash.
///
/// Every part is written with its length, so that two different lists of parts never read alike.
#[derive(Debug, Clone)]
pub struct Binding(Sha256);

impl Binding {
    /// A question to `method` by a caller of `tenant`.
    #[must_use]
    pub fn new(method: &'static str, tenant: &str) -> Self {
        Self(Sha256::new()).text(method).text(tenant)
    }

    /// Adds a text.
    #[must_use]
    pub fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    /// Adds a choice that may be open.
    #[must_use]
    pub fn flag(self, flag: Option<bool>) -> Self {
        self.bytes(&flag.map_or([2], |flag| [u8::from(flag)]))
    }

    /// Adds a number that may be missing.
    #[must_use]
    pub fn number(self, number: Option<i64>) -> Self {
        match number {
            Some(number) => self.bytes(&number.to_be_bytes()),
            None => self.bytes(&[]),
        }
    }

    /// Adds a list.
    #[must_use]
    pub fn texts<'a>(self, texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut inner = Sha256::new();
        for text in texts {
            inner.update((text.len() as u64).to_be_bytes());
            inner.update(text);
        }
        self.bytes(&inner.finalize())
    }

    /// Adds a set: its order and repetitions do not matter.
    #[must_use]
    pub fn set<'a>(self, texts: impl IntoIterator<Item = &'a str>) -> Self {
        let sorted: std::collections::BTreeSet<&str> = texts.into_iter().collect();
        self.texts(sorted)
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.0.update((bytes.len() as u64).to_be_bytes());
        self.0.update(bytes);
        self
    }

    pub(super) fn finish(&self) -> [u8; 32] {
        self.0.clone().finalize().into()
    }
}
