//! `channel send`: queues a message.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use channel_proto::messaging::v1::recipient::Recipient as Named;
use channel_proto::messaging::v1::upload_attachment_request::Part;
use channel_proto::messaging::v1::{
    OutgoingAttachment, OutgoingContent, Recipient, SendMessageRequest, StartChatRequest,
    UploadAttachmentRequest, UploadHeader,
};
use channel_proto::types::v1::{Message, SendState};
use futures::{StreamExt as _, stream};
use tokio::io::AsyncReadExt as _;

use super::{duration, messages, place};
use crate::client::{Client, ClientArgs, json};
use crate::output::{Output, tame};
use crate::{process, tokens};

/// How much of a file is sent at a time.
const PIECE: usize = 512 * 1024;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The chat: its id, or words of its title or number that no other chat has; with --new a phone number
    chat: String,
    /// The text; `-` reads it from standard input
    #[arg(required_unless_present_any = ["files", "voice"], default_value = "", hide_default_value = true)]
    text: String,
    /// A file to send, the text becomes its caption; may be repeated
    #[arg(long = "file", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// A sound file to send as a voice message
    #[arg(long, value_name = "FILE", conflicts_with = "files")]
    voice: Option<PathBuf>,
    /// The account that sends
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    account: String,
    /// Start a chat with a phone number; if there is one already, write there
    #[arg(long, conflicts_with_all = ["reply_to", "typing", "expires_in"])]
    new: bool,
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
    if args.new {
        return start(args, &client, &mut out).await;
    }
    let chat = place::chat(&client, &args.account, &args.chat).await?;
    let content = content(args, &client, &chat.account_id).await?;
    let wire = |duration: Duration| prost_types::Duration::try_from(duration);
    let request = SendMessageRequest {
        account_id: chat.account_id.clone(),
        chat_id: chat.chat_id.clone(),
        client_message_id: args.id.clone().unwrap_or_default(),
        content: Some(content),
        quoted_message_id: args.reply_to.clone().unwrap_or_default(),
        typing: args.typing.map(wire).transpose()?,
        expires_in: args.expires_in.map(wire).transpose()?,
    };
    let answer = client.messaging().send_message(request).await?.into_inner();
    if args.json {
        let name = "channel.messaging.v1.SendMessageResponse";
        return Ok(out.line(json::line(name, &answer)?)?);
    }
    Ok(out.line(told(answer.message.as_ref(), answer.send.as_ref(), &chat.title)?)?)
}

/// Writes to somebody with whom there may be no chat yet.
async fn start(args: &Args, client: &Client, out: &mut Output) -> anyhow::Result<()> {
    let account_id = place::account(client, &args.account).await?;
    let content = content(args, client, &account_id).await?;
    let recipient = Some(Named::PhoneNumber(args.chat.clone()));
    let request = StartChatRequest {
        account_id,
        recipients: vec![Recipient { recipient }],
        subject: String::new(),
        client_message_id: args.id.clone().unwrap_or_default(),
        content: Some(content),
    };
    let answer = client.messaging().start_chat(request).await?.into_inner();
    if args.json {
        let name = "channel.messaging.v1.StartChatResponse";
        return Ok(out.line(json::line(name, &answer)?)?);
    }
    let title = answer.chat.as_ref().map_or(args.chat.as_str(), |chat| chat.title.as_str());
    Ok(out.line(told(answer.message.as_ref(), answer.send.as_ref(), title)?)?)
}

/// What is to be sent, its files put where they can be sent from.
async fn content(args: &Args, client: &Client, account: &str) -> anyhow::Result<OutgoingContent> {
    let text = text(&args.text)?;
    let mut attachments = Vec::new();
    for file in &args.files {
        attachments.push(uploaded(client, account, file, false).await?);
    }
    if let Some(file) = &args.voice {
        attachments.push(uploaded(client, account, file, true).await?);
    }
    Ok(OutgoingContent { text, attachments })
}

/// Puts a file where it can be sent from.
async fn uploaded(
    client: &Client,
    account: &str,
    path: &Path,
    voice: bool,
) -> anyhow::Result<OutgoingAttachment> {
    let unreadable = || format!("{} cannot be read", path.display());
    let file = tokio::fs::File::open(path).await.with_context(unreadable)?;
    let size_bytes = file.metadata().await.with_context(unreadable)?.len();
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let header = UploadHeader {
        account_id: account.to_owned(),
        file_name: name,
        size_bytes,
        voice,
        ..UploadHeader::default()
    };
    let part = |part| UploadAttachmentRequest { part: Some(part) };
    let header = stream::once(async move { part(Part::Header(header)) });
    // A file that breaks off is shorter than announced, which the server refuses.
    let pieces = stream::unfold(file, async |mut file| {
        let mut piece = vec![0; PIECE];
        let count = file.read(&mut piece).await.ok().filter(|count| *count > 0)?;
        piece.truncate(count);
        Some((Part::Chunk(piece.into()), file))
    });
    let parts = header.chain(pieces.map(part));
    let answer = client.messaging().upload_attachment(parts).await?.into_inner();
    Ok(OutgoingAttachment { upload_id: answer.upload_id, voice })
}

fn text(given: &str) -> anyhow::Result<String> {
    if given != "-" {
        return Ok(given.to_owned());
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).context("standard input cannot be read")?;
    Ok(text.trim_end_matches('\n').to_owned())
}

fn told(message: Option<&Message>, send: Option<&SendState>, chat: &str) -> anyhow::Result<String> {
    let (Some(message), Some(send)) = (message, send) else {
        bail!("the server answered without a message");
    };
    let state = messages::state(message);
    let wait = send.expected_wait.as_ref().map_or(0, |wait| wait.seconds);
    let wait = if wait > 0 { format!(", leaves in about {wait} s") } else { String::new() };
    Ok(format!("{}  {state}{wait}  to {}", message.message_id, tame(chat)))
}
