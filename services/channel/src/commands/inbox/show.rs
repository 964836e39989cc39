//! `channel inbox show`.

use anyhow::bail;
use channel_proto::ingest::v1::{InboxEntry, InboxState, ListQuarantinedRequest};
use prost_types::Timestamp;

use super::{client, short, when};
use crate::client::{Client, ClientArgs, json};
use crate::output::{Output, tame};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Its id in the inbox
    id: String,
    /// Look through all stored webhooks, also those that are done with; may take long
    #[arg(long)]
    all: bool,
    /// Print it as JSON, the body in base64
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pub(super) client: ClientArgs,
}

/// Those that somebody may have to look at.
const OPEN: [InboxState; 3] = [InboxState::Quarantined, InboxState::Held, InboxState::Pending];
/// Those that are done with.
const DONE: [InboxState; 2] = [InboxState::Applied, InboxState::NoOp];

pub(super) async fn run(args: &Args, mut out: Output) -> anyhow::Result<()> {
    let client = client(&args.client)?;
    let mut states = OPEN.to_vec();
    if args.all {
        states.extend(DONE);
    }
    let Some(entry) = find(&client, &args.id, &states).await? else {
        let hint =
            if args.all { "" } else { "; --all looks also through those that are done with" };
        bail!("no stored webhook has the id {}{hint}", args.id);
    };
    if args.json {
        return Ok(out.line(json::line("channel.ingest.v1.InboxEntry", &entry)?)?);
    }
    for line in told(&entry) {
        out.line(line)?;
    }
    Ok(())
}

/// The contract asks by state and time, not by id: without bodies the list is short, and then the one
/// moment is asked for with them.
async fn find(
    client: &Client,
    id: &str,
    states: &[InboxState],
) -> anyhow::Result<Option<InboxEntry>> {
    let states: Vec<i32> = states.iter().map(|state| (*state).into()).collect();
    let all = ListQuarantinedRequest {
        states: states.clone(),
        page_size: 200,
        ..ListQuarantinedRequest::default()
    };
    let Some(found) = search(client, id, all).await? else {
        return Ok(None);
    };
    let moment = found.received_at;
    let with_body = ListQuarantinedRequest {
        states,
        received_from: moment,
        received_before: moment.map(just_after),
        include_body: true,
        page_size: 200,
        ..ListQuarantinedRequest::default()
    };
    // It may have changed its state in between.
    Ok(search(client, id, with_body).await?.or(Some(found)))
}

async fn search(
    client: &Client,
    id: &str,
    mut request: ListQuarantinedRequest,
) -> anyhow::Result<Option<InboxEntry>> {
    loop {
        let page = client.ingest().list_quarantined(request.clone()).await?.into_inner();
        let found = page.entries.into_iter().find(|entry| entry.inbox_id == id);
        if found.is_some() || page.next_page_token.is_empty() {
            return Ok(found);
        }
        request.page_token = page.next_page_token;
    }
}

/// A microsecond later, which is how finely times are stored.
fn just_after(moment: Timestamp) -> Timestamp {
    let nanos = moment.nanos + 1_000;
    Timestamp {
        seconds: moment.seconds + i64::from(nanos / 1_000_000_000),
        nanos: nanos % 1_000_000_000,
    }
}

fn told(entry: &InboxEntry) -> Vec<String> {
    let again = match entry.next_attempt_at {
        Some(at) => when::told(Some(at)),
        None => "not by itself".to_owned(),
    };
    let facts = [
        ("id", entry.inbox_id.clone()),
        ("state", short(entry.state().as_str_name(), "INBOX_STATE_")),
        ("reason", entry.reason.clone()),
        ("detail", entry.detail.clone()),
        ("event", entry.event.clone()),
        ("account", entry.account_id.clone()),
        ("received", when::told(entry.received_at)),
        ("attempts", entry.attempts.to_string()),
        ("tried again", again),
    ];
    let facts = facts.into_iter().filter(|(_, value)| !value.is_empty());
    let mut lines: Vec<String> =
        facts.map(|(name, value)| format!("{name:<12} {}", tame(&value))).collect();
    lines.push(String::new());
    lines.extend(body(&entry.body));
    lines
}

/// JSON is laid out; anything else is shown as it is, made safe for a terminal.
fn body(body: &[u8]) -> Vec<String> {
    let text = match serde_json::from_slice::<serde_json::Value>(body) {
        Ok(json) => serde_json::to_string_pretty(&json).unwrap_or_default(),
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    };
    text.lines().map(tame).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_laid_out_if_it_is_json_and_tame_whatever_it_is() {
        assert_eq!(body(br#"{"a":1}"#), ["{", "  \"a\": 1", "}"]);
        assert_eq!(body(b"\x1b[2J\xff"), ["\u{fffd}[2J\u{fffd}"]);
    }

    #[test]
    fn the_moment_of_an_entry_is_asked_for_and_no_other() {
        let at = |seconds, nanos| Timestamp { seconds, nanos };
        assert_eq!(just_after(at(1, 5_000)), at(1, 6_000));
        assert_eq!(just_after(at(1, 999_999_000)), at(2, 0));
    }
}
