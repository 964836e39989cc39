//! What a client asks for, checked.

use super::config::LiveConfig;
use super::segment::Limits;
use bytes::Bytes;
use channel_proto::query::v1::{AccountCursor, PollChangesRequest, WatchRequest};
use channel_runtime::fault::FieldErrors;
use std::collections::HashSet;
use std::sync::Arc;

const LEAST_FRAME_BYTES: usize = 4 * 1024;
const MOST_FRAME_BYTES: usize = 256 * 1024;
/// What a stream hands over at once: it leaves the loop to others between frames of this size.
const ENOUGH_BYTES: usize = 32 * 1024;
/// Beside its events, a frame has the account's id, a number, a cursor and lengths.
const FRAME_OVERHEAD_BYTES: usize = 512;
const MOST_NAME_BYTES: usize = 128;

/// What a client asks for.
#[derive(Debug)]
pub(super) struct Ask {
    /// Accounts by their public ids, with cursors.
    pub(super) accounts: Vec<(Arc<str>, Bytes)>,
    /// All others that the caller may see, too.
    pub(super) all: bool,
    pub(super) client: String,
    pub(super) limits: Limits,
}

impl Ask {
    pub(super) fn of_watch(
        request: WatchRequest,
        config: &LiveConfig,
    ) -> Result<Self, FieldErrors> {
        let WatchRequest { accounts, client_id, schema: _, max_frame_bytes, all_accounts } =
            request;
        Self::new(accounts, all_accounts, client_id, max_frame_bytes, config)
    }

    pub(super) fn of_poll(
        request: PollChangesRequest,
        config: &LiveConfig,
    ) -> Result<Self, FieldErrors> {
        let PollChangesRequest {
            accounts,
            client_id,
            schema: _,
            max_frame_bytes,
            wait: _,
            all_accounts,
        } = request;
        Self::new(accounts, all_accounts, client_id, max_frame_bytes, config)
    }

    fn new(
        accounts: Vec<AccountCursor>,
        all: bool,
        client: String,
        frame_bytes: u32,
        config: &LiveConfig,
    ) -> Result<Self, FieldErrors> {
        let mut errors = FieldErrors::default();
        let few = accounts.len() <= config.accounts_per_stream;
        errors.ensure("accounts", few, "must not be more than `max_watch_accounts`");
        if few {
            check_accounts(&accounts, &mut errors);
        }
        let short = client.len() <= MOST_NAME_BYTES;
        errors.ensure("client_id", short, "must not be longer than 128 bytes");
        let most = match usize::try_from(frame_bytes).unwrap_or(usize::MAX) {
            0 => MOST_FRAME_BYTES,
            bytes => bytes,
        };
        let fits = (LEAST_FRAME_BYTES..=MOST_FRAME_BYTES).contains(&most);
        errors.ensure("max_frame_bytes", fits, "must be 0 or 4 KiB to 256 KiB");
        errors.finish()?;
        let most = most - FRAME_OVERHEAD_BYTES;
        Ok(Self {
            all: all || accounts.is_empty(),
            accounts: accounts
                .into_iter()
                .map(|account| (account.account_id.into(), account.cursor))
                .collect(),
            client,
            limits: Limits { enough: most.min(ENOUGH_BYTES), most },
        })
    }
}

fn check_accounts(accounts: &[AccountCursor], errors: &mut FieldErrors) {
    let mut seen = HashSet::new();
    for (index, account) in accounts.iter().enumerate() {
        let field = format!("accounts[{index}].account_id");
        errors.ensure(&field, !account.account_id.is_empty(), "must be set");
        let new = seen.insert(account.account_id.as_str());
        errors.ensure(&field, new, "must not be named twice");
    }
}
