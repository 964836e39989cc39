//! From our own types to the wire.

use std::sync::atomic::Ordering;

use channel_domain::Micros;
use channel_proto::ingest::v1 as pb;
use channel_proto::types::v1 as types;
use channel_runtime::fault::{Fault, Kind, to_status};
use channel_store::intake::{InboxCounts, Inconsistent, Outcome, Verdict};
use channel_store::log::{Entity, LogRow, Op};
use prost_types::Timestamp;
use tonic::Status;

use super::page_token::Binding;
use crate::counters::{Counters, IntakeMode};
use crate::quarantine::{Entry, ListPage, Replayed, ReplayedOne};

pub(super) fn delivered(verdict: &Verdict) -> pb::DeliverWebhookResponse {
    pb::DeliverWebhookResponse {
        outcome: outcome(verdict.outcome).into(),
        inbox_id: verdict.inbox.map(|id| id.to_string()).unwrap_or_default(),
        reason: verdict.reason.unwrap_or_default().to_owned(),
    }
}

pub(super) fn listed(page: ListPage, binding: &Binding) -> pb::ListQuarantinedResponse {
    pb::ListQuarantinedResponse {
        entries: page.entries.into_iter().map(entry).collect(),
        next_page_token: binding.write(page.next),
    }
}

fn entry(entry: Entry) -> pb::InboxEntry {
    let (stored, event, body_bytes) = match entry {
        Entry::Sound { stored, event, body_bytes } => (stored, event, body_bytes),
        Entry::Broken(inconsistent) => return broken(inconsistent),
    };
    pb::InboxEntry {
        inbox_id: stored.stamp.inbox.to_string(),
        state: state(stored.outcome).into(),
        account_id: stored.account.map(|id| id.to_string()).unwrap_or_default(),
        event: event.unwrap_or_default(),
        reason: stored.reason.unwrap_or_default(),
        detail: stored.detail.unwrap_or_default(),
        received_at: Some(timestamp(stored.stamp.at)),
        attempts: stored.attempts,
        next_attempt_at: stored.next_at.map(timestamp),
        body_bytes: u32::try_from(body_bytes).unwrap_or(u32::MAX),
        body: stored.body,
    }
}

fn broken(inconsistent: Inconsistent) -> pb::InboxEntry {
    pb::InboxEntry {
        inbox_id: inconsistent.inbox.to_string(),
        state: pb::InboxState::Inconsistent.into(),
        reason: Inconsistent::REASON.to_owned(),
        detail: format!("the column {} holds no such value", inconsistent.what),
        ..pb::InboxEntry::default()
    }
}

pub(super) fn replayed(replayed: &Replayed, binding: &Binding) -> pb::ReplayResponse {
    pb::ReplayResponse {
        results: replayed.results.iter().map(|one| result(one, replayed.dry_run)).collect(),
        next_page_token: binding.write(replayed.next),
    }
}

fn result(one: &ReplayedOne, dry_run: bool) -> pb::ReplayResult {
    pb::ReplayResult {
        inbox_id: one.inbox.to_string(),
        outcome: outcome(one.outcome).into(),
        reason: one.reason.unwrap_or_default().to_owned(),
        changes: one.changes.iter().map(|row| change(row, dry_run)).collect(),
    }
}

/// A change without the state, which readers ask the query service for.
fn change(row: &LogRow, dry_run: bool) -> types::Change {
    let kind = match row.entity {
        Entity::Account => types::EntityKind::Account,
        Entity::Chat => types::EntityKind::Chat,
        Entity::Message => types::EntityKind::Message,
        Entity::Attendee => types::EntityKind::Attendee,
        Entity::Send => types::EntityKind::SendState,
        Entity::Sync => types::EntityKind::SyncProgress,
    };
    let op = match row.op {
        Op::Put => types::ChangeKind::Put,
        Op::Delete => types::ChangeKind::Delete,
        Op::Merge => types::ChangeKind::Merge,
        Op::Invalidate => types::ChangeKind::Invalidate,
    };
    types::Change {
        // A number that was only tried out is given to another change.
        seq: if dry_run { 0 } else { row.seq },
        op: op.into(),
        entity_kind: kind.into(),
        entity_id: row.entity_id.clone(),
        unit_end: row.unit_end,
        at: Some(timestamp(row.at)),
        traceparent: row.trace.clone().unwrap_or_default(),
        ..types::Change::default()
    }
}

pub(super) fn status(
    counters: &Counters,
    counts: InboxCounts,
    oldest_pending: Option<Micros>,
    unknown: Vec<(String, u64)>,
) -> pb::GetIngestStatusResponse {
    let mode = match counters.mode() {
        IntakeMode::Normal => pb::IntakeMode::Normal,
        IntakeMode::StoreOnly => pb::IntakeMode::StoreOnly,
        IntakeMode::StoreAway => pb::IntakeMode::StoreAway,
    };
    let event = |(event, count)| pb::EventCount { event, count };
    pb::GetIngestStatusResponse {
        mode: mode.into(),
        accepted_total: counters.accepted.load(Ordering::Relaxed),
        refused_total: counters.refused.load(Ordering::Relaxed),
        duplicates_total: counters.duplicates.load(Ordering::Relaxed),
        pending: counts.pending,
        quarantined: counts.quarantined,
        held: counts.held,
        inconsistent: counts.inconsistent,
        oldest_pending_at: oldest_pending.map(timestamp),
        last_received_at: counters.last_received().map(timestamp),
        unknown_events: unknown.into_iter().map(event).collect(),
    }
}

/// Some entries are not, or no longer, kept; nothing was replayed.
pub(super) fn missing(ids: &[i64]) -> Status {
    /// As many ids as fit into a header.
    const MOST: usize = 50;

    #[derive(Debug, thiserror::Error)]
    #[error("some entries are not kept, nothing was replayed")]
    struct Missing(String);

    impl Fault for Missing {
        fn kind(&self) -> Kind {
            Kind::NotFound
        }

        fn reason(&self) -> &'static str {
            "INBOX_ENTRY_NOT_FOUND"
        }

        fn metadata(&self) -> Vec<(&'static str, String)> {
            vec![("inbox_ids", self.0.clone())]
        }
    }

    let ids: Vec<_> = ids.iter().take(MOST).map(ToString::to_string).collect();
    to_status(&Missing(ids.join(",")))
}

const fn outcome(outcome: Outcome) -> pb::WebhookOutcome {
    match outcome {
        Outcome::Pending => pb::WebhookOutcome::Pending,
        Outcome::Applied => pb::WebhookOutcome::Applied,
        Outcome::NoOp => pb::WebhookOutcome::NoOp,
        Outcome::Quarantined => pb::WebhookOutcome::Quarantined,
        Outcome::Held => pb::WebhookOutcome::Held,
        Outcome::Duplicate => pb::WebhookOutcome::Duplicate,
    }
}

/// A duplicate is not kept, so no entry is in that state; an old store may say it of a repetition.
const fn state(outcome: Outcome) -> pb::InboxState {
    match outcome {
        Outcome::Pending => pb::InboxState::Pending,
        Outcome::Applied => pb::InboxState::Applied,
        Outcome::NoOp | Outcome::Duplicate => pb::InboxState::NoOp,
        Outcome::Quarantined => pb::InboxState::Quarantined,
        Outcome::Held => pb::InboxState::Held,
    }
}

fn timestamp(at: Micros) -> Timestamp {
    let nanos = at.0.rem_euclid(1_000_000) * 1_000;
    Timestamp {
        seconds: at.0.div_euclid(1_000_000),
        nanos: i32::try_from(nanos).unwrap_or_default(),
    }
}
