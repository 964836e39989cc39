//! How far synchronisations came.

use super::time::{duration, optional, timestamp};
use channel_domain::sync::{SyncKind, SyncState};
use channel_domain::time::Micros;
use channel_proto::types::v1 as pb;
use channel_store::record::SyncRecord;

/// How far a synchronisation came.
#[must_use]
pub fn sync_progress(account_id: &str, sync: &SyncRecord) -> pb::SyncProgress {
    pb::SyncProgress {
        account_id: account_id.to_owned(),
        sync_id: sync.id.clone(),
        kind: kind_of(sync.kind).into(),
        state: state_of(sync.state).into(),
        chat_id: sync.chat.clone().unwrap_or_default(),
        chats_total: sync.chats_total,
        chats_done: sync.chats_done,
        messages_read: sync.messages_read,
        messages_added: sync.messages_added,
        requested_at: Some(timestamp(Micros(sync.requested_at))),
        started_at: optional(sync.started_at),
        ended_at: optional(sync.ended_at),
        remaining: sync.remaining.map(duration),
        reason: sync.reason.clone().unwrap_or_default(),
        revision: sync.rev,
        messages_per_second: sync.rate.unwrap_or_default(),
    }
}

fn kind_of(number: i32) -> pb::SyncKind {
    match i16::try_from(number).ok().and_then(SyncKind::from_number) {
        Some(SyncKind::History) => pb::SyncKind::History,
        Some(SyncKind::Repair) => pb::SyncKind::Repair,
        Some(SyncKind::Chat) => pb::SyncKind::Chat,
        None => pb::SyncKind::Unspecified,
    }
}

fn state_of(number: i32) -> pb::SyncState {
    match i16::try_from(number).ok().and_then(SyncState::from_number) {
        Some(SyncState::Queued) => pb::SyncState::Queued,
        Some(SyncState::Running) => pb::SyncState::Running,
        Some(SyncState::Paused) => pb::SyncState::Paused,
        Some(SyncState::Done) => pb::SyncState::Done,
        Some(SyncState::Failed) => pb::SyncState::Failed,
        Some(SyncState::Cancelled) => pb::SyncState::Cancelled,
        None => pb::SyncState::Unspecified,
    }
}
