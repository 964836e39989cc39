//! One event of the log, encoded once for everyone who will get it.

use super::meters::Meters;
use bytes::{Bytes, BytesMut};
use channel_store::log::{LogRow, Position};
use prost::Message as _;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint};

/// The number of `Changes.changes` in the contract.
const FIELD: u32 = 3;
const KEY_BYTES: usize = 1;

/// One event, ready to be copied into frames.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) at: Position,
    pub(super) unit_end: bool,
    /// When it was committed, in microseconds since 1970 (UTC).
    pub(super) committed: i64,
    /// A whole entry of the field `changes`: key, length and body.
    pub(super) wire: Bytes,
}

impl Event {
    pub(super) fn encode(account_id: &str, row: &LogRow, meters: &Meters) -> Self {
        let change = channel_wire::change(account_id, row);
        let length = change.encoded_len();
        let prefix = KEY_BYTES + encoded_len_varint(length as u64);
        let mut wire = BytesMut::with_capacity(prefix + length);
        encode_key(FIELD, WireType::LengthDelimited, &mut wire);
        encode_varint(length as u64, &mut wire);
        change.encode_raw(&mut wire);
        meters.encoded.add(1);
        Self {
            at: Position { seq: row.seq, tag: row.tag },
            unit_end: row.unit_end,
            committed: row.at.0,
            wire: wire.freeze(),
        }
    }
}

/// What is wrong with a row that does not follow the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Violation {
    /// Its number is not the next one.
    Density,
    /// Its tag is not the running hash.
    Chain,
}

impl Violation {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Density => "density",
            Self::Chain => "chain",
        }
    }

    /// Checks that `row` follows `before`.
    pub(super) fn of(before: Position, row: &LogRow) -> Option<Self> {
        if row.seq != before.seq.wrapping_add(1) {
            return Some(Self::Density);
        }
        (row.chained(before.tag) != row.tag).then_some(Self::Chain)
    }
}
