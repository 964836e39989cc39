//! Finding the chat or account that a person means.

use anyhow::bail;
use channel_proto::query::v1::{GetChatRequest, ListAccountsRequest, ListChatsRequest};
use channel_proto::types::v1::Chat;
use tonic::Code;

use super::chats::find;
use crate::client::Client;
use crate::output::tame;

/// How many chats are named when several may be meant.
const MOST: usize = 10;

/// The chat with this id, else the only one whose title or number has words that begin so.
pub(super) async fn chat(client: &Client, account: &str, text: &str) -> anyhow::Result<Chat> {
    let by_id = GetChatRequest {
        account_id: account.to_owned(),
        chat_id: text.to_owned(),
        min_as_of_seq: 0,
    };
    match client.query().get_chat(by_id).await {
        Ok(found) => {
            if let Some(chat) = found.into_inner().chat {
                return Ok(chat);
            }
        }
        Err(status) if matches!(status.code(), Code::NotFound | Code::InvalidArgument) => {}
        Err(status) => return Err(status.into()),
    }
    let request = ListChatsRequest {
        account_ids: Some(account)
            .filter(|id| !id.is_empty())
            .map(Into::into)
            .into_iter()
            .collect(),
        text: text.to_owned(),
        ..ListChatsRequest::default()
    };
    let mut found = find(client, request, MOST).await?;
    // One that is called exactly so is meant, whatever else begins with it.
    if let Some(at) = found.iter().position(|chat| chat.title == text) {
        return Ok(found.swap_remove(at));
    }
    match found.len() {
        0 => bail!("no chat has this id, and none is called so; `channel chats` lists them"),
        1 => Ok(found.swap_remove(0)),
        _ => {
            let told =
                found.iter().map(|chat| format!("\n  {}  {}", chat.chat_id, tame(&chat.title)));
            bail!("several chats may be meant:{}", told.collect::<String>())
        }
    }
}

/// The account with this id; without one the only account there is.
pub(super) async fn account(client: &Client, id: &str) -> anyhow::Result<String> {
    if !id.is_empty() {
        return Ok(id.to_owned());
    }
    let answer = client.query().list_accounts(ListAccountsRequest::default()).await?;
    match answer.into_inner().accounts.as_slice() {
        [only] => Ok(only.account_id.clone()),
        [] => bail!("there is no account yet"),
        accounts => {
            let told = accounts.iter().map(|it| format!("\n  {}", it.account_id));
            bail!("say with --account which one writes:{}", told.collect::<String>())
        }
    }
}
