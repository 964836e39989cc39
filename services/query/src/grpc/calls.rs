//! Each unary call: read the request, ask, write the response.

use super::answers;
use super::fields::{self, LISTS};
use crate::capabilities::{Setup, capabilities};
use crate::error::QueryError;
use crate::read::{AttendeesAsk, ChatsAsk, MessagesAsk, Queries, SearchAsk};
use channel_domain::{AccountId, AttendeeId, ChatId};
use channel_proto::query::v1 as pb;
use channel_runtime::fault::FieldErrors;
use channel_runtime::identity::Identity;
use channel_wire as wire;
use std::sync::Arc;

type Answer<T> = Result<T, QueryError>;

pub(super) async fn list_accounts(
    queries: Queries,
    caller: Identity,
    it: pb::ListAccountsRequest,
) -> Answer<pb::ListAccountsResponse> {
    let mut bad = FieldErrors::default();
    let paging = fields::paging(&mut bad, LISTS, it.page_size, it.page_token);
    let at_least = fields::at_least(&mut bad, it.min_as_of);
    bad.finish()?;
    Ok(answers::accounts(queries.accounts(&caller, &paging, &at_least).await?))
}

pub(super) async fn get_account(
    queries: Queries,
    caller: Identity,
    it: pb::GetAccountRequest,
) -> Answer<pb::GetAccountResponse> {
    let mut bad = FieldErrors::default();
    let id = fields::id::<AccountId>(&mut bad, "account_id", it.account_id);
    let id = checked(bad, id)?;
    let account = queries.account(&caller, &id, it.min_as_of_seq).await?;
    let account = Some(answers::account(&account));
    Ok(pb::GetAccountResponse { account })
}

pub(super) async fn list_chats(
    queries: Queries,
    caller: Identity,
    it: pb::ListChatsRequest,
) -> Answer<pb::ListChatsResponse> {
    let ask = ChatsAsk::try_from(it)?;
    let page = queries.chats(&caller, &ask).await?;
    Ok(answers::chats(page, queries.now()))
}

pub(super) async fn get_chat(
    queries: Queries,
    caller: Identity,
    it: pb::GetChatRequest,
) -> Answer<pb::GetChatResponse> {
    let mut bad = FieldErrors::default();
    let target = fields::target(&mut bad, it.account_id, it.min_as_of_seq);
    let id = fields::id::<ChatId>(&mut bad, "chat_id", it.chat_id);
    let id = checked(bad, id)?;
    let found = queries.chat(&caller, &target, &id).await?;
    let chat = wire::chat(&found.account.record.id, &found.row, queries.now());
    Ok(pb::GetChatResponse {
        chat: Some(chat),
        freshness: Some(answers::freshness(&found.account)),
    })
}

pub(super) async fn list_messages(
    queries: Queries,
    caller: Identity,
    it: pb::ListMessagesRequest,
) -> Answer<pb::ListMessagesResponse> {
    let ask = MessagesAsk::try_from(it)?;
    Ok(answers::messages(&queries.messages(&caller, &ask).await?))
}

pub(super) async fn get_message(
    queries: Queries,
    caller: Identity,
    it: pb::GetMessageRequest,
) -> Answer<pb::GetMessageResponse> {
    let mut bad = FieldErrors::default();
    let target = fields::target(&mut bad, it.account_id, it.min_as_of_seq);
    let id = fields::message_id(&mut bad, "message_id", &it.message_id);
    let id = checked(bad, id)?;
    let found = queries.message(&caller, &target, id).await?;
    Ok(pb::GetMessageResponse {
        message: Some(wire::message(&found.account.record.id, &found.row)),
        freshness: Some(answers::freshness(&found.account)),
    })
}

pub(super) async fn search_messages(
    queries: Queries,
    caller: Identity,
    it: pb::SearchMessagesRequest,
) -> Answer<pb::SearchMessagesResponse> {
    let ask = SearchAsk::try_from(it)?;
    Ok(answers::hits(queries.search(&caller, &ask).await?))
}

pub(super) async fn list_attendees(
    queries: Queries,
    caller: Identity,
    it: pb::ListAttendeesRequest,
) -> Answer<pb::ListAttendeesResponse> {
    let ask = AttendeesAsk::try_from(it)?;
    let page = queries.attendees(&caller, &ask).await?;
    let chat = ask.chat.as_ref().map_or("", ChatId::as_str);
    Ok(answers::attendees(page, chat))
}

pub(super) async fn get_attendee(
    queries: Queries,
    caller: Identity,
    it: pb::GetAttendeeRequest,
) -> Answer<pb::GetAttendeeResponse> {
    let mut bad = FieldErrors::default();
    let target = fields::target(&mut bad, it.account_id, it.min_as_of_seq);
    let id = fields::id::<AttendeeId>(&mut bad, "attendee_id", it.attendee_id);
    let id = checked(bad, id)?;
    let found = queries.attendee(&caller, &target, &id).await?;
    let claims = queries.identifiers(found.account.key, &id).await?;
    Ok(pb::GetAttendeeResponse {
        identifiers: claims.iter().filter_map(wire::identifier).collect(),
        attendee: Some(wire::attendee(&found.account.record.id, &found.row)),
        freshness: Some(answers::freshness(&found.account)),
    })
}

pub(super) async fn get_capabilities(
    queries: Queries,
    caller: Identity,
    setup: Arc<Setup>,
    it: pb::GetCapabilitiesRequest,
) -> Answer<pb::GetCapabilitiesResponse> {
    let mut bad = FieldErrors::default();
    let account = fields::optional_id::<AccountId>(&mut bad, "account_id", it.account_id);
    let chat = fields::optional_id::<ChatId>(&mut bad, "chat_id", it.chat_id);
    bad.ensure("account_id", chat.is_none() || account.is_some(), "must be set with a chat");
    bad.finish()?;
    capabilities(&queries, &caller, &setup, account, chat).await
}

/// The value, if every field was good. A missing value has always noted why.
fn checked<T>(bad: FieldErrors, value: Option<T>) -> Result<T, FieldErrors> {
    match value {
        Some(value) if bad.is_empty() => Ok(value),
        _ => Err(bad),
    }
}
