//! `--link`: the upstream's own sign-in page in the place of codes.

use channel_proto::messaging::v1::{
    CreateHostedLinkRequest, FollowHostedLinkRequest, FollowHostedLinkResponse, LinkStep,
};
use futures::{Stream, stream};
use tonic::{Status, Streaming};

use super::link::follow;
use crate::client::{AWAY, Client, is_lost, json};
use crate::output::{Output, tame};
use crate::when;

/// Prints a new link, and waits for what becomes of it.
pub(super) async fn link(
    client: &Client,
    request: CreateHostedLinkRequest,
    as_json: bool,
    mut out: Output,
) -> anyhow::Result<()> {
    let made = client.messaging().create_hosted_link(request).await?.into_inner();
    if as_json {
        out.line(json::line("channel.messaging.v1.CreateHostedLinkResponse", &made)?)?;
    } else {
        out.line(format!(
            "Open this link on any screen, good until {}:",
            when::told(made.expires_at)
        ))?;
        out.line(tame(&made.url))?;
        out.line("Whoever has it may connect a phone, once. Waiting; the account comes without this, too …")?;
    }
    follow(steps(client, made.link_id), as_json, out).await
}

/// The steps of a link, over every server that goes away meanwhile.
fn steps(client: &Client, link_id: String) -> impl Stream<Item = Result<Option<LinkStep>, Status>> {
    let open: Option<Streaming<FollowHostedLinkResponse>> = None;
    stream::try_unfold(open, move |mut open| {
        let request = FollowHostedLinkRequest { link_id: link_id.clone() };
        async move {
            loop {
                let answer = match &mut open {
                    Some(steps) => steps.message().await,
                    None => match client.messaging().follow_hosted_link(request.clone()).await {
                        Ok(steps) => {
                            open = Some(steps.into_inner());
                            continue;
                        }
                        Err(status) => Err(status),
                    },
                };
                match answer {
                    Ok(Some(told)) => return Ok(Some((told.step, open))),
                    Err(status) if !is_lost(&status) => return Err(status),
                    // Nobody asks on after the outcome, so it is still to come.
                    Ok(None) | Err(_) => {
                        open = None;
                        tokio::time::sleep(AWAY).await;
                    }
                }
            }
        }
    })
}
