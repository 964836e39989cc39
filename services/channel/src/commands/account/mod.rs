//! `channel account`: connects numbers, connects them again, lists and removes them.

mod hosted;
mod link;
mod list;
mod remove;
mod screen;

use channel_proto::types::v1::Account;

use crate::client::ClientArgs;
use crate::output::{Output, tame};
use crate::process;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List the accounts and how they are connected
    List(list::Args),
    /// Connect a number: shows a QR code to scan with the phone
    Connect(link::ConnectArgs),
    /// Connect an account again whose session is gone; its id and its messages stay
    Reconnect(link::ReconnectArgs),
    /// Remove an account from the upstream; what is stored here stays
    Remove(remove::Args),
}

impl Command {
    const fn client(&self) -> &ClientArgs {
        match self {
            Self::List(args) => &args.client,
            Self::Connect(args) => &args.client,
            Self::Reconnect(args) => &args.client,
            Self::Remove(args) => &args.client,
        }
    }
}

pub(crate) fn run(command: &Command, out: Output) -> anyhow::Result<()> {
    process::ask(command.client(), async {
        match command {
            Command::List(args) => list::run(args, out).await,
            Command::Connect(args) => link::connect(args, out).await,
            Command::Reconnect(args) => link::reconnect(args, out).await,
            Command::Remove(args) => remove::run(args, out).await,
        }
    })
}

/// The state of an account, in one word.
fn state(account: &Account) -> String {
    let state = account.connection.as_ref().map_or("", |it| it.state().as_str_name());
    state.trim_start_matches("CONNECTION_STATE_").to_ascii_lowercase()
}

/// An account in one line.
fn told(account: &Account) -> String {
    let name = tame(&account.display_name);
    format!("{}  {}  {}  {name}", account.account_id, state(account), account.phone_number)
}
