//! How far a synchronisation came, as it is kept in the log.

use channel_domain::sync::Sync;
use channel_domain::time::Micros;

/// A synchronisation. Times are microseconds since 1970 UTC.
#[derive(Clone, PartialEq, prost::Message)]
pub struct SyncRecord {
    /// Public id.
    #[prost(string, tag = "1")]
    pub id: String,
    /// See [`channel_domain::sync::SyncKind`].
    #[prost(int32, tag = "2")]
    pub kind: i32,
    /// See [`channel_domain::sync::SyncState`].
    #[prost(int32, tag = "3")]
    pub state: i32,
    /// Public id of the chat, if it imports one.
    #[prost(string, optional, tag = "4")]
    pub chat: Option<String>,
    /// Chats found so far.
    #[prost(uint64, tag = "5")]
    pub chats_total: u64,
    /// Chats finished.
    #[prost(uint64, tag = "6")]
    pub chats_done: u64,
    /// Messages read.
    #[prost(uint64, tag = "7")]
    pub messages_read: u64,
    /// Messages that were new.
    #[prost(uint64, tag = "8")]
    pub messages_added: u64,
    /// When it was asked for.
    #[prost(int64, tag = "9")]
    pub requested_at: i64,
    /// When it started.
    #[prost(int64, optional, tag = "10")]
    pub started_at: Option<i64>,
    /// When it ended.
    #[prost(int64, optional, tag = "11")]
    pub ended_at: Option<i64>,
    /// How long it still takes, in microseconds.
    #[prost(int64, optional, tag = "12")]
    pub remaining: Option<i64>,
    /// Why it waits or was given up.
    #[prost(string, optional, tag = "13")]
    pub reason: Option<String>,
    /// Last change.
    #[prost(uint64, tag = "14")]
    pub rev: u64,
    /// Under which number it is taken.
    #[prost(uint32, tag = "15")]
    pub taken: u32,
    /// Whether the list that it goes by was read to its end.
    #[prost(bool, tag = "16")]
    pub listed: bool,
    /// Where that list goes on.
    #[prost(string, optional, tag = "17")]
    pub cursor: Option<String>,
    /// Pages of that list so far.
    #[prost(uint32, tag = "18")]
    pub pages: u32,
    /// How often in a row it could not go on.
    #[prost(uint32, tag = "19")]
    pub tries: u32,
    /// Not older than this, by the provider's time.
    #[prost(int64, optional, tag = "20")]
    pub since: Option<i64>,
    /// Whether UniPile is asked to read the chat anew first.
    #[prost(bool, tag = "21")]
    pub deep: bool,
    /// Chats that could not be read to their end.
    #[prost(uint64, tag = "22")]
    pub chats_failed: u64,
    /// Messages read in a second.
    #[prost(uint64, optional, tag = "23")]
    pub rate: Option<u64>,
}

impl SyncRecord {
    /// Where a synchronisation stands at a time.
    #[must_use]
    pub fn of(sync: &Sync, now: Micros) -> Self {
        let remaining = sync.remaining(now);
        Self {
            id: sync.id.to_string(),
            kind: sync.kind as i32,
            state: sync.state as i32,
            chat: sync.chat.as_ref().map(ToString::to_string),
            chats_total: sync.chats_total,
            chats_done: sync.chats_done,
            messages_read: sync.messages_read,
            messages_added: sync.messages_added,
            requested_at: sync.requested_at.0,
            started_at: sync.started_at.map(|at| at.0),
            ended_at: sync.ended_at.map(|at| at.0),
            remaining: remaining.and_then(|left| i64::try_from(left.as_micros()).ok()),
            reason: sync.reason.clone(),
            rev: sync.rev,
            taken: sync.taken,
            listed: sync.listed,
            cursor: sync.cursor.clone(),
            pages: sync.pages,
            tries: sync.tries,
            since: sync.since.map(|at| at.0),
            deep: sync.deep,
            chats_failed: sync.chats_failed,
            rate: sync.rate(now),
        }
    }
}
