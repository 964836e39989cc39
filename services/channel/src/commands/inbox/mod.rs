//! `channel inbox`: looks at stored webhooks, and applies them again.

mod list;
mod replay;
mod show;

use channel_proto::ingest::v1::InboxState;
use jiff::Timestamp;

use crate::client::ClientArgs;
use crate::output::Output;
use crate::{process, tokens, when};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List stored webhooks that need a look: those in quarantine, or in other states
    List(list::Args),
    /// Show one stored webhook with its body, which holds what people wrote
    Show(show::Args),
    /// Apply stored webhooks again with the rules of this version
    Replay(replay::Args),
}

impl Command {
    const fn client(&self) -> &ClientArgs {
        match self {
            Self::List(args) => &args.client,
            Self::Show(args) => &args.client,
            Self::Replay(args) => &args.client,
        }
    }
}

pub(crate) fn run(command: &Command, out: Output) -> anyhow::Result<()> {
    process::ask(command.client(), async {
        match command {
            Command::List(args) => list::run(args, out).await,
            Command::Show(args) => show::run(args, out).await,
            Command::Replay(args) => replay::run(args, out).await,
        }
    })
}

/// The running process, called as an operator.
fn client(args: &ClientArgs) -> anyhow::Result<crate::client::Client> {
    args.client(tokens::OPERATOR)
}

/// Which stored webhooks.
#[derive(Debug, Clone, Default, clap::Args)]
struct Which {
    /// Only this entry; may be repeated
    #[arg(long = "id", value_name = "ID")]
    ids: Vec<String>,
    /// Only those in this state; may be repeated
    #[arg(long = "state", value_enum)]
    states: Vec<State>,
    /// Only those of this account
    #[arg(long, value_name = "ACCOUNT_ID")]
    account: Option<String>,
    /// Only those with this reason, such as `BODY_NOT_JSON`
    #[arg(long)]
    reason: Option<String>,
    /// Only those received since then: a time, such as 2026-05-01T12:00:00Z, or how long ago, such as 2h
    #[arg(long, value_name = "WHEN", value_parser = when::parse)]
    since: Option<Timestamp>,
    /// Only those received before then, likewise
    #[arg(long, value_name = "WHEN", value_parser = when::parse)]
    until: Option<Timestamp>,
}

impl Which {
    fn states(&self) -> Vec<i32> {
        self.states.iter().map(|state| InboxState::from(*state).into()).collect()
    }

    fn account(&self) -> String {
        self.account.clone().unwrap_or_default()
    }

    fn reason(&self) -> String {
        self.reason.clone().unwrap_or_default()
    }

    const fn is_everything(&self) -> bool {
        let texts = self.account.is_none() && self.reason.is_none();
        let times = self.since.is_none() && self.until.is_none();
        self.ids.is_empty() && self.states.is_empty() && texts && times
    }
}

/// The state of a stored webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum State {
    /// Waits to be applied
    Pending,
    /// Applied; it changed something
    Applied,
    /// Looked at; it changed nothing
    NoOp,
    /// Cannot be applied as it is
    Quarantined,
    /// Waits until a tenant owns its account
    Held,
    /// Its row in the database makes no sense
    Inconsistent,
}

impl From<State> for InboxState {
    fn from(state: State) -> Self {
        match state {
            State::Pending => Self::Pending,
            State::Applied => Self::Applied,
            State::NoOp => Self::NoOp,
            State::Quarantined => Self::Quarantined,
            State::Held => Self::Held,
            State::Inconsistent => Self::Inconsistent,
        }
    }
}

/// An enum's name without its prefix: `INBOX_STATE_NO_OP` is `no-op`.
fn short(name: &str, prefix: &str) -> String {
    name.trim_start_matches(prefix).to_lowercase().replace('_', "-")
}
