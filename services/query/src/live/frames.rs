//! Frames as the bytes of a `WatchResponse`.

use super::cursor::{Cursor, SCHEMA};
use super::segment::Slice;
use bytes::{BufMut as _, Bytes, BytesMut};
use channel_domain::time::Micros;
use channel_proto::query::v1::watch_response::Frame;
use channel_proto::query::v1::{
    AccountPosition, Bookmark, CaughtUp, Changes, Goodbye, GoodbyeReason, Hello, Reset,
    ResetReason, WatchResponse,
};
use channel_store::log::Position;
use prost::Message as _;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint};
use std::time::Duration;

/// The number of `WatchResponse.changes` in the contract.
const CHANGES: u32 = 2;

/// Opens a stream.
pub(super) fn hello(now: Micros, heartbeat: Duration, accounts: Vec<AccountPosition>) -> Bytes {
    encode(Frame::Hello(Hello {
        server_time: Some(channel_wire::timestamp(now)),
        heartbeat_period: Some(duration(heartbeat)),
        accounts,
        schema: SCHEMA,
    }))
}

/// Events of one account, copied as they were encoded.
pub(super) fn changes(account_id: &str, slice: Slice<'_>, epoch: u64) -> Bytes {
    let cursor = Cursor { epoch, at: slice.last };
    let head = Changes {
        account_id: account_id.to_owned(),
        prev_seq: slice.before.seq,
        ..Changes::default()
    };
    let tail = Changes {
        cursor: if slice.more { Bytes::new() } else { cursor.to_bytes() },
        more: slice.more,
        ..Changes::default()
    };
    let length = head.encoded_len() + slice.bytes + tail.encoded_len();
    let prefix = 1 + encoded_len_varint(length as u64);
    let mut frame = BytesMut::with_capacity(prefix + length);
    encode_key(CHANGES, WireType::LengthDelimited, &mut frame);
    encode_varint(length as u64, &mut frame);
    head.encode_raw(&mut frame);
    for event in slice.events {
        frame.put_slice(&event.wire);
    }
    tail.encode_raw(&mut frame);
    frame.freeze()
}

pub(super) fn caught_up(account_ids: Vec<String>) -> Bytes {
    encode(Frame::CaughtUp(CaughtUp { account_ids }))
}

pub(super) fn bookmark(now: Micros, accounts: Vec<AccountPosition>) -> Bytes {
    encode(Frame::Bookmark(Bookmark { accounts, server_time: Some(channel_wire::timestamp(now)) }))
}

/// `cursor` is none when the account leaves the stream.
pub(super) fn reset(account_id: &str, reason: ResetReason, cursor: Option<Cursor>) -> Bytes {
    encode(Frame::Reset(Reset {
        account_id: account_id.to_owned(),
        reason: reason.into(),
        cursor: cursor.map(Cursor::to_bytes).unwrap_or_default(),
        seq: cursor.map_or(0, |cursor| cursor.at.seq),
    }))
}

pub(super) fn goodbye(reason: GoodbyeReason, retry_after: Option<Duration>) -> Bytes {
    encode(Frame::Goodbye(Goodbye {
        reason: reason.into(),
        retry_after: retry_after.map(duration),
    }))
}

/// A position for Hello and Bookmark.
pub(super) fn position(account_id: &str, epoch: u64, at: Position, head: u64) -> AccountPosition {
    AccountPosition {
        account_id: account_id.to_owned(),
        cursor: Cursor { epoch, at }.to_bytes(),
        seq: at.seq,
        head: head.max(at.seq),
    }
}

fn encode(frame: Frame) -> Bytes {
    WatchResponse { frame: Some(frame) }.encode_to_vec().into()
}

fn duration(of: Duration) -> prost_types::Duration {
    prost_types::Duration {
        seconds: i64::try_from(of.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(of.subsec_nanos()).unwrap_or(0),
    }
}
