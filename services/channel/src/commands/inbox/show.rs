//! `channel inbox show`.

use anyhow::bail;
use channel_proto::ingest::v1::{InboxEntry, ListQuarantinedRequest};

use super::{client, short};
use crate::client::{ClientArgs, json};
use crate::output::{Output, tame};
use crate::when;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Its id in the inbox
    id: String,
    /// Print it as JSON, the body in base64
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pub(super) client: ClientArgs,
}

pub(super) async fn run(args: &Args, mut out: Output) -> anyhow::Result<()> {
    let client = client(&args.client)?;
    let request = ListQuarantinedRequest {
        inbox_ids: vec![args.id.clone()],
        include_body: true,
        ..ListQuarantinedRequest::default()
    };
    let page = client.ingest().list_quarantined(request).await?.into_inner();
    let Some(entry) = page.entries.into_iter().next() else {
        bail!("no stored webhook has the id {}", args.id);
    };
    if args.json {
        return Ok(out.line(json::line("channel.ingest.v1.InboxEntry", &entry)?)?);
    }
    for line in told(&entry) {
        out.line(line)?;
    }
    Ok(())
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
}
