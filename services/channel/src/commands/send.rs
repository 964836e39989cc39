//! `channel send`: queues a message.

use std::io::Read as _;
use std::time::Duration;

use anyhow::{Context, bail};
use channel_proto::messaging::v1::{OutgoingContent, SendMessageRequest, SendMessageResponse};

use super::{duration, messages, place};
use crate::client::{ClientArgs, json};
use crate::output::{Output, tame};
use crate::{process, tokens};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The chat: its id, or words of its title or number that no other chat has
    chat: String,
    /// The text; `-` reads it from standard input
    text: String,
    /// The account that sends
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    account: String,
    /// A message of the chat to answer
    #[arg(long, value_name = "MESSAGE")]
    reply_to: Option<String>,
    /// An id for the message, a UUID: sending the same twice with it sends once
    #[arg(long, value_name = "UUID")]
    id: Option<String>,
    /// Show "typing" for so long before, at most 30s
    #[arg(long, value_parser = duration)]
    typing: Option<Duration>,
    /// Give up if it could not be sent by then, 10s to 24h
    #[arg(long, value_parser = duration)]
    expires_in: Option<Duration>,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    client: ClientArgs,
}

pub(crate) fn run(args: &Args, out: Output) -> anyhow::Result<()> {
    process::ask(&args.client, send(args, out))
}

async fn send(args: &Args, mut out: Output) -> anyhow::Result<()> {
    let client = args.client.client(tokens::ADMIN)?;
    let text = text(&args.text)?;
    let chat = place::chat(&client, &args.account, &args.chat).await?;
    let wire = |duration: Duration| prost_types::Duration::try_from(duration);
    let request = SendMessageRequest {
        account_id: chat.account_id.clone(),
        chat_id: chat.chat_id.clone(),
        client_message_id: args.id.clone().unwrap_or_default(),
        content: Some(OutgoingContent { text, attachments: vec![] }),
        quoted_message_id: args.reply_to.clone().unwrap_or_default(),
        typing: args.typing.map(wire).transpose()?,
        expires_in: args.expires_in.map(wire).transpose()?,
    };
    let answer = client.messaging().send_message(request).await?.into_inner();
    if args.json {
        let name = "channel.messaging.v1.SendMessageResponse";
        return Ok(out.line(json::line(name, &answer)?)?);
    }
    Ok(out.line(told(&answer, &chat.title)?)?)
}

fn text(given: &str) -> anyhow::Result<String> {
    if given != "-" {
        return Ok(given.to_owned());
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).context("standard input cannot be read")?;
    Ok(text.trim_end_matches('\n').to_owned())
}

fn told(answer: &SendMessageResponse, chat: &str) -> anyhow::Result<String> {
    let (Some(message), Some(send)) = (&answer.message, &answer.send) else {
        bail!("the server answered without a message");
    };
    let state = messages::state(message);
    let wait = send.expected_wait.as_ref().map_or(0, |wait| wait.seconds);
    let wait = if wait > 0 { format!(", leaves in about {wait} s") } else { String::new() };
    Ok(format!("{}  {state}{wait}  to {}", message.message_id, tame(chat)))
}
