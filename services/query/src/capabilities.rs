//! What this server, an account and a chat can do for a caller, and why not.

use crate::error::QueryError;
use crate::read::{Queries, Target};
use channel_domain::account::Connection;
use channel_domain::{AccountId, ChatId};
use channel_proto::query::v1::{Capability, Feature, GetCapabilitiesResponse, Limits, Support};
use channel_runtime::identity::{Identity, Role};
use std::time::Duration;

/// The newest version of the frames' meaning.
const WATCH_SCHEMA: u32 = 1;

/// What the other roles are set up for, told to clients in one place.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    /// An upstream is configured.
    pub is_connected: bool,
    /// Most characters of a text.
    pub text_characters: u32,
    /// Most bytes of a file to send.
    pub attachment_bytes: u64,
    /// Most bytes of a file that is fetched.
    pub stored_bytes: u64,
    /// Small pictures of images are made.
    pub has_thumbnails: bool,
    /// Most files of a message.
    pub attachments: u32,
    /// How long after sending a text may be changed.
    pub edit_window: Duration,
    /// Most accounts of one stream.
    pub watch_accounts: u32,
    /// Most streams of one caller.
    pub streams: u32,
}

/// What a feature needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    /// Nothing but this server.
    Nothing,
    /// To act at the upstream.
    Acting(Role),
    /// An upstream to fetch from, at one time or another.
    Fetching,
    /// To write into a chat.
    Writing,
    /// The upstream may take it without effect, and does not say whether it works.
    Hoping,
    /// To manage accounts: also those whose connection is gone.
    Managing,
    /// What the upstream cannot do.
    Never,
}

const FEATURES: [(Feature, Needs); 18] = [
    (Feature::SendText, Needs::Writing),
    (Feature::SendAttachment, Needs::Writing),
    (Feature::SendVoice, Needs::Writing),
    (Feature::Quote, Needs::Writing),
    (Feature::StartChat, Needs::Acting(Role::Agent)),
    (Feature::Edit, Needs::Writing),
    (Feature::Delete, Needs::Writing),
    (Feature::React, Needs::Writing),
    (Feature::RemoveReaction, Needs::Never),
    (Feature::Forward, Needs::Writing),
    (Feature::MarkRead, Needs::Acting(Role::Agent)),
    (Feature::Archive, Needs::Hoping),
    (Feature::Mute, Needs::Hoping),
    (Feature::Pin, Needs::Hoping),
    (Feature::ImportHistory, Needs::Acting(Role::Agent)),
    (Feature::ManageAccounts, Needs::Managing),
    (Feature::Search, Needs::Nothing),
    (Feature::ReadAttachment, Needs::Fetching),
];

/// What is known of the place that is asked about.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    connection: Option<Connection>,
    is_read_only: bool,
}

/// Tells what can be done.
///
/// # Errors
///
/// When there is no such account or chat for the caller, or the store does not answer.
pub(crate) async fn capabilities(
    queries: &Queries,
    caller: &Identity,
    setup: &Setup,
    account: Option<AccountId>,
    chat: Option<ChatId>,
) -> Result<GetCapabilitiesResponse, QueryError> {
    let mut place = Place::default();
    if let Some(account) = account {
        let row = queries.account(caller, &account, 0).await?;
        let number = i16::try_from(row.record.connection).ok();
        place.connection = number.and_then(Connection::from_number);
        if let Some(chat) = chat {
            let target = Target { account: Some(account), at_least: 0 };
            place.is_read_only = queries.chat(caller, &target, &chat).await?.row.read_only;
        }
    }
    let capability = |(feature, needs): (Feature, Needs)| {
        let (support, reason) = support(needs, caller, setup, place);
        Capability { feature: feature.into(), support: support.into(), reason: reason.to_owned() }
    };
    Ok(GetCapabilitiesResponse {
        server_version: env!("CARGO_PKG_VERSION").to_owned(),
        watch_schema: WATCH_SCHEMA,
        capabilities: FEATURES.into_iter().map(capability).collect(),
        limits: Some(limits(setup)),
    })
}

fn support(
    needs: Needs,
    caller: &Identity,
    setup: &Setup,
    place: Place,
) -> (Support, &'static str) {
    let role = match needs {
        Needs::Nothing => return (Support::Yes, ""),
        Needs::Never => return (Support::No, "UPSTREAM_UNSUPPORTED"),
        Needs::Fetching if setup.is_connected => return (Support::Yes, ""),
        Needs::Fetching => return (Support::No, "UPSTREAM_NOT_CONFIGURED"),
        Needs::Acting(role) => role,
        Needs::Managing => Role::Admin,
        Needs::Writing | Needs::Hoping => Role::Agent,
    };
    let gone = match place.connection {
        Some(Connection::Deleted) => Some("ACCOUNT_REMOVED"),
        Some(connection) if !connection.takes_messages() && needs != Needs::Managing => {
            Some("ACCOUNT_DISCONNECTED")
        }
        _ => None,
    };
    let closed = needs == Needs::Writing && place.is_read_only;
    let reason = if !caller.role.includes(role) {
        "ROLE_MISSING"
    } else if !setup.is_connected {
        "UPSTREAM_NOT_CONFIGURED"
    } else if let Some(gone) = gone {
        gone
    } else if closed {
        "CHAT_READ_ONLY"
    } else if needs == Needs::Hoping {
        return (Support::Uncertain, "");
    } else {
        return (Support::Yes, "");
    };
    (Support::No, reason)
}

fn limits(setup: &Setup) -> Limits {
    let seconds = i64::try_from(setup.edit_window.as_secs()).unwrap_or(i64::MAX);
    Limits {
        max_text_characters: setup.text_characters,
        max_attachment_bytes: setup.attachment_bytes,
        max_stored_attachment_bytes: setup.stored_bytes,
        max_attachments: setup.attachments,
        max_watch_accounts: setup.watch_accounts,
        max_streams: setup.streams,
        edit_window: Some(prost_types::Duration { seconds, nanos: 0 }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn told(role: Role, is_connected: bool, place: Place) -> Vec<(Feature, Support, &'static str)> {
        let caller = Identity {
            subject: Arc::from("someone"),
            tenant: Arc::from("default"),
            role,
            accounts: None,
            expires_at: i64::MAX,
        };
        let setup = Setup { is_connected, ..Setup::default() };
        let told = |(feature, needs): (Feature, Needs)| {
            let (support, reason) = support(needs, &caller, &setup, place);
            (feature, support, reason)
        };
        FEATURES.into_iter().map(told).collect()
    }

    fn of(told: &[(Feature, Support, &'static str)], feature: Feature) -> (Support, &'static str) {
        let found = told.iter().find(|it| it.0 == feature).unwrap();
        (found.1, found.2)
    }

    #[test]
    fn every_feature_of_the_contract_is_told_with_a_reason_when_it_cannot_be_used() {
        for role in [Role::Viewer, Role::Agent, Role::Admin] {
            for place in [
                Place::default(),
                Place { connection: Some(Connection::Credentials), is_read_only: true },
            ] {
                let told = told(role, true, place);
                for (feature, support, reason) in told {
                    assert_eq!(reason.is_empty(), support != Support::No, "{feature:?}");
                }
            }
        }
        let known = (1..100).filter_map(|number| Feature::try_from(number).ok());
        for feature in known {
            assert!(FEATURES.iter().any(|(told, _)| *told == feature), "{feature:?} is not told");
        }
    }

    #[test]
    fn the_first_reason_that_holds_is_told() {
        let (text, search) = (Feature::SendText, Feature::Search);
        let open = Place { connection: Some(Connection::Ok), is_read_only: false };
        assert_eq!(of(&told(Role::Agent, true, open), text), (Support::Yes, ""));
        assert_eq!(of(&told(Role::Viewer, true, open), text), (Support::No, "ROLE_MISSING"));
        let away = of(&told(Role::Agent, false, open), text);
        assert_eq!(away, (Support::No, "UPSTREAM_NOT_CONFIGURED"));
        let lost = Place { connection: Some(Connection::Credentials), ..open };
        let lost = told(Role::Agent, true, lost);
        assert_eq!(of(&lost, text), (Support::No, "ACCOUNT_DISCONNECTED"));
        assert_eq!(of(&lost, search), (Support::Yes, ""));
        let manage = Feature::ManageAccounts;
        assert_eq!(of(&lost, manage), (Support::No, "ROLE_MISSING"));
        let gone = Place { connection: Some(Connection::Credentials), ..open };
        assert_eq!(of(&told(Role::Admin, true, gone), manage), (Support::Yes, ""));
        let removed = Place { connection: Some(Connection::Deleted), ..open };
        let removed = of(&told(Role::Admin, true, removed), manage);
        assert_eq!(removed, (Support::No, "ACCOUNT_REMOVED"));
        let closed = told(Role::Agent, true, Place { is_read_only: true, ..open });
        assert_eq!(of(&closed, text), (Support::No, "CHAT_READ_ONLY"));
        assert_eq!(of(&closed, Feature::MarkRead), (Support::Yes, ""));
        assert_eq!(of(&closed, Feature::Pin), (Support::Uncertain, ""));
    }
}
