//! Cursors: where a client stands in one account's log, as bytes that mean nothing to it.
//!
//! `version u8 | epoch u64 | seq varint | tag u32`, numbers big-endian, the varint as protobuf writes it.

use bytes::{BufMut, Bytes, BytesMut};
use channel_store::log::Position;
use prost::encoding::encode_varint;

/// The version of the frames' meaning that is served, and the first byte of cursors made under it.
pub const SCHEMA: u32 = 1;
const VERSION: u8 = 1;
const MOST_BYTES: usize = 1 + 8 + 10 + 4;

/// A place in one history of one account's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The number of the history.
    pub epoch: u64,
    /// The place.
    pub at: Position,
}

impl Cursor {
    /// The bytes that clients keep.
    #[must_use]
    pub fn to_bytes(self) -> Bytes {
        let mut bytes = BytesMut::with_capacity(MOST_BYTES);
        bytes.put_u8(VERSION);
        bytes.put_u64(self.epoch);
        encode_varint(self.at.seq, &mut bytes);
        bytes.put_u32(self.at.tag);
        bytes.freeze()
    }

    /// Reads what a client has kept. `None`: of another version, or no cursor of ours; there is exactly one
    /// spelling of each.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (version, rest) = bytes.split_first()?;
        let (epoch, rest) = rest.split_first_chunk()?;
        let (seq, tag) = rest.split_last_chunk()?;
        let cursor = Self {
            epoch: u64::from_be_bytes(*epoch),
            at: Position { seq: varint(seq)?, tag: u32::from_be_bytes(*tag) },
        };
        (*version == VERSION).then_some(cursor)
    }
}

/// A number in the fewest bytes, with nothing after it.
fn varint(bytes: &[u8]) -> Option<u64> {
    let (last, others) = bytes.split_last()?;
    let ends = others.iter().all(|byte| byte & 0x80 != 0) && last & 0x80 == 0;
    let shortest = *last != 0 || others.is_empty();
    let fits = others.len() < 9 || (others.len() == 9 && *last <= 1);
    let low_first = bytes.iter().rev();
    (ends && shortest && fits)
        .then(|| low_first.fold(0, |number, byte| number << 7 | u64::from(byte & 0x7f)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_cursor_is_read_as_it_was_written(epoch: u64, seq: u64, tag: u32) {
            let cursor = Cursor { epoch, at: Position { seq, tag } };
            prop_assert_eq!(Cursor::from_bytes(&cursor.to_bytes()), Some(cursor));
        }

        #[test]
        fn what_is_read_has_one_spelling(bytes in prop::collection::vec(any::<u8>(), 0..30)) {
            let mut bytes = bytes;
            if let Some(first) = bytes.first_mut() { *first = VERSION; }
            if let Some(cursor) = Cursor::from_bytes(&bytes) {
                prop_assert_eq!(cursor.to_bytes(), bytes);
            }
        }
    }

    #[test]
    fn a_cursor_cut_short_or_of_another_version_is_none() {
        let cursor = Cursor { epoch: 7, at: Position { seq: 300, tag: 9 } };
        let bytes = cursor.to_bytes();
        for end in 0..bytes.len() {
            assert_eq!(Cursor::from_bytes(&bytes[..end]), None, "{end}");
        }
        let mut other = bytes.to_vec();
        other[0] = 2;
        assert_eq!(Cursor::from_bytes(&other), None);
    }
}
