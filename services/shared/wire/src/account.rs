//! Accounts and the freshness of their data.

use super::kinds::connection_of;
use super::time::{optional, timestamp};
use channel_domain::account::Source;
use channel_domain::fact::UpstreamStatus::CreationSuccess;
use channel_domain::time::Micros;
use channel_proto::types::v1 as pb;
use channel_store::record::AccountRecord;

/// An account, with the freshness that goes with it.
#[must_use]
pub fn account(account: &AccountRecord, freshness: pb::Freshness) -> pb::Account {
    let state = state_of(account);
    let source = match account.connection_since {
        Some(_) if account.connection_source == Source::Api as i32 => pb::ConnectionSource::Api,
        Some(_) => pb::ConnectionSource::Webhook,
        None => pb::ConnectionSource::Unspecified,
    };
    pb::Account {
        account_id: account.id.clone(),
        phone_number: account.phone.clone().unwrap_or_default(),
        display_name: account.name.clone(),
        connection: Some(pb::AccountConnection {
            state: state.into(),
            since: optional(account.connection_since),
            source: source.into(),
            upstream_state: account.connection_word.clone().unwrap_or_default(),
        }),
        freshness: Some(freshness),
        self_attendee_id: String::new(),
        created_at: Some(timestamp(Micros(account.created_at))),
        revision: account.rev,
    }
}

/// An account that was just added is told apart from one that catches up.
fn state_of(account: &AccountRecord) -> pb::ConnectionState {
    let is_new = account.connection_word.as_deref() == Some(CreationSuccess.as_wire());
    match connection_of(account.connection) {
        pb::ConnectionState::Connecting if is_new => pb::ConnectionState::Creating,
        state => state,
    }
}

/// How fresh what was read of an account is: its connection, when a webhook about it last came, and the
/// sequence up to which everything is included; and up to when everything was read in.
#[must_use]
pub fn freshness(account: &AccountRecord, heard_at: Option<Micros>, as_of: u64) -> pb::Freshness {
    pb::Freshness {
        account_id: account.id.clone(),
        state: state_of(account).into(),
        state_since: optional(account.connection_since),
        last_webhook_at: heard_at.map(timestamp),
        complete_up_to: optional(account.complete_up_to),
        as_of_seq: as_of,
    }
}
