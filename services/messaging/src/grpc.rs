//! Serves messaging over gRPC. Translates, and decides nothing.

use std::pin::Pin;

use channel_proto::messaging::v1 as pb;
use channel_proto::messaging::v1::messaging_service_server::MessagingService;
use channel_runtime::fault::to_status;
use channel_runtime::identity::{Role, identity_of, require_role};
use tonic::codegen::tokio_stream::Stream;
use tonic::{Request, Response, Status, Streaming};

use crate::MessagingError;

/// A server stream of the contract.
type Stated<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// The messaging service.
#[derive(Debug, Clone, Copy, Default)]
pub struct OverGrpc;

/// The answer of a call that is not built, for callers who might make it.
fn not_built<A, R>(request: &Request<A>, needed: Role) -> Result<R, Status> {
    require_role(&identity_of(request)?, needed)?;
    Err(to_status(&MessagingError::NotBuilt))
}

/// Writes the service: a line for each call with the role that it needs.
macro_rules! service {
    ($($call:ident($request:ty) -> $response:ty, $role:ident;)+) => {
        #[tonic::async_trait]
        impl MessagingService for OverGrpc {
            type ConnectAccountStream = Stated<pb::ConnectAccountResponse>;
            type ReconnectAccountStream = Stated<pb::ReconnectAccountResponse>;
            $(
                async fn $call(&self, request: Request<$request>) -> Result<Response<$response>, Status> {
                    not_built(&request, Role::$role)
                }
            )+
        }
    };
}

service! {
    send_message(pb::SendMessageRequest) -> pb::SendMessageResponse, Agent;
    cancel_send(pb::CancelSendRequest) -> pb::CancelSendResponse, Agent;
    start_chat(pb::StartChatRequest) -> pb::StartChatResponse, Agent;
    edit_message(pb::EditMessageRequest) -> pb::EditMessageResponse, Agent;
    delete_message(pb::DeleteMessageRequest) -> pb::DeleteMessageResponse, Agent;
    react_to_message(pb::ReactToMessageRequest) -> pb::ReactToMessageResponse, Agent;
    forward_message(pb::ForwardMessageRequest) -> pb::ForwardMessageResponse, Agent;
    update_chat(pb::UpdateChatRequest) -> pb::UpdateChatResponse, Agent;
    resolve_send(pb::ResolveSendRequest) -> pb::ResolveSendResponse, Agent;
    sync_account(pb::SyncAccountRequest) -> pb::SyncAccountResponse, Agent;
    sync_chat(pb::SyncChatRequest) -> pb::SyncChatResponse, Agent;
    cancel_sync(pb::CancelSyncRequest) -> pb::CancelSyncResponse, Agent;
    connect_account(pb::ConnectAccountRequest) -> Self::ConnectAccountStream, Admin;
    reconnect_account(pb::ReconnectAccountRequest) -> Self::ReconnectAccountStream, Admin;
    remove_account(pb::RemoveAccountRequest) -> pb::RemoveAccountResponse, Admin;
    upload_attachment(Streaming<pb::UploadAttachmentRequest>) -> pb::UploadAttachmentResponse, Agent;
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use channel_runtime::fault::reason_of;
    use channel_runtime::identity::Identity;
    use tonic::Code;

    use super::*;

    fn from<T>(role: Role, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.extensions_mut().insert(Identity {
            subject: Arc::from("someone"),
            tenant: Arc::from("default"),
            role,
            accounts: None,
            expires_at: i64::MAX,
        });
        request
    }

    fn refusal<T>(answer: Result<Response<T>, Status>) -> (Code, String) {
        let Err(status) = answer else { panic!("nothing is built") };
        (status.code(), reason_of(&status).unwrap())
    }

    #[tokio::test]
    async fn a_call_that_is_not_built_says_so_to_those_who_may_make_it() {
        let not_built = (Code::Unimplemented, "NOT_BUILT".to_owned());
        for role in [Role::Agent, Role::Admin] {
            let send = OverGrpc.send_message(from(role, pb::SendMessageRequest::default()));
            assert_eq!(refusal(send.await), not_built);
        }
        let connect = from(Role::Admin, pb::ConnectAccountRequest::default());
        assert_eq!(refusal(OverGrpc.connect_account(connect).await), not_built);
    }

    #[tokio::test]
    async fn a_role_that_may_not_learns_no_more_than_that() {
        let forbidden = (Code::PermissionDenied, "ROLE_MISSING".to_owned());
        for role in [Role::Viewer, Role::Operator, Role::Service] {
            let send = OverGrpc.send_message(from(role, pb::SendMessageRequest::default()));
            assert_eq!(refusal(send.await), forbidden);
        }
        let remove = from(Role::Agent, pb::RemoveAccountRequest::default());
        assert_eq!(refusal(OverGrpc.remove_account(remove).await), forbidden);
    }

    #[tokio::test]
    async fn a_caller_without_an_identity_is_sent_away() {
        let call = OverGrpc.update_chat(Request::new(pb::UpdateChatRequest::default()));
        let missing = (Code::Unauthenticated, "TOKEN_MISSING".to_owned());
        assert_eq!(refusal(call.await), missing);
    }
}
