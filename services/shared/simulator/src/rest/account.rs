use jiff::Timestamp;
use serde::Serialize;

use crate::webhook::Time;
use crate::world::{Account, AccountStatus};

/// A connected account.
#[derive(Debug, Serialize)]
pub(crate) struct AccountView<'a> {
    object: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    connection_params: ConnectionParams<'a>,
    id: &'a str,
    name: &'a str,
    created_at: Time,
    signatures: [(); 0],
    groups: [(); 0],
    sources: [Source; 1],
}

#[derive(Debug, Serialize)]
struct ConnectionParams<'a> {
    im: Im<'a>,
}

#[derive(Debug, Serialize)]
struct Im<'a> {
    phone_number: &'a str,
}

#[derive(Debug, Serialize)]
struct Source {
    id: String,
    status: AccountStatus,
}

impl<'a> From<&'a Account> for AccountView<'a> {
    fn from(account: &'a Account) -> Self {
        let phone_number = account.owner().map_or("", |owner| owner.digits());
        Self {
            object: "Account",
            kind: "WHATSAPP",
            connection_params: ConnectionParams { im: Im { phone_number } },
            id: &account.id,
            name: phone_number,
            created_at: Time(account.created_at.max(Timestamp::UNIX_EPOCH)),
            signatures: [],
            groups: [],
            sources: [Source {
                id: format!("{}_MESSAGING", account.id),
                status: lasting(account.status),
            }],
        }
    }
}

/// A list shows states that last; the others are news of a moment.
fn lasting(status: AccountStatus) -> AccountStatus {
    if status.is_up() { AccountStatus::Ok } else { status }
}
