//! From the wire to our own types; every bad field is named at once.

use bytes::Bytes;
use channel_domain::Micros;
use channel_proto::ingest::v1 as pb;
use channel_runtime::fault::FieldErrors;
use channel_store::intake::{InboxFilter, InboxOrder, Outcome};
use http::{HeaderMap, HeaderName, HeaderValue};
use prost_types::Timestamp;

use super::page_token::{self, Binding};
use crate::quarantine::{List, Replay};

pub(super) const TOO_LARGE: &str = "BODY_TOO_LARGE";
const MOST_IDS: usize = 1_000;
const MOST_ID_BYTES: usize = 512;
const MOST_REASON_BYTES: usize = 64;

/// A webhook as a service hands it over.
pub(super) struct Delivered {
    pub(super) body: Bytes,
    pub(super) headers: HeaderMap,
    pub(super) path_token: Option<String>,
}

impl Delivered {
    pub(super) fn read(
        request: pb::DeliverWebhookRequest,
        limit: usize,
    ) -> Result<Self, FieldErrors> {
        let mut bad = FieldErrors::default();
        let mut headers = HeaderMap::new();
        for (at, header) in request.headers.into_iter().enumerate() {
            let name = HeaderName::from_bytes(header.name.as_bytes());
            let value = HeaderValue::from_bytes(&header.value);
            let name = bad.check(&format!("headers[{at}].name"), name);
            let value = bad.check(&format!("headers[{at}].value"), value);
            if let (Some(name), Some(value)) = (name, value) {
                headers.append(name, value);
            }
        }
        if request.body.len() > limit {
            // Its own reason, unless something else is wrong as well.
            if bad.is_empty() {
                bad = FieldErrors::with_reason(TOO_LARGE);
            }
            bad.add("body", format!("is larger than {limit} bytes"));
        }
        bad.finish()?;
        Ok(Self {
            body: request.body,
            headers,
            path_token: Some(request.path_token).filter(|token| !token.is_empty()),
        })
    }
}

/// What to list.
pub(super) fn list(request: pb::ListQuarantinedRequest) -> Result<(List, Binding), FieldErrors> {
    let binding = Binding::of_list(&request);
    let mut bad = FieldErrors::default();
    let mut named = Named {
        states: request.states,
        account_id: request.account_id,
        reason: request.reason,
        ids: request.inbox_ids,
        from: request.received_from,
        before: request.received_before,
    };
    if named.states.is_empty() && named.ids.is_empty() {
        named.states =
            vec![pb::InboxState::Quarantined.into(), pb::InboxState::Inconsistent.into()];
    }
    let filter = InboxFilter { order: order(&mut bad, request.order), ..named.read(&mut bad) };
    let size = size(&mut bad, request.page_size, 50, 200);
    let after = page_token::read(bad, &binding, &request.page_token)?;
    Ok((List { filter, after, size, with_bodies: request.include_body }, binding))
}

/// What to replay.
pub(super) fn replay(request: pb::ReplayRequest) -> Result<(Replay, Binding), FieldErrors> {
    let binding = Binding::of_replay(&request);
    let mut bad = FieldErrors::default();
    let named = Named {
        states: request.states,
        account_id: request.account_id,
        reason: request.reason,
        ids: request.inbox_ids,
        from: request.received_from,
        before: request.received_before,
    };
    bad.ensure("inbox_ids", !named.is_everything(), "or another filter must be set");
    let filter = named.read(&mut bad);
    let size = size(&mut bad, request.page_size, 100, 1_000);
    let above = page_token::read(bad, &binding, &request.page_token)?;
    let above = above.unwrap_or_default();
    Ok((Replay { filter, above, size, dry_run: request.dry_run }, binding))
}

/// The filters that both methods have.
struct Named {
    states: Vec<i32>,
    account_id: String,
    reason: String,
    ids: Vec<String>,
    from: Option<Timestamp>,
    before: Option<Timestamp>,
}

impl Named {
    fn is_everything(&self) -> bool {
        let texts = self.account_id.is_empty() && self.reason.is_empty();
        let times = self.from.is_none() && self.before.is_none();
        self.states.is_empty() && self.ids.is_empty() && texts && times
    }

    fn read(self, bad: &mut FieldErrors) -> InboxFilter {
        let (outcomes, unknown_states) = states(bad, &self.states);
        let account = text(bad, "account_id", self.account_id, MOST_ID_BYTES);
        let reason = text(bad, "reason", self.reason, MOST_REASON_BYTES);
        let ids = ids(bad, &self.ids);
        InboxFilter {
            ids,
            outcomes,
            unknown_states,
            account: account.map(Into::into),
            reason,
            ..between(bad, self.from, self.before)
        }
    }
}

fn order(bad: &mut FieldErrors, given: i32) -> InboxOrder {
    match pb::InboxOrder::try_from(given) {
        Ok(pb::InboxOrder::OldestFirst) => InboxOrder::Oldest,
        Ok(pb::InboxOrder::NewestFirst | pb::InboxOrder::Unspecified) => InboxOrder::Newest,
        Err(_) => {
            bad.add("order", "is not an order");
            InboxOrder::Newest
        }
    }
}

fn ids(bad: &mut FieldErrors, given: &[String]) -> Vec<i64> {
    bad.ensure("inbox_ids", given.len() <= MOST_IDS, "must be at most 1000");
    let read = |(at, id): (usize, &String)| {
        let number = id.parse().ok().filter(|id: &i64| *id > 0);
        if number.is_none() {
            bad.add(format!("inbox_ids[{at}]"), "is not the id of an entry");
        }
        number
    };
    given.iter().enumerate().filter_map(read).collect()
}

/// The states, and whether that is among them which no program knows.
fn states(bad: &mut FieldErrors, given: &[i32]) -> (Vec<Outcome>, bool) {
    let (mut outcomes, mut unknown) = (vec![], false);
    for (at, state) in given.iter().enumerate() {
        match pb::InboxState::try_from(*state) {
            Ok(pb::InboxState::Pending) => outcomes.push(Outcome::Pending),
            Ok(pb::InboxState::Applied) => outcomes.push(Outcome::Applied),
            Ok(pb::InboxState::NoOp) => outcomes.push(Outcome::NoOp),
            Ok(pb::InboxState::Quarantined) => outcomes.push(Outcome::Quarantined),
            Ok(pb::InboxState::Held) => outcomes.push(Outcome::Held),
            Ok(pb::InboxState::Inconsistent) => unknown = true,
            Ok(pb::InboxState::Unspecified) | Err(_) => {
                bad.add(format!("states[{at}]"), "is not a state of an entry");
            }
        }
    }
    (outcomes, unknown)
}

fn text(bad: &mut FieldErrors, field: &str, value: String, most: usize) -> Option<String> {
    bad.ensure(field, value.len() <= most, "is too long");
    Some(value).filter(|value| !value.is_empty())
}

fn size(bad: &mut FieldErrors, given: i32, default: usize, most: usize) -> usize {
    match usize::try_from(given) {
        Ok(0) => default,
        Ok(size) if size <= most => size,
        _ => {
            bad.add("page_size", format!("must be 1 to {most}, or 0 for {default}"));
            default
        }
    }
}

fn between(
    bad: &mut FieldErrors,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
) -> InboxFilter {
    let since = since.and_then(|at| micros(bad, "received_from", at));
    let until = until.and_then(|at| micros(bad, "received_before", at));
    if let (Some(since), Some(until)) = (since, until) {
        bad.ensure("received_before", since < until, "must be after `received_from`");
    }
    InboxFilter { since, until, ..InboxFilter::default() }
}

fn micros(bad: &mut FieldErrors, field: &str, at: Timestamp) -> Option<Micros> {
    let nanos = u32::try_from(at.nanos).ok().filter(|it| *it < 1_000_000_000);
    let micros = nanos.and_then(|nanos| {
        let seconds = at.seconds.checked_mul(1_000_000)?;
        seconds.checked_add(i64::from(nanos / 1_000)).map(Micros)
    });
    if micros.is_none() {
        bad.add(field, "is not a point in time");
    }
    micros
}
