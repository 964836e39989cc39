//! The calls that erase.

use channel_domain::{AccountId, AttendeeId};
use channel_proto::messaging::v1 as pb;
use channel_runtime::fault::FieldErrors;
use channel_runtime::identity::Identity;
use channel_runtime::supervise::Tasks;
use channel_store::erase::Erasure;
use channel_wire as wire;

use super::{Answer, requests};
use crate::connect::Connections;

/// Most ids of one person.
const MOST_IDS: usize = 100;

pub(super) async fn contact(
    connections: Connections,
    _tasks: Tasks,
    caller: Identity,
    request: pb::EraseContactRequest,
) -> Answer<pb::EraseContactResponse> {
    let mut bad = FieldErrors::default();
    let account: Option<AccountId> = requests::id(&mut bad, "account_id", request.account_id);
    let id = requests::own_id(&mut bad, "request_id", &request.request_id);
    let number = request.attendee_ids.len();
    bad.ensure("attendee_ids", (1..=MOST_IDS).contains(&number), "must be 1 to 100 ids");
    let ids = request.attendee_ids.into_iter();
    let mut people: Vec<AttendeeId> =
        ids.filter_map(|id| requests::id(&mut bad, "attendee_ids", id)).collect();
    people.sort_unstable();
    people.dedup();
    let (Some(account), Some(id), true) = (account, id, bad.is_empty()) else {
        return Err(bad.into());
    };
    let erasure = connections.erase_contact(&caller, &account, people, id.0).await?;
    Ok(pb::EraseContactResponse { erasure: Some(shown(&erasure)) })
}

pub(super) async fn get(
    connections: Connections,
    _tasks: Tasks,
    caller: Identity,
    request: pb::GetErasureRequest,
) -> Answer<pb::GetErasureResponse> {
    let mut bad = FieldErrors::default();
    let id = requests::uuid(&mut bad, "erasure_id", &request.erasure_id);
    let id = id.filter(|_| bad.is_empty()).ok_or(bad)?;
    let erasure = connections.erasure(&caller, id.0).await?;
    Ok(pb::GetErasureResponse { erasure: Some(shown(&erasure)) })
}

pub(super) fn shown(erasure: &Erasure) -> pb::Erasure {
    let kind = if erasure.is_account { pb::ErasureKind::Account } else { pb::ErasureKind::Contact };
    let counts = &erasure.counts;
    let problem = erasure.removal.as_ref().and_then(|removal| removal.problem.clone());
    pb::Erasure {
        erasure_id: erasure.id.to_string(),
        account_id: erasure.account.to_string(),
        kind: kind.into(),
        requested_by: erasure.by.clone(),
        requested_at: Some(wire::timestamp(erasure.asked_at)),
        ended_at: erasure.ended_at.map(wire::timestamp),
        phase: phase(erasure).into(),
        removal_problem: problem.unwrap_or_default(),
        counts: Some(pb::ErasureCounts {
            attendees: counts.people,
            chats: counts.chats,
            messages: counts.messages,
            mentions: counts.mentions,
            payloads: counts.payloads,
            changes: counts.changes,
            rows: counts.rows,
        }),
    }
}

const fn phase(erasure: &Erasure) -> pb::ErasurePhase {
    match (&erasure.removal, erasure.ended_at) {
        (Some(_), _) => pb::ErasurePhase::Removing,
        (None, None) => pb::ErasurePhase::Erasing,
        (None, Some(_)) => pb::ErasurePhase::Done,
    }
}
