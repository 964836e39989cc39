//! `channel inbox list`.

use channel_proto::ingest::v1::{InboxEntry, InboxOrder, ListQuarantinedRequest};

use super::{Which, client, short};
use crate::client::{ClientArgs, json};
use crate::output::{Output, table, tame};
use crate::when;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    which: Which,
    /// List the oldest first, not the newest
    #[arg(long)]
    oldest_first: bool,
    /// Most entries to list
    #[arg(long, default_value_t = 50)]
    limit: usize,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pub(super) client: ClientArgs,
}

const HEADING: [&str; 7] = ["ID", "STATE", "REASON", "EVENT", "ACCOUNT", "RECEIVED", "BYTES"];

pub(super) async fn run(args: &Args, mut out: Output) -> anyhow::Result<()> {
    let entries = entries(args).await?;
    if args.json {
        for entry in &entries {
            out.line(json::line("channel.ingest.v1.InboxEntry", entry)?)?;
        }
        return Ok(());
    }
    if entries.is_empty() {
        return Ok(out.line("nothing there")?);
    }
    let rows: Vec<_> = entries.iter().map(row).collect();
    for line in table(&HEADING, &rows) {
        out.line(line)?;
    }
    Ok(())
}

async fn entries(args: &Args) -> anyhow::Result<Vec<InboxEntry>> {
    let client = client(&args.client)?;
    let order = if args.oldest_first { InboxOrder::OldestFirst } else { InboxOrder::NewestFirst };
    let mut request = ListQuarantinedRequest {
        inbox_ids: args.which.ids.clone(),
        states: args.which.states(),
        account_id: args.which.account(),
        reason: args.which.reason(),
        order: order.into(),
        received_from: args.which.since.map(when::wire),
        received_before: args.which.until.map(when::wire),
        ..ListQuarantinedRequest::default()
    };
    let mut entries = Vec::new();
    while entries.len() < args.limit {
        request.page_size = i32::try_from((args.limit - entries.len()).min(200))?;
        let page = client.ingest().list_quarantined(request.clone()).await?.into_inner();
        entries.extend(page.entries);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    Ok(entries)
}

fn row(entry: &InboxEntry) -> Vec<String> {
    vec![
        entry.inbox_id.clone(),
        short(entry.state().as_str_name(), "INBOX_STATE_"),
        tame(&entry.reason),
        tame(&entry.event),
        tame(&entry.account_id),
        when::told(entry.received_at),
        entry.body_bytes.to_string(),
    ]
}
