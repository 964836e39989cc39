//! `channel account connect` and `reconnect`: codes until one is scanned, then the account.

use anyhow::bail;
use channel_proto::messaging::v1::link_step::Step;
use channel_proto::messaging::v1::{
    ConnectAccountRequest, CreateHostedLinkRequest, LinkMethod, LinkStep, ReconnectAccountRequest,
};
use futures::{Stream, StreamExt as _};
use tonic::Status;

use super::hosted;
use super::screen::Screen;
use crate::client::{ClientArgs, json};
use crate::commands::place;
use crate::output::Output;
use crate::tokens;

#[derive(Debug, clap::Args)]
pub(crate) struct ConnectArgs {
    /// What to call the account; without it, its phone number
    #[arg(long, default_value = "", hide_default_value = true)]
    name: String,
    /// Show a code to type into the phone with this number, instead of a QR code
    #[arg(long, value_name = "NUMBER")]
    pairing: Option<String>,
    /// Print a link to UniPile's own sign-in page, for whoever holds the phone, and wait for what becomes of it
    #[arg(long, conflicts_with = "pairing")]
    link: bool,
    /// Print each step as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pub(super) client: ClientArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ReconnectArgs {
    /// The account, by its id; without it the only one there is
    #[arg(default_value = "", hide_default_value = true)]
    account: String,
    /// Show a code to type into the phone, instead of a QR code
    #[arg(long)]
    pairing: bool,
    /// Print a link to UniPile's own sign-in page, for whoever holds the phone, and wait for what becomes of it
    #[arg(long, conflicts_with = "pairing")]
    link: bool,
    /// Print each step as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pub(super) client: ClientArgs,
}

pub(super) async fn connect(args: &ConnectArgs, out: Output) -> anyhow::Result<()> {
    let client = args.client.client(tokens::ADMIN)?;
    if args.link {
        let display_name = args.name.clone();
        let request = CreateHostedLinkRequest { display_name, ..Default::default() };
        return hosted::link(&client, request, args.json, out).await;
    }
    let request = ConnectAccountRequest {
        display_name: args.name.clone(),
        method: method(args.pairing.is_some()),
        phone_number: args.pairing.clone().unwrap_or_default(),
    };
    let steps = client.messaging().connect_account(request).await?.into_inner();
    follow(steps.map(|it| it.map(|it| it.step)), args.json, out).await
}

pub(super) async fn reconnect(args: &ReconnectArgs, out: Output) -> anyhow::Result<()> {
    let client = args.client.client(tokens::ADMIN)?;
    let account_id = place::account(&client, &args.account).await?;
    if args.link {
        let request = CreateHostedLinkRequest { account_id, ..Default::default() };
        return hosted::link(&client, request, args.json, out).await;
    }
    let request = ReconnectAccountRequest { account_id, method: method(args.pairing) };
    let steps = client.messaging().reconnect_account(request).await?.into_inner();
    follow(steps.map(|it| it.map(|it| it.step)), args.json, out).await
}

fn method(pairing: bool) -> i32 {
    if pairing { LinkMethod::PairingCode.into() } else { LinkMethod::QrCode.into() }
}

/// Shows every step. Fails when the account is not connected in the end.
pub(super) async fn follow(
    steps: impl Stream<Item = Result<Option<LinkStep>, Status>>,
    json: bool,
    out: Output,
) -> anyhow::Result<()> {
    let mut screen = Screen::new(out);
    let mut steps = std::pin::pin!(steps);
    while let Some(step) = steps.next().await {
        let Some(step) = step? else { continue };
        if json {
            screen.out().line(json::line("channel.messaging.v1.LinkStep", &step)?)?;
        }
        match step.step {
            Some(Step::Completed(done)) => {
                if !json {
                    screen.connected(done.account.as_ref())?;
                }
                return Ok(());
            }
            Some(Step::Failed(failed)) => {
                screen.clear()?;
                bail!("not connected: {} ({})", crate::output::tame(&failed.detail), failed.reason);
            }
            Some(step) if !json => screen.show(&step)?,
            Some(_) | None => {}
        }
    }
    bail!("the server ended without an outcome; `channel account list` tells what there is")
}

#[cfg(test)]
mod tests {
    use channel_proto::messaging::v1::{LinkAccepted, LinkCompleted, LinkFailed, QrCode};
    use channel_proto::types::v1::{Account, AccountConnection, ConnectionState};
    use futures::stream;

    use super::*;
    use crate::output::Paper;

    fn code(payload: &str) -> Step {
        Step::QrCode(QrCode { payload: payload.to_owned(), expires_at: None })
    }

    async fn followed(steps: Vec<Step>, json: bool) -> (String, anyhow::Result<()>) {
        let paper = Paper::default();
        let steps = steps.into_iter().map(|step| Ok(Some(LinkStep { step: Some(step) })));
        let outcome = follow(stream::iter(steps), json, Output::plain(paper.clone())).await;
        (paper.text(), outcome)
    }

    fn connected() -> Step {
        let connection =
            AccountConnection { state: ConnectionState::Ok.into(), ..AccountConnection::default() };
        let account = Account {
            account_id: "O6Q7c7nsO6FopN47cqoX3w".to_owned(),
            phone_number: "+15550100001".to_owned(),
            display_name: "Front desk".to_owned(),
            connection: Some(connection),
            ..Account::default()
        };
        Step::Completed(LinkCompleted { account: Some(account) })
    }

    #[tokio::test]
    async fn a_code_is_drawn_and_the_account_told_in_the_end() {
        let accepted = Step::Accepted(LinkAccepted { account_id: "a1".to_owned() });
        let steps = vec![code("2@first"), code("2@second"), accepted, connected()];
        let (text, outcome) = followed(steps, false).await;
        outcome.unwrap();
        insta::assert_snapshot!(text);
    }

    #[tokio::test]
    async fn an_account_that_is_not_connected_is_a_failure_with_its_reason() {
        let failed = || {
            Step::Failed(LinkFailed {
                reason: "CODE_EXPIRED".into(),
                detail: "Nobody scanned.".into(),
            })
        };
        for json in [false, true] {
            let (_, outcome) = followed(vec![failed()], json).await;
            let told = outcome.unwrap_err().to_string();
            assert_eq!(told, "not connected: Nobody scanned. (CODE_EXPIRED)");
        }
        assert!(followed(vec![code("2@first")], false).await.1.is_err(), "there was no outcome");
    }

    #[tokio::test]
    async fn programs_get_every_step_as_a_line() {
        let (text, outcome) = followed(vec![code("2@first"), connected()], true).await;
        outcome.unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], r#"{"qrCode":{"payload":"2@first"}}"#);
        assert_eq!(lines.len(), 2);
    }
}
