//! `channel inbox replay`.

use std::collections::BTreeMap;

use anyhow::bail;
use channel_proto::ingest::v1::{ReplayRequest, ReplayResult};
use channel_proto::types::v1::Change;

use super::{Which, client, short};
use crate::client::{ClientArgs, json};
use crate::output::{Output, tame};
use crate::when;

/// Entries that one request may name.
const IDS_PER_REQUEST: usize = 1_000;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    which: Which,
    /// Change nothing, and tell what would change
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pub(super) client: ClientArgs,
}

impl Args {
    fn requests(&self) -> Vec<ReplayRequest> {
        let request = |ids: &[String]| ReplayRequest {
            inbox_ids: ids.to_vec(),
            states: self.which.states(),
            account_id: self.which.account(),
            reason: self.which.reason(),
            received_from: self.which.since.map(when::wire),
            received_before: self.which.until.map(when::wire),
            dry_run: self.dry_run,
            ..ReplayRequest::default()
        };
        let ids = &self.which.ids;
        if ids.is_empty() {
            return vec![request(&[])];
        }
        ids.chunks(IDS_PER_REQUEST).map(request).collect()
    }
}

pub(super) async fn run(args: &Args, mut out: Output) -> anyhow::Result<()> {
    if args.which.is_everything() {
        bail!("say what to replay: --id, --state, --account, --reason, --since or --until");
    }
    let client = client(&args.client)?;
    let mut sums = BTreeMap::<String, u64>::new();
    for mut request in args.requests() {
        loop {
            let page = client.ingest().replay(request.clone()).await?.into_inner();
            for result in &page.results {
                *sums.entry(outcome(result)).or_default() += 1;
                print(result, args.json, &mut out)?;
            }
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
        }
    }
    if args.json {
        return Ok(());
    }
    Ok(out.line(summary(&sums, args.dry_run))?)
}

fn outcome(result: &ReplayResult) -> String {
    short(result.outcome().as_str_name(), "WEBHOOK_OUTCOME_")
}

fn print(result: &ReplayResult, as_json: bool, out: &mut Output) -> anyhow::Result<()> {
    if as_json {
        let json = json::line("channel.ingest.v1.ReplayResult", result)?;
        return Ok(out.line(json)?);
    }
    let line = format!("{}  {}  {}", tame(&result.inbox_id), outcome(result), tame(&result.reason));
    out.line(line.trim_end())?;
    for change in &result.changes {
        out.line(format!("    {}", change_told(change)))?;
    }
    Ok(())
}

fn change_told(change: &Change) -> String {
    let op = short(change.op().as_str_name(), "CHANGE_KIND_");
    let kind = short(change.entity_kind().as_str_name(), "ENTITY_KIND_");
    tame(&format!("{op} {kind} {}", change.entity_id))
}

fn summary(sums: &BTreeMap<String, u64>, dry_run: bool) -> String {
    if sums.is_empty() {
        return "nothing to replay".to_owned();
    }
    let parts = sums.iter().map(|(outcome, count)| format!("{count} {outcome}"));
    let verb = if dry_run { "would be" } else { "now" };
    format!("{verb}: {}", parts.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_counts_by_what_became_of_them() {
        let sums = BTreeMap::from([("applied".to_owned(), 2), ("no-op".to_owned(), 1)]);
        assert_eq!(summary(&sums, false), "now: 2 applied, 1 no-op");
        assert_eq!(summary(&sums, true), "would be: 2 applied, 1 no-op");
        assert_eq!(summary(&BTreeMap::new(), true), "nothing to replay");
    }
}
