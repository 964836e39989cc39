//! From the wire to our own types; every bad field is named at once.

use bytes::Bytes;
use channel_domain::Micros;
use channel_proto::ingest::v1 as pb;
use channel_runtime::fault::FieldErrors;
use channel_store::intake::{InboxFilter, Outcome};
use http::{HeaderMap, HeaderName, HeaderValue};
use prost_types::Timestamp;

use super::page_token::{self, Binding};
use crate::quarantine::{Replay, Selection};

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
pub(super) struct Listing {
    pub(super) selection: Selection,
    pub(super) below: Option<i64>,
    pub(super) size: usize,
    pub(super) with_bodies: bool,
    pub(super) binding: Binding,
}

impl TryFrom<pb::ListQuarantinedRequest> for Listing {
    type Error = FieldErrors;

    fn try_from(request: pb::ListQuarantinedRequest) -> Result<Self, FieldErrors> {
        let binding = Binding::of_list(&request);
        let mut bad = FieldErrors::default();
        let mut outcomes = states(&mut bad, &request.states);
        if outcomes.is_empty() {
            outcomes.push(Outcome::Quarantined);
        }
        let filter = InboxFilter {
            outcomes,
            ..between(&mut bad, request.received_from, request.received_before)
        };
        let account = text(&mut bad, "account_id", request.account_id, MOST_ID_BYTES);
        let reason = text(&mut bad, "reason", request.reason, MOST_REASON_BYTES);
        let size = size(&mut bad, request.page_size, 50, 200);
        let below = page_token::read(bad, &binding, &request.page_token)?;
        Ok(Self {
            selection: Selection { filter, account: account.map(Into::into), reason },
            below,
            size,
            with_bodies: request.include_body,
            binding,
        })
    }
}

/// What to replay.
pub(super) fn replay(request: pb::ReplayRequest) -> Result<(Replay, Binding), FieldErrors> {
    let binding = Binding::of_replay(&request);
    let mut bad = FieldErrors::default();
    let filtered = !(request.inbox_ids.is_empty()
        && request.states.is_empty()
        && request.account_id.is_empty())
        || request.received_from.is_some()
        || request.received_before.is_some();
    bad.ensure("inbox_ids", filtered, "or another filter must be set");
    let filter = InboxFilter {
        ids: ids(&mut bad, &request.inbox_ids),
        outcomes: states(&mut bad, &request.states),
        ..between(&mut bad, request.received_from, request.received_before)
    };
    let account = text(&mut bad, "account_id", request.account_id, MOST_ID_BYTES);
    let size = size(&mut bad, request.page_size, 100, 1_000);
    let above = page_token::read(bad, &binding, &request.page_token)?;
    let replay = Replay {
        selection: Selection { filter, account: account.map(Into::into), reason: None },
        above: above.unwrap_or_default(),
        size,
        dry_run: request.dry_run,
    };
    Ok((replay, binding))
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

fn states(bad: &mut FieldErrors, given: &[i32]) -> Vec<Outcome> {
    let read = |(at, state): (usize, &i32)| {
        let outcome = match pb::InboxState::try_from(*state) {
            Ok(pb::InboxState::Pending) => Some(Outcome::Pending),
            Ok(pb::InboxState::Applied) => Some(Outcome::Applied),
            Ok(pb::InboxState::NoOp) => Some(Outcome::NoOp),
            Ok(pb::InboxState::Quarantined) => Some(Outcome::Quarantined),
            Ok(pb::InboxState::Held) => Some(Outcome::Held),
            Ok(pb::InboxState::Unspecified) | Err(_) => None,
        };
        if outcome.is_none() {
            bad.add(format!("states[{at}]"), "is not a state of an entry");
        }
        outcome
    };
    given.iter().enumerate().filter_map(read).collect()
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
