//! Serves messaging over gRPC. Translates, and decides nothing.

mod attendees;
mod connect;
mod erase;
mod hosted;
mod requests;
mod start;
mod sync;

use std::pin::Pin;

use channel_domain::{AccountId, MessageId};
use channel_proto::messaging::v1 as pb;
use channel_proto::messaging::v1::messaging_service_server::MessagingService;
use channel_proto::types::v1 as types;
use channel_runtime::fault::{FieldErrors, to_status};
use channel_runtime::identity::{Identity, Role, identity_of, require_role};
use channel_runtime::supervise::Tasks;
use channel_store::outbox::Written;
use channel_wire as wire;
use tonic::codegen::tokio_stream::Stream;
use tonic::{Request, Response, Status, Streaming};

use crate::connect::Connections;
use crate::error::MessagingError;
use crate::outgoing::Outgoing;
use attendees::{join_attendees, split_attendee, update_attendee};
use requests::{Doing, Update};
use sync::{cancel_sync, sync_account, sync_chat};

/// A server stream of the contract.
type Stated<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

type Answer<T> = Result<T, MessagingError>;

/// The messaging service.
#[derive(Debug, Clone)]
pub struct OverGrpc {
    outgoing: Outgoing,
    connections: Connections,
    tasks: Tasks,
}

impl OverGrpc {
    /// Commands go through `outgoing` and `connections`, in `tasks` of their own: a caller that goes away leaves
    /// nothing half-way.
    #[must_use]
    pub const fn new(outgoing: Outgoing, connections: Connections, tasks: Tasks) -> Self {
        Self { outgoing, connections, tasks }
    }

    /// Calls about the accounts themselves.
    async fn manage<A, R, F>(
        &self,
        request: Request<A>,
        call: impl FnOnce(Connections, Tasks, Identity, A) -> F,
    ) -> Result<Response<R>, Status>
    where
        R: Send + 'static,
        F: Future<Output = Answer<R>> + Send + 'static,
    {
        let caller = identity_of(&request)?;
        require_role(&caller, Role::Admin)?;
        let (connections, tasks) = (self.connections.clone(), self.tasks.clone());
        let work = call(connections, tasks, caller, request.into_inner());
        let done = self.tasks.spawn_owned(work).await;
        let answer = done.map_err(MessagingError::from).and_then(|answer| answer);
        answer.map(Response::new).map_err(|error| to_status(&error))
    }

    async fn answer<A, R, F>(
        &self,
        request: Request<A>,
        call: impl FnOnce(Outgoing, Identity, A) -> F,
    ) -> Result<Response<R>, Status>
    where
        R: Send + 'static,
        F: Future<Output = Answer<R>> + Send + 'static,
    {
        let caller = identity_of(&request)?;
        require_role(&caller, Role::Agent)?;
        let work = call(self.outgoing.clone(), caller, request.into_inner());
        let done = self.tasks.spawn_owned(work).await;
        let answer = done.map_err(MessagingError::from).and_then(|answer| answer);
        answer.map(Response::new).map_err(|error| to_status(&error))
    }
}

async fn send_message(
    outgoing: Outgoing,
    caller: Identity,
    request: pb::SendMessageRequest,
) -> Answer<pb::SendMessageResponse> {
    let ask = requests::send(request, outgoing.config())?;
    let account = ask.account.clone();
    let (message, send) = shown(&account, &outgoing.send(&caller, ask).await?);
    Ok(pb::SendMessageResponse { message: Some(message), send: Some(send) })
}

async fn start_chat(
    outgoing: Outgoing,
    caller: Identity,
    request: pb::StartChatRequest,
) -> Answer<pb::StartChatResponse> {
    let ask = start::start(request, outgoing.config())?;
    let account = ask.account.clone();
    let written = outgoing.send(&caller, ask).await?;
    let (message, send) = shown(&account, &written);
    let now = outgoing.now();
    let chat = written.chat.as_ref().map(|chat| wire::chat(account.as_str(), chat, now));
    Ok(pb::StartChatResponse { chat, message: Some(message), send: Some(send) })
}

async fn upload_attachment(
    outgoing: Outgoing,
    caller: Identity,
    mut parts: Streaming<pb::UploadAttachmentRequest>,
) -> Answer<pb::UploadAttachmentResponse> {
    use pb::upload_attachment_request::Part;
    let headless = || {
        let mut errors = FieldErrors::with_reason("UPLOAD_HEADER_MISSING");
        errors.add("header", "must be the first part, once");
        MessagingError::from(errors)
    };
    let mut next = async || parts.message().await.map_err(|_| MessagingError::UploadBroken);
    let Some(Part::Header(header)) = next().await?.and_then(|it| it.part) else {
        return Err(headless());
    };
    let mut incoming = outgoing.receive(&caller, requests::upload(header)?).await?;
    while let Some(part) = next().await? {
        match part.part {
            Some(Part::Chunk(bytes)) => incoming.add(bytes).await?,
            Some(Part::Header(_)) => return Err(headless()),
            None => {}
        }
    }
    let upload = incoming.finish().await?;
    Ok(pb::UploadAttachmentResponse {
        upload_id: upload.id.to_string(),
        kind: wire::attachment_kind(upload.kind).into(),
        mime_type: upload.mime,
        size_bytes: upload.size,
        expires_at: Some(wire::timestamp(upload.expires_at)),
    })
}

async fn cancel_send(
    outgoing: Outgoing,
    caller: Identity,
    request: pb::CancelSendRequest,
) -> Answer<pb::CancelSendResponse> {
    let (account, message) = named(request.account_id, &request.message_id)?;
    let written = outgoing.cancel(&caller, &account, message).await?;
    let (message, send) = shown(&account, &written);
    Ok(pb::CancelSendResponse { message: Some(message), send: Some(send) })
}

async fn resolve_send(
    outgoing: Outgoing,
    caller: Identity,
    request: pb::ResolveSendRequest,
) -> Answer<pb::ResolveSendResponse> {
    let ask = requests::resolve(request)?;
    let (account, message) = (&ask.account, ask.message);
    let Some(again) = ask.again else {
        let (message, send) = shown(account, &outgoing.discard(&caller, account, message).await?);
        return Ok(pb::ResolveSendResponse {
            message: Some(message),
            resent: None,
            send: Some(send),
        });
    };
    let (left, replacement) = outgoing.resend(&caller, account, message, again).await?;
    let ((message, _), (resent, send)) = (shown(account, &left), shown(account, &replacement));
    Ok(pb::ResolveSendResponse { message: Some(message), resent: Some(resent), send: Some(send) })
}

async fn edit_message(
    outgoing: Outgoing,
    caller: Identity,
    request: pb::EditMessageRequest,
) -> Answer<pb::EditMessageResponse> {
    let doing = requests::edit(request, outgoing.config())?;
    Ok(pb::EditMessageResponse { message: changed(outgoing, caller, doing).await? })
}

async fn delete_message(
    outgoing: Outgoing,
    caller: Identity,
    request: pb::DeleteMessageRequest,
) -> Answer<pb::DeleteMessageResponse> {
    let doing = requests::delete(request)?;
    Ok(pb::DeleteMessageResponse { message: changed(outgoing, caller, doing).await? })
}

async fn react_to_message(
    outgoing: Outgoing,
    caller: Identity,
    request: pb::ReactToMessageRequest,
) -> Answer<pb::ReactToMessageResponse> {
    // API v1 has no way to take a reaction back.
    let doing = requests::react(request)?.ok_or(MessagingError::Unsupported)?;
    Ok(pb::ReactToMessageResponse { message: changed(outgoing, caller, doing).await? })
}

/// A message after something was done to it.
async fn changed(
    outgoing: Outgoing,
    caller: Identity,
    doing: Doing,
) -> Answer<Option<types::Message>> {
    let shown = outgoing.act(&caller, &doing.account, doing.acts, doing.hash).await?;
    Ok(shown.message.map(|message| wire::message(doing.account.as_str(), &message)))
}

async fn forward_message(
    outgoing: Outgoing,
    caller: Identity,
    request: pb::ForwardMessageRequest,
) -> Answer<pb::ForwardMessageResponse> {
    let ask = requests::forward(request)?;
    let account = ask.account.clone();
    let (message, send) = shown(&account, &outgoing.send(&caller, ask).await?);
    Ok(pb::ForwardMessageResponse { message: Some(message), send: Some(send) })
}

async fn update_chat(
    outgoing: Outgoing,
    caller: Identity,
    request: pb::UpdateChatRequest,
) -> Answer<pb::UpdateChatResponse> {
    let Update { chat, doing, name, labels } = requests::update(request)?;
    let Doing { account, acts, hash } = doing;
    let mut shown = None;
    if name.is_some() || labels.is_some() {
        shown = outgoing.describe(&caller, &account, chat, name, labels).await?.chat;
    }
    if !acts.is_empty() {
        shown = outgoing.act(&caller, &account, acts, hash).await?.chat;
    }
    let now = outgoing.now();
    let chat = shown.map(|chat| wire::chat(account.as_str(), &chat, now));
    Ok(pb::UpdateChatResponse { chat })
}

/// A message of an account.
fn named(account: String, message: &str) -> Result<(AccountId, MessageId), FieldErrors> {
    let mut bad = FieldErrors::default();
    let account = requests::id(&mut bad, "account_id", account);
    let message = requests::uuid(&mut bad, "message_id", message);
    match (account, message) {
        (Some(account), Some(message)) if bad.is_empty() => Ok((account, message)),
        _ => Err(bad),
    }
}

fn shown(account: &AccountId, written: &Written) -> (types::Message, types::SendState) {
    let account = account.as_str();
    (wire::message(account, &written.message), wire::send_state(account, &written.send))
}

/// Writes the service: a line for each call, with what answers it.
macro_rules! service {
    (
        built { $($call:ident($request:ty) -> $response:ty;)+ }
        managed { $($manage:ident($order:ty) -> $done:ty, $by:path;)+ }
    ) => {
        #[tonic::async_trait]
        impl MessagingService for OverGrpc {
            type ConnectAccountStream = Stated<pb::ConnectAccountResponse>;
            type ReconnectAccountStream = Stated<pb::ReconnectAccountResponse>;
            type FollowHostedLinkStream = Stated<pb::FollowHostedLinkResponse>;
            $(
                async fn $call(&self, request: Request<$request>) -> Result<Response<$response>, Status> {
                    self.answer(request, $call).await
                }
            )+
            $(
                async fn $manage(&self, request: Request<$order>) -> Result<Response<$done>, Status> {
                    self.manage(request, $by).await
                }
            )+
        }
    };
}

service! {
    built {
        send_message(pb::SendMessageRequest) -> pb::SendMessageResponse;
        start_chat(pb::StartChatRequest) -> pb::StartChatResponse;
        upload_attachment(Streaming<pb::UploadAttachmentRequest>) -> pb::UploadAttachmentResponse;
        cancel_send(pb::CancelSendRequest) -> pb::CancelSendResponse;
        edit_message(pb::EditMessageRequest) -> pb::EditMessageResponse;
        delete_message(pb::DeleteMessageRequest) -> pb::DeleteMessageResponse;
        react_to_message(pb::ReactToMessageRequest) -> pb::ReactToMessageResponse;
        forward_message(pb::ForwardMessageRequest) -> pb::ForwardMessageResponse;
        update_chat(pb::UpdateChatRequest) -> pb::UpdateChatResponse;
        update_attendee(pb::UpdateAttendeeRequest) -> pb::UpdateAttendeeResponse;
        join_attendees(pb::JoinAttendeesRequest) -> pb::JoinAttendeesResponse;
        split_attendee(pb::SplitAttendeeRequest) -> pb::SplitAttendeeResponse;
        resolve_send(pb::ResolveSendRequest) -> pb::ResolveSendResponse;
        sync_account(pb::SyncAccountRequest) -> pb::SyncAccountResponse;
        sync_chat(pb::SyncChatRequest) -> pb::SyncChatResponse;
        cancel_sync(pb::CancelSyncRequest) -> pb::CancelSyncResponse;
    }
    managed {
        connect_account(pb::ConnectAccountRequest) -> Self::ConnectAccountStream, connect::connect;
        reconnect_account(pb::ReconnectAccountRequest) -> Self::ReconnectAccountStream, connect::reconnect;
        create_hosted_link(pb::CreateHostedLinkRequest) -> pb::CreateHostedLinkResponse, hosted::create;
        follow_hosted_link(pb::FollowHostedLinkRequest) -> Self::FollowHostedLinkStream, hosted::follow;
        remove_account(pb::RemoveAccountRequest) -> pb::RemoveAccountResponse, connect::remove;
        erase_contact(pb::EraseContactRequest) -> pb::EraseContactResponse, erase::contact;
        get_erasure(pb::GetErasureRequest) -> pb::GetErasureResponse, erase::get;
    }
}

#[cfg(test)]
mod tests;
