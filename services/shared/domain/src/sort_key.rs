//! The display order of messages as one value that sorts bytewise.

use crate::time::Micros;
use sha2::{Digest, Sha256};

/// Where a message stands in its chat: provider time, then arrival, then a hash of its identity.
///
/// WhatsApp's times have whole seconds, so many messages share one; arrival keeps those in the order in
/// which people saw them, and the hash makes the key unique. All three depend on stored facts alone, so
/// the order on screen does not depend on the order in which facts were applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SortKey([u8; Self::LEN]);

impl SortKey {
    /// Its length in bytes.
    pub const LEN: usize = 24;
    /// Before every message.
    pub const MIN: Self = Self([0; Self::LEN]);
    /// After every message.
    pub const MAX: Self = Self([0xff; Self::LEN]);

    /// The key of the message that `identity` names.
    #[must_use]
    pub fn new(sent_at: Micros, arrived_at: Micros, identity: &str) -> Self {
        let hash = Sha256::digest(identity.as_bytes());
        let mut key = [0; Self::LEN];
        key[..8].copy_from_slice(&sortable(sent_at));
        key[8..16].copy_from_slice(&sortable(arrived_at));
        key[16..].copy_from_slice(&hash[..8]);
        Self(key)
    }

    /// The first key that a message sent at `at` may have.
    #[must_use]
    pub fn first_at(at: Micros) -> Self {
        let mut key = [0; Self::LEN];
        key[..8].copy_from_slice(&sortable(at));
        Self(key)
    }

    /// The provider time that the key begins with.
    #[must_use]
    pub fn sent_at(&self) -> Micros {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.0[..8]);
        Micros((u64::from_be_bytes(bytes) ^ (1 << 63)).cast_signed())
    }

    /// The bytes, in display order.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// Reads a key back; `None` if the length is wrong.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

/// Flips the sign bit, so that times before 1970 sort before those after it.
const fn sortable(at: Micros) -> [u8; 8] {
    (at.0.cast_unsigned() ^ (1 << 63)).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn provider_time_decides_before_arrival() {
        let early = SortKey::new(Micros(1), Micros(900), "a");
        let late = SortKey::new(Micros(2), Micros(3), "a");
        assert!(early < late);
        assert!(SortKey::new(Micros(-5), Micros(0), "a") < early);
        assert!(SortKey::first_at(Micros(2)) < late);
    }

    #[test]
    fn the_key_gives_its_time_back() {
        for at in [i64::MIN, -1, 0, 1, 1_769_940_312_000_000] {
            assert_eq!(SortKey::new(Micros(at), Micros(7), "x").sent_at(), Micros(at));
        }
    }
}
