//! What the team says of people.

use super::{Answer, requests};
use crate::outgoing::Outgoing;
use channel_domain::{AccountId, AttendeeId, names};
use channel_proto::messaging::v1 as pb;
use channel_proto::types::v1 as types;
use channel_runtime::fault::FieldErrors;
use channel_runtime::identity::Identity;
use channel_store::outbox::PersonChange;
use channel_store::record::AttendeeRecord;
use channel_wire as wire;

pub(super) async fn update_attendee(
    outgoing: Outgoing,
    caller: Identity,
    it: pb::UpdateAttendeeRequest,
) -> Answer<pb::UpdateAttendeeResponse> {
    let mut bad = FieldErrors::default();
    let account = requests::id(&mut bad, "account_id", it.account_id);
    let attendee = requests::id(&mut bad, "attendee_id", it.attendee_id);
    bad.ensure("local_name", it.local_name.is_some(), "must be set");
    let fits =
        it.local_name.as_ref().is_none_or(|name| name.chars().count() <= requests::MOST_NAME);
    bad.ensure("local_name", fits, "must be at most 128 characters");
    let (account, attendee) = both(bad, account, attendee)?;
    let name = it.local_name.map(|name| names::clean(&name)).filter(|name| !name.is_empty());
    let people =
        outgoing.change_person(&caller, &account, PersonChange::Call(attendee, name)).await?;
    Ok(pb::UpdateAttendeeResponse { attendee: shown(&account, &people).into_iter().next() })
}

pub(super) async fn join_attendees(
    outgoing: Outgoing,
    caller: Identity,
    it: pb::JoinAttendeesRequest,
) -> Answer<pb::JoinAttendeesResponse> {
    let mut bad = FieldErrors::default();
    let account = requests::id(&mut bad, "account_id", it.account_id);
    let one = requests::id(&mut bad, "attendee_id", it.attendee_id);
    let other: Option<AttendeeId> =
        requests::id(&mut bad, "other_attendee_id", it.other_attendee_id);
    bad.ensure("other_attendee_id", one.is_none() || one != other, "must be another attendee");
    let (account, (one, other)) = both(bad, account, one.zip(other))?;
    let change = PersonChange::Join(one, other);
    let people = outgoing.change_person(&caller, &account, change).await?;
    Ok(pb::JoinAttendeesResponse { attendees: shown(&account, &people) })
}

pub(super) async fn split_attendee(
    outgoing: Outgoing,
    caller: Identity,
    it: pb::SplitAttendeeRequest,
) -> Answer<pb::SplitAttendeeResponse> {
    let mut bad = FieldErrors::default();
    let account = requests::id(&mut bad, "account_id", it.account_id);
    let attendee = requests::id(&mut bad, "attendee_id", it.attendee_id);
    let (account, attendee) = both(bad, account, attendee)?;
    let people = outgoing.change_person(&caller, &account, PersonChange::Part(attendee)).await?;
    Ok(pb::SplitAttendeeResponse { attendee: shown(&account, &people).into_iter().next() })
}

fn both<T>(
    bad: FieldErrors,
    account: Option<AccountId>,
    named: Option<T>,
) -> Result<(AccountId, T), FieldErrors> {
    match (account, named) {
        (Some(account), Some(named)) if bad.is_empty() => Ok((account, named)),
        _ => Err(bad),
    }
}

fn shown(account: &AccountId, people: &[AttendeeRecord]) -> Vec<types::Attendee> {
    people.iter().map(|person| wire::attendee(account.as_str(), person)).collect()
}
