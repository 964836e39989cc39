//! `channel chats`: lists chats, newest first.

use channel_proto::query::v1::ListChatsRequest;
use channel_proto::types::v1::Chat;

use crate::client::{Client, ClientArgs, json};
use crate::output::{Output, table, tame};
use crate::{process, tokens, when};

/// How much of the last message is shown.
const PREVIEW: usize = 48;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only chats whose title or number has words that begin so
    text: Vec<String>,
    /// Only chats of this account; may be repeated
    #[arg(long = "account", value_name = "ID")]
    accounts: Vec<String>,
    /// Only chats with unread messages
    #[arg(long)]
    unread: bool,
    /// Most chats to list
    #[arg(long, default_value_t = 50)]
    limit: usize,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    client: ClientArgs,
}

const HEADING: [&str; 6] = ["CHAT", "TITLE", "UNREAD", "LAST", "", "MESSAGE"];

pub(crate) fn run(args: &Args, out: Output) -> anyhow::Result<()> {
    process::ask(&args.client, list(args, out))
}

async fn list(args: &Args, mut out: Output) -> anyhow::Result<()> {
    let client = args.client.client(tokens::ADMIN)?;
    let request = ListChatsRequest {
        account_ids: args.accounts.clone(),
        unread: args.unread.then_some(true),
        text: args.text.join(" "),
        ..ListChatsRequest::default()
    };
    let chats = find(&client, request, args.limit).await?;
    if args.json {
        for chat in &chats {
            out.line(json::line("channel.types.v1.Chat", chat)?)?;
        }
        return Ok(());
    }
    if chats.is_empty() {
        return Ok(out.line("no chats")?);
    }
    let rows: Vec<_> = chats.iter().map(row).collect();
    for line in table(&HEADING, &rows) {
        out.line(line)?;
    }
    Ok(())
}

/// The first chats of a list.
pub(super) async fn find(
    client: &Client,
    mut request: ListChatsRequest,
    limit: usize,
) -> anyhow::Result<Vec<Chat>> {
    let mut chats = Vec::new();
    while chats.len() < limit {
        request.page_size = i32::try_from((limit - chats.len()).min(200))?;
        let page = client.query().list_chats(request.clone()).await?.into_inner();
        chats.extend(page.chats);
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    Ok(chats)
}

fn row(chat: &Chat) -> Vec<String> {
    let last = chat.last_message.as_ref();
    let out = last
        .is_some_and(|last| last.direction() == channel_proto::types::v1::MessageDirection::Out);
    let unread = match chat.unread_count {
        0 => String::new(),
        1_000.. => "999+".to_owned(),
        count => count.to_string(),
    };
    let preview: String =
        tame(last.map_or("", |last| &last.preview)).chars().take(PREVIEW).collect();
    vec![
        chat.chat_id.clone(),
        tame(&chat.title),
        unread,
        when::told(last.and_then(|last| last.sent_at)),
        (if out { "→" } else { "←" }).to_owned(),
        preview,
    ]
}
