//! `channel watch`: prints every change as it happens, and goes on where it stopped.
//!
//! | part | what it does |
//! |---|---|
//! | [`session`] | one stream, from Hello to its end |
//! | [`places`] | how far it got in each account, kept in a file |
//! | [`pace`] | when to come back after a stream has ended |
//! | [`printer`], [`story`], [`names`] | changes as lines, for people or as JSON |

mod names;
mod pace;
mod places;
mod printer;
mod session;
mod story;

use std::path::PathBuf;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tonic::{Code, Status};

use crate::client::{Client, ClientArgs};
use crate::exit::status_told;
use crate::output::Output;
use crate::{process, tokens};
use pace::Pace;
use places::Places;
use printer::Printer;
use session::{End, Session};

/// The name of the file with the cursors, in the data folder.
const CURSORS: &str = "watch.cursor";
/// How often a token that is refused is tried again, for the process may be just renewing it.
const REFUSED_TOKENS: u32 = 3;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only this account; may be repeated [default: all that the token may see, also new ones]
    #[arg(long = "account", value_name = "ACCOUNT_ID")]
    accounts: Vec<String>,
    /// Print one JSON object a line, every change with all that is known
    #[arg(long)]
    json: bool,
    /// Start from now, whatever was printed before
    #[arg(long)]
    from_now: bool,
    /// Where it is kept how far the printing got [default: watch.cursor in the data folder]
    #[arg(long, value_name = "FILE")]
    cursor_file: Option<PathBuf>,
    #[command(flatten)]
    client: ClientArgs,
}

pub(crate) fn run(args: Args, out: Output) -> anyhow::Result<()> {
    let runtime = process::runtime()?;
    let outcome = runtime.block_on(async {
        tokio::select! {
            outcome = watch(args, out) => outcome,
            pressed = tokio::signal::ctrl_c() => Ok(pressed?),
        }
    });
    runtime.shutdown_background();
    outcome
}

async fn watch(args: Args, out: Output) -> anyhow::Result<()> {
    let client = args.client.client(tokens::ADMIN)?;
    let file = args.cursor_file.unwrap_or_else(|| args.client.data().join(CURSORS));
    let places = Places::open(file, args.from_now)?;
    let printer = Printer::new(out, args.json, client.clone());
    let mut session = Session::new(client.clone(), args.accounts, places, printer);
    let mut pace = Pace::default();
    let mut refused = 0;
    loop {
        let began = Instant::now();
        let outcome = session.run().await?;
        if let End::Refused(status) = &outcome {
            refused = if status.code() == Code::Unauthenticated { refused + 1 } else { 0 };
            if is_final(status, &client, refused) {
                return Err(outcome.into_status().into());
            }
        } else {
            refused = 0;
        }
        let wait = pace.wait(began.elapsed(), outcome.asks());
        session.note(&told(&outcome, args.client.server(), wait));
        sleep(wait).await;
    }
}

/// Whether coming back with the same request is of no use.
fn is_final(status: &Status, client: &Client, refused: u32) -> bool {
    match status.code() {
        Code::Unauthenticated => !client.renews_its_token() || refused >= REFUSED_TOKENS,
        Code::PermissionDenied | Code::InvalidArgument | Code::NotFound | Code::Unimplemented => {
            true
        }
        _ => false,
    }
}

fn told(end: &End, server: &str, wait: Duration) -> String {
    let seconds = wait.as_secs_f64();
    let why = match end {
        End::Goodbye { reason, .. } => format!("the server said goodbye ({reason})"),
        End::Lost => "the stream was lost".to_owned(),
        End::Refused(status) => format!("{server}: {}", status_told(status)),
    };
    format!("{why}; back in {seconds:.1} s")
}
