//! Changes of the log.

use super::{kinds, timestamp};
use channel_proto::types::v1 as pb;
use channel_proto::types::v1::change::Entity;
use channel_store::log::{LogRow, Op};
use channel_store::record::{Record, State};

/// One change. Without a body that can be read the entity is left out and the client reads it itself.
///
/// The body of a merge is the state of the entity that remains; only its id is told. One without says no more than
/// that the entity is gone: what remained was erased.
#[must_use]
pub fn change(account_id: &str, row: &LogRow) -> pb::Change {
    let state = row.body.as_deref().and_then(Record::from_body);
    let merged_into_id = match (row.op, &state) {
        (Op::Merge, Some(state)) => id(state).to_owned(),
        _ => String::new(),
    };
    let is_bare = row.op == Op::Merge && row.body.is_none();
    let op = if is_bare { Op::Delete } else { row.op };
    pb::Change {
        seq: row.seq,
        op: kinds::op(op).into(),
        entity_kind: kinds::entity(row.entity).into(),
        entity_id: row.entity_id.clone(),
        unit_end: row.unit_end,
        at: Some(timestamp(row.at)),
        entity: state.filter(|_| row.op == Op::Put).map(|state| entity(account_id, row, &state)),
        merged_into_id,
        traceparent: row.trace.clone().unwrap_or_default(),
    }
}

fn entity(account_id: &str, row: &LogRow, state: &State) -> Entity {
    match state {
        State::Account(account) => {
            let freshness = super::freshness(account, None, row.seq);
            Entity::Account(super::account(account, freshness))
        }
        State::Chat(chat) => Entity::Chat(super::chat(account_id, chat, row.at)),
        State::Message(message) => Entity::Message(super::message(account_id, message)),
        State::Attendee(person) => Entity::Attendee(super::attendee(account_id, person)),
        State::Send(send) => Entity::SendState(super::send_state(account_id, send)),
        State::Sync(sync) => Entity::SyncProgress(super::sync_progress(account_id, sync)),
    }
}

fn id(state: &State) -> &str {
    match state {
        State::Account(account) => &account.id,
        State::Chat(chat) => &chat.id,
        State::Message(message) => &message.id,
        State::Attendee(person) => &person.id,
        State::Send(send) => &send.id,
        State::Sync(sync) => &sync.id,
    }
}
