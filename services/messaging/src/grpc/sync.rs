//! The calls that synchronise.

use channel_domain::sync::SyncKind;
use channel_domain::{AccountId, ChatId};
use channel_proto::messaging::v1 as pb;
use channel_proto::types::v1 as types;
use channel_runtime::fault::FieldErrors;
use channel_runtime::identity::Identity;
use channel_store::sync::{SyncAsk, SyncStep};
use channel_wire as wire;
use uuid::Uuid;

use super::{Answer, requests};
use crate::outgoing::Outgoing;

pub(super) async fn sync_account(
    outgoing: Outgoing,
    caller: Identity,
    request: pb::SyncAccountRequest,
) -> Answer<pb::SyncAccountResponse> {
    let mut bad = FieldErrors::default();
    let account: Option<AccountId> = requests::id(&mut bad, "account_id", request.account_id);
    let kind = match types::SyncKind::try_from(request.kind) {
        Ok(types::SyncKind::Unspecified) => None,
        Ok(types::SyncKind::History) => Some(SyncKind::History),
        Ok(types::SyncKind::Repair) => Some(SyncKind::Repair),
        Ok(types::SyncKind::Chat) | Err(_) => {
            bad.add("kind", "must be SYNC_KIND_HISTORY or SYNC_KIND_REPAIR");
            None
        }
    };
    let since = request.since.map(|at| wire::micros(&at));
    bad.ensure("since", since != Some(None), "is no time of the years 1 to 9999");
    let id = request_id(&mut bad, &request.request_id);
    let (Some(account), Some(id), true) = (account, id, bad.is_empty()) else {
        return Err(bad.into());
    };
    let ask = SyncAsk { kind, since: since.flatten(), ..SyncAsk::new(id) };
    let progress = outgoing.sync(&caller, &account, SyncStep::Ask(Box::new(ask))).await?;
    Ok(pb::SyncAccountResponse { progress: Some(progress) })
}

pub(super) async fn sync_chat(
    outgoing: Outgoing,
    caller: Identity,
    request: pb::SyncChatRequest,
) -> Answer<pb::SyncChatResponse> {
    let mut bad = FieldErrors::default();
    let account: Option<AccountId> = requests::id(&mut bad, "account_id", request.account_id);
    let chat: Option<ChatId> = requests::id(&mut bad, "chat_id", request.chat_id);
    let id = request_id(&mut bad, &request.request_id);
    let (Some(account), Some(chat), Some(id), true) = (account, chat, id, bad.is_empty()) else {
        return Err(bad.into());
    };
    let ask = SyncAsk { chat: Some(chat), deep: request.deep, ..SyncAsk::new(id) };
    let progress = outgoing.sync(&caller, &account, SyncStep::Ask(Box::new(ask))).await?;
    Ok(pb::SyncChatResponse { progress: Some(progress) })
}

pub(super) async fn cancel_sync(
    outgoing: Outgoing,
    caller: Identity,
    request: pb::CancelSyncRequest,
) -> Answer<pb::CancelSyncResponse> {
    let mut bad = FieldErrors::default();
    let account: Option<AccountId> = requests::id(&mut bad, "account_id", request.account_id);
    let id = requests::uuid(&mut bad, "sync_id", &request.sync_id);
    let (Some(account), Some(id), true) = (account, id, bad.is_empty()) else {
        return Err(bad.into());
    };
    let progress = outgoing.sync(&caller, &account, SyncStep::Cancel(id.0)).await?;
    Ok(pb::CancelSyncResponse { progress: Some(progress) })
}

fn request_id(bad: &mut FieldErrors, text: &str) -> Option<Uuid> {
    requests::own_id(bad, "request_id", text).map(|id| id.0)
}
