//! `channel account list`.

use channel_proto::query::v1::ListAccountsRequest;
use channel_proto::types::v1::Account;

use super::state;
use crate::client::{Client, ClientArgs, json};
use crate::output::{Output, table, tame};
use crate::{tokens, when};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pub(super) client: ClientArgs,
}

const HEADING: [&str; 6] = ["ACCOUNT", "NAME", "NUMBER", "STATE", "SINCE", "LAST WEBHOOK"];

pub(super) async fn run(args: &Args, mut out: Output) -> anyhow::Result<()> {
    let accounts = all(&args.client.client(tokens::ADMIN)?).await?;
    if args.json {
        for account in &accounts {
            out.line(json::line("channel.types.v1.Account", account)?)?;
        }
        return Ok(());
    }
    if accounts.is_empty() {
        return Ok(out.line("no accounts; `channel account connect` connects one")?);
    }
    let rows: Vec<_> = accounts.iter().map(row).collect();
    for line in table(&HEADING, &rows) {
        out.line(line)?;
    }
    Ok(())
}

async fn all(client: &Client) -> anyhow::Result<Vec<Account>> {
    let mut request = ListAccountsRequest { page_size: 200, ..ListAccountsRequest::default() };
    let mut accounts = Vec::new();
    loop {
        let page = client.query().list_accounts(request.clone()).await?.into_inner();
        accounts.extend(page.accounts);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return Ok(accounts);
        }
    }
}

fn row(account: &Account) -> Vec<String> {
    let since = account.connection.as_ref().and_then(|it| it.since);
    let heard = account.freshness.as_ref().and_then(|it| it.last_webhook_at);
    vec![
        account.account_id.clone(),
        tame(&account.display_name),
        account.phone_number.clone(),
        state(account),
        when::told(since),
        when::told(heard),
    ]
}
