use std::sync::Arc;

use serde::Serialize;

use super::{Webhook, to_bytes};
use crate::event::Kind;
use crate::world::{Account, AccountStatus};

/// The documented shape.
#[derive(Debug, Serialize)]
struct Wrapped<'a> {
    #[serde(rename = "AccountStatus")]
    account_status: WrappedStatus<'a>,
}

#[derive(Debug, Serialize)]
struct WrappedStatus<'a> {
    account_id: &'a str,
    account_type: &'static str,
    message: AccountStatus,
}

/// A shape that one consumer inferred; receivers are to accept it.
#[derive(Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "the names are those on the wire")]
struct Flat<'a> {
    account_id: &'a str,
    account_type: &'static str,
    account_status: AccountStatus,
}

pub(super) fn render(account: &Account, status: AccountStatus, flat: bool) -> Webhook {
    let (account_id, account_type) = (&*account.id, "WHATSAPP");
    let body = if flat {
        to_bytes(&Flat { account_id, account_type, account_status: status })
    } else {
        let account_status = WrappedStatus { account_id, account_type, message: status };
        to_bytes(&Wrapped { account_status })
    };
    Webhook {
        kind: if flat { Kind::AccountStatusFlat } else { Kind::AccountStatus },
        account_id: Arc::clone(&account.id),
        message_id: None,
        status: Some(status),
        body,
    }
}
