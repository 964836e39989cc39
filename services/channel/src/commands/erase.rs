//! `channel erase`: erases a contact, or an account with everything, and waits until that is done.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use channel_proto::messaging::v1::{
    EraseContactRequest, Erasure, ErasureCounts, ErasurePhase, GetErasureRequest,
    RemoveAccountRequest,
};
use tonic::Status;

use super::place;
use crate::client::{Client, ClientArgs, json, lasting};
use crate::output::{Output, tame};
use crate::{process, tokens};

/// How often it is asked how far it is.
const EVERY: Duration = Duration::from_millis(200);
const NONE: &str = "the server answered without an erasure";

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Erase a contact: their chats, messages, names, files. Nothing of it can be brought back
    Contact(ContactArgs),
    /// Remove an account from the upstream and erase everything that is stored of it
    Account(AccountArgs),
    /// Show how an erasure stands
    Show(ShowArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct ContactArgs {
    /// The contact: one of their ids is enough, the others of the same person go with it
    #[arg(value_name = "ATTENDEE", required = true)]
    attendees: Vec<String>,
    /// The account; without one the only account there is
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    account: String,
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    client: ClientArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct AccountArgs {
    /// The account, by its id
    account: String,
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    client: ClientArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ShowArgs {
    /// The erasure, by its id
    erasure: String,
    /// Print it as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    client: ClientArgs,
}

#[derive(Debug, clap::Args)]
struct How {
    /// It cannot be undone: without this nothing is done
    #[arg(long)]
    yes: bool,
    /// Start it, and do not wait for its end
    #[arg(long)]
    detach: bool,
    /// Print how it stands as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(command: &Command, out: Output) -> anyhow::Result<()> {
    let client = match command {
        Command::Contact(args) => &args.client,
        Command::Account(args) => &args.client,
        Command::Show(args) => &args.client,
    };
    process::ask(client, async {
        match command {
            Command::Contact(args) => contact(args, out).await,
            Command::Account(args) => account(args, out).await,
            Command::Show(args) => show(args, out).await,
        }
    })
}

impl How {
    fn is_meant(&self) -> anyhow::Result<()> {
        ensure!(self.yes, "erasing cannot be undone: say so with `--yes`");
        Ok(())
    }
}

async fn contact(args: &ContactArgs, out: Output) -> anyhow::Result<()> {
    args.how.is_meant()?;
    let client = args.client.client(tokens::ADMIN)?;
    let account_id = place::account(&client, &args.account).await?;
    let attendee_ids = args.attendees.clone();
    let request = EraseContactRequest { account_id, attendee_ids, request_id: String::new() };
    let answer = client.messaging().erase_contact(request).await?.into_inner();
    follow(&client, answer.erasure, &args.how, out).await
}

async fn account(args: &AccountArgs, out: Output) -> anyhow::Result<()> {
    args.how.is_meant()?;
    let client = args.client.client(tokens::ADMIN)?;
    let request = RemoveAccountRequest { account_id: args.account.clone(), erase_data: true };
    let answer = client.messaging().remove_account(request).await?.into_inner();
    follow(&client, answer.erasure, &args.how, out).await
}

async fn show(args: &ShowArgs, out: Output) -> anyhow::Result<()> {
    let client = args.client.client(tokens::ADMIN)?;
    let erasure = ask(&client, &args.erasure).await?.context(NONE)?;
    told(&erasure, args.json, out)
}

/// Waits for the end, unless nobody wants to.
async fn follow(
    client: &Client,
    erasure: Option<Erasure>,
    how: &How,
    mut out: Output,
) -> anyhow::Result<()> {
    let mut erasure = erasure.context(NONE)?;
    let mut is_told = false;
    while !how.detach && erasure.ended_at.is_none() {
        if !how.json && !is_told && !erasure.removal_problem.is_empty() {
            out.line(format!(
                "{}  {}; waiting, it goes on without this, too …",
                erasure.erasure_id,
                state(&erasure)
            ))?;
            is_told = true;
        }
        tokio::time::sleep(EVERY).await;
        let asked = lasting(|| ask(client, &erasure.erasure_id)).await?;
        erasure = asked.context(NONE)?;
    }
    told(&erasure, how.json, out)
}

async fn ask(client: &Client, id: &str) -> Result<Option<Erasure>, Status> {
    let request = GetErasureRequest { erasure_id: id.to_owned() };
    let answer = client.messaging().get_erasure(request).await?;
    Ok(answer.into_inner().erasure)
}

fn told(erasure: &Erasure, as_json: bool, mut out: Output) -> anyhow::Result<()> {
    if as_json {
        return Ok(out.line(json::line("channel.messaging.v1.Erasure", erasure)?)?);
    }
    let mut parts = vec![erasure.erasure_id.clone(), state(erasure)];
    parts.extend(counted(&erasure.counts.unwrap_or_default()));
    Ok(out.line(parts.join("  "))?)
}

/// How far it is, in words.
fn state(erasure: &Erasure) -> String {
    match erasure.phase() {
        _ if erasure.ended_at.is_some() => "erased".to_owned(),
        ErasurePhase::Removing if erasure.removal_problem.is_empty() => "being removed".to_owned(),
        ErasurePhase::Removing => format!("not removed yet ({})", tame(&erasure.removal_problem)),
        _ => "under way".to_owned(),
    }
}

/// What there was, of each kind that there was.
fn counted(counts: &ErasureCounts) -> Vec<String> {
    let kinds = [
        (counts.attendees, "attendees"),
        (counts.chats, "chats"),
        (counts.messages, "messages"),
        (counts.mentions, "mentions"),
        (counts.payloads, "payloads"),
        (counts.changes, "changes"),
        (counts.rows, "rows"),
    ];
    let kinds = kinds.into_iter().filter(|(count, _)| *count > 0);
    kinds.map(|(count, kind)| format!("{count} {kind}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Paper;

    #[test]
    fn nothing_is_erased_by_mistake() {
        let how = How { yes: false, detach: false, json: false };
        assert!(how.is_meant().unwrap_err().to_string().contains("--yes"));
    }

    #[test]
    fn what_was_erased_is_told_in_one_line() {
        let counts = ErasureCounts { attendees: 1, messages: 12, ..ErasureCounts::default() };
        let erasure = Erasure {
            erasure_id: "e1".to_owned(),
            counts: Some(counts),
            ended_at: Some(prost_types::Timestamp::default()),
            ..Erasure::default()
        };
        let paper = Paper::default();
        told(&erasure, false, Output::plain(paper.clone())).unwrap();
        assert_eq!(paper.text(), "e1  erased  1 attendees  12 messages\n");
    }

    #[test]
    fn an_upstream_that_does_not_remove_the_account_is_named() {
        let mut erasure = Erasure {
            erasure_id: "e1".to_owned(),
            phase: ErasurePhase::Removing.into(),
            ..Erasure::default()
        };
        assert_eq!(state(&erasure), "being removed");
        "UPSTREAM_REFUSED".clone_into(&mut erasure.removal_problem);
        assert_eq!(state(&erasure), "not removed yet (UPSTREAM_REFUSED)");
    }
}
