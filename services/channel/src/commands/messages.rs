//! `channel messages`: prints the newest messages of a chat, the oldest of them first.

use channel_proto::query::v1::ListMessagesRequest;
use channel_proto::types::v1::{Message, MessageDirection, MessageStatus, SendPhase};

use super::place;
use crate::client::{Client, ClientArgs, json};
use crate::output::{Output, Style, tame};
use crate::{process, tokens, when};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The chat: its id, or words of its title or number that no other chat has
    chat: String,
    /// The account of the chat
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    account: String,
    /// Most messages to print
    #[arg(long, default_value_t = 20)]
    limit: usize,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    client: ClientArgs,
}

pub(crate) fn run(args: &Args, out: Output) -> anyhow::Result<()> {
    process::ask(&args.client, list(args, out))
}

async fn list(args: &Args, mut out: Output) -> anyhow::Result<()> {
    let client = args.client.client(tokens::ADMIN)?;
    let chat = place::chat(&client, &args.account, &args.chat).await?;
    let request = ListMessagesRequest {
        account_id: chat.account_id.clone(),
        chat_id: chat.chat_id.clone(),
        ..ListMessagesRequest::default()
    };
    let messages = newest(&client, request, args.limit).await?;
    if !args.json {
        let title = tame(&chat.title);
        let title = out.styled(Style::Strong, &title).into_owned();
        out.line(title)?;
    }
    for message in messages.iter().rev() {
        if args.json {
            out.line(json::line("channel.types.v1.Message", message)?)?;
        } else {
            let line = line(message, &out);
            out.line(line)?;
        }
    }
    Ok(())
}

async fn newest(
    client: &Client,
    mut request: ListMessagesRequest,
    limit: usize,
) -> anyhow::Result<Vec<Message>> {
    use channel_proto::query::v1::list_messages_request::Point;
    let mut messages = Vec::new();
    while messages.len() < limit {
        request.page_size = i32::try_from((limit - messages.len()).min(200))?;
        let page = client.query().list_messages(request.clone()).await?.into_inner();
        messages.extend(page.messages);
        if page.next_page_token.is_empty() {
            break;
        }
        request.point = Some(Point::PageToken(page.next_page_token));
    }
    Ok(messages)
}

fn line(message: &Message, out: &Output) -> String {
    let is_out = message.direction() == MessageDirection::Out;
    let (mark, style) = if is_out { ("→", Style::Outgoing) } else { ("←", Style::Incoming) };
    let text = if message.text.is_empty() { &message.preview } else { &message.text };
    let text = tame(text);
    let time = when::told(message.sent_at);
    let state = if is_out { format!("  ({})", state(message)) } else { String::new() };
    format!(
        "{}  {}  {text}{}",
        out.styled(Style::Faint, &time),
        out.styled(style, mark),
        out.styled(Style::Faint, &state)
    )
}

/// How far a message got, in a word.
pub(super) fn state(message: &Message) -> String {
    if let Some(failure) = &message.failure {
        return format!("not sent: {}", failure.reason);
    }
    let phase = match message.send_phase() {
        SendPhase::Queued => Some("queued"),
        SendPhase::Sending => Some("sending"),
        SendPhase::Uncertain => Some("sending, not confirmed yet"),
        SendPhase::Unconfirmed => Some("not confirmed"),
        _ => None,
    };
    let status = match message.status() {
        MessageStatus::Delivered => "delivered",
        MessageStatus::Read => "read",
        MessageStatus::Played => "played",
        MessageStatus::Pending => "pending",
        _ => "sent",
    };
    phase.unwrap_or(status).to_owned()
}
