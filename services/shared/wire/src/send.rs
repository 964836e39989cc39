//! States of sending.

use super::time::{duration, optional, timestamp};
use channel_domain::send::Phase;
use channel_domain::time::Micros;
use channel_proto::types::v1 as pb;
use channel_store::record::{FailureRecord, SendRecord};

/// Where the sending of a message stands.
#[must_use]
pub fn send_state(account_id: &str, send: &SendRecord) -> pb::SendState {
    pb::SendState {
        account_id: account_id.to_owned(),
        chat_id: send.chat.clone(),
        message_id: send.id.clone(),
        phase: phase_of(send.phase).into(),
        attempts: send.attempts,
        next_attempt_at: optional(send.next_at),
        expected_wait: send.expected_wait.map(duration),
        expires_at: Some(timestamp(Micros(send.expires_at))),
        reason: send.reason.clone(),
        revision: send.rev,
    }
}

/// Why a message was not sent.
pub(super) fn failure(failure: &FailureRecord) -> pb::MessageFailure {
    pb::MessageFailure {
        reason: failure.reason.clone(),
        detail: failure.detail.clone(),
        at: Some(timestamp(Micros(failure.at))),
    }
}

pub(super) fn phase_of(number: i32) -> pb::SendPhase {
    let known = i16::try_from(number).ok().and_then(Phase::from_number);
    known.map_or(pb::SendPhase::Unspecified, phase)
}

pub(super) const fn phase(phase: Phase) -> pb::SendPhase {
    match phase {
        Phase::Queued => pb::SendPhase::Queued,
        Phase::Sending => pb::SendPhase::Sending,
        Phase::Uncertain => pb::SendPhase::Uncertain,
        Phase::Sent => pb::SendPhase::Sent,
        Phase::Failed => pb::SendPhase::Failed,
        Phase::Unconfirmed => pb::SendPhase::Unconfirmed,
        Phase::Cancelled => pb::SendPhase::Cancelled,
        Phase::Expired => pb::SendPhase::Expired,
    }
}
