//! `channel sync`: reads history in, or repairs what was missed, and shows how far it came.

use std::time::Duration;

use anyhow::{Context as _, bail};
use channel_proto::messaging::v1::{CancelSyncRequest, SyncAccountRequest, SyncChatRequest};
use channel_proto::types::v1::{SyncKind, SyncProgress, SyncState};
use tonic::Status;

use super::place;
use crate::client::{Client, ClientArgs, json, lasting};
use crate::output::Output;
use crate::{process, tokens};

/// How often it is asked how far it came.
const EVERY: Duration = Duration::from_millis(500);
const UNKNOWN: &str = "the server did not say how far it came";
/// Characters of the bar.
const BAR: usize = 24;

#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The account; without one the only account there is
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    account: String,
    /// Only this chat: its id, or words of its title or number that no other chat has
    #[arg(long, conflicts_with_all = ["history", "repair"])]
    chat: Option<String>,
    /// Read the whole history, also if it was read before
    #[arg(long, conflicts_with = "repair")]
    history: bool,
    /// Fetch only what may have been missed
    #[arg(long)]
    repair: bool,
    /// Cancel a synchronisation instead
    #[arg(long, value_name = "SYNC", conflicts_with_all = ["chat", "history", "repair"])]
    cancel: Option<String>,
    /// Start it, and do not wait for its end
    #[arg(long)]
    detach: bool,
    /// Print how far it came as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    client: ClientArgs,
}

pub(crate) fn run(args: &Args, out: Output) -> anyhow::Result<()> {
    process::ask(&args.client, sync(args, out))
}

async fn sync(args: &Args, mut out: Output) -> anyhow::Result<()> {
    let client = args.client.client(tokens::ADMIN)?;
    let mut progress = start(args, &client).await?;
    told(args, &progress, &mut out)?;
    let mut shown = progress.clone();
    while !args.detach && is_open(progress.state()) {
        tokio::time::sleep(EVERY).await;
        let asked = lasting(|| again(&client, &progress)).await?;
        progress = asked.context(UNKNOWN)?;
        if progress != shown {
            told(args, &progress, &mut out)?;
            shown = progress.clone();
        }
    }
    match progress.state() {
        SyncState::Failed => bail!("it was given up: {}", progress.reason),
        _ => Ok(()),
    }
}

async fn start(args: &Args, client: &Client) -> anyhow::Result<SyncProgress> {
    let progress = if let Some(words) = &args.chat {
        let chat = place::chat(client, &args.account, words).await?;
        let request = SyncChatRequest {
            account_id: chat.account_id,
            chat_id: chat.chat_id,
            deep: true,
            request_id: String::new(),
        };
        client.messaging().sync_chat(request).await?.into_inner().progress
    } else if let Some(sync) = &args.cancel {
        let account_id = place::account(client, &args.account).await?;
        let request = CancelSyncRequest { account_id, sync_id: sync.clone() };
        client.messaging().cancel_sync(request).await?.into_inner().progress
    } else {
        let kind = match (args.history, args.repair) {
            (true, _) => SyncKind::History,
            (_, true) => SyncKind::Repair,
            _ => SyncKind::Unspecified,
        };
        let account_id = place::account(client, &args.account).await?;
        let request =
            SyncAccountRequest { account_id, kind: kind.into(), ..SyncAccountRequest::default() };
        client.messaging().sync_account(request).await?.into_inner().progress
    };
    progress.context(UNKNOWN)
}

/// Asking for the same again tells how far it came.
async fn again(client: &Client, known: &SyncProgress) -> Result<Option<SyncProgress>, Status> {
    let request = SyncAccountRequest {
        account_id: known.account_id.clone(),
        request_id: known.sync_id.clone(),
        ..SyncAccountRequest::default()
    };
    let answer = client.messaging().sync_account(request).await?;
    Ok(answer.into_inner().progress)
}

const fn is_open(state: SyncState) -> bool {
    matches!(state, SyncState::Queued | SyncState::Running | SyncState::Paused)
}

fn told(args: &Args, progress: &SyncProgress, out: &mut Output) -> anyhow::Result<()> {
    if args.json {
        return Ok(out.line(json::line("channel.types.v1.SyncProgress", progress)?)?);
    }
    Ok(out.line(format!("{}  {}", progress.sync_id, bar(progress)))?)
}

/// How far it came, on one line.
pub(crate) fn bar(progress: &SyncProgress) -> String {
    let mut parts = Vec::new();
    if progress.chats_total > 0 {
        let (done, total) = (progress.chats_done, progress.chats_total);
        let share = usize::try_from(done * BAR as u64 / total).unwrap_or(BAR).min(BAR);
        let bar = "#".repeat(share) + &"-".repeat(BAR - share);
        parts.push(format!("[{bar}] {done} of {total} chats"));
    }
    parts.push(match progress.messages_per_second {
        0 => format!("{} messages", progress.messages_read),
        rate => format!("{} messages ({rate} a second)", progress.messages_read),
    });
    parts.push(format!("{} new", progress.messages_added));
    let left = progress.remaining.as_ref();
    parts.extend(left.map(|left| format!("about {} s left", left.seconds.max(1))));
    let state = progress.state().as_str_name().trim_start_matches("SYNC_STATE_").to_lowercase();
    let reason = Some(&progress.reason).filter(|reason| !reason.is_empty());
    let reason = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
    format!("{state}{reason}: {}", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_far_it_came_is_told_on_one_line() {
        let mut progress = SyncProgress {
            state: SyncState::Running.into(),
            chats_total: 12,
            chats_done: 3,
            messages_read: 1_800,
            messages_added: 1_799,
            messages_per_second: 90,
            remaining: Some(prost_types::Duration { seconds: 20, nanos: 0 }),
            ..SyncProgress::default()
        };
        let mut lines = vec![bar(&progress)];
        (progress.state, progress.remaining) = (SyncState::Paused.into(), None);
        progress.messages_per_second = 0;
        progress.reason = "ACCOUNT_DISCONNECTED".to_owned();
        lines.push(bar(&progress));
        let mut repair = SyncProgress { messages_read: 7, ..SyncProgress::default() };
        repair.state = SyncState::Done.into();
        lines.push(bar(&repair));
        insta::assert_snapshot!(lines.join("\n"), @r"
        running: [######------------------] 3 of 12 chats, 1800 messages (90 a second), 1799 new, about 20 s left
        paused (ACCOUNT_DISCONNECTED): [######------------------] 3 of 12 chats, 1800 messages, 1799 new
        done: 7 messages, 0 new
        ");
    }
}
