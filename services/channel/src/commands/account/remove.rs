//! `channel account remove`.

use anyhow::Context;
use channel_proto::messaging::v1::RemoveAccountRequest;

use super::told;
use crate::client::{ClientArgs, json};
use crate::output::Output;
use crate::tokens;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The account, by its id
    account: String,
    /// Also erase what is stored here about it; `channel erase account` waits for the end
    #[arg(long)]
    erase_data: bool,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pub(super) client: ClientArgs,
}

pub(super) async fn run(args: &Args, mut out: Output) -> anyhow::Result<()> {
    let client = args.client.client(tokens::ADMIN)?;
    let request =
        RemoveAccountRequest { account_id: args.account.clone(), erase_data: args.erase_data };
    let answer = client.messaging().remove_account(request).await?.into_inner();
    if args.json {
        let name = "channel.messaging.v1.RemoveAccountResponse";
        return Ok(out.line(json::line(name, &answer)?)?);
    }
    let account = answer.account.context("the server answered without an account")?;
    out.line(told(&account))?;
    let Some(erasure) = answer.erasure else { return Ok(()) };
    Ok(out
        .line(format!("`channel erase show {}` tells how far erasing it is", erasure.erasure_id))?)
}
