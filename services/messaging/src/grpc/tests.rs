use std::sync::Arc;

use channel_runtime::clock::SystemClock;
use channel_runtime::fault::{reason_of, violations_of};
use channel_runtime::supervise::Supervisor;
use channel_store::Store;
use channel_store_sqlite::{Options, SqliteStore};
use tonic::Code;

use super::*;
use crate::MessagingConfig;

/// The service over an empty store.
struct Desk {
    grpc: OverGrpc,
    _folder: tempfile::TempDir,
}

impl Desk {
    async fn new(is_connected: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path(), Options::default()).await.unwrap();
        let store: Arc<dyn Store> = Arc::new(store);
        let config = Arc::new(MessagingConfig::default());
        let (clock, supervisor) = (Arc::new(SystemClock), Supervisor::new());
        let connections = Connections::new(
            store.clone(),
            None,
            clock.clone(),
            config.clone(),
            None,
            supervisor.drain(),
        );
        let outgoing = Outgoing::new(store, clock, config, is_connected);
        Self { grpc: OverGrpc::new(outgoing, connections, supervisor.tasks()), _folder: folder }
    }
}

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
    let Err(status) = answer else { panic!("nothing can be done") };
    (status.code(), reason_of(&status).unwrap())
}

#[tokio::test]
async fn a_role_that_may_not_learns_no_more_than_that() {
    let desk = Desk::new(true).await;
    let forbidden = (Code::PermissionDenied, "ROLE_MISSING".to_owned());
    for role in [Role::Viewer, Role::Operator, Role::Service] {
        let send = desk.grpc.send_message(from(role, pb::SendMessageRequest::default()));
        assert_eq!(refusal(send.await), forbidden);
    }
    let remove = from(Role::Agent, pb::RemoveAccountRequest::default());
    assert_eq!(refusal(desk.grpc.remove_account(remove).await), forbidden);
}

#[tokio::test]
async fn accounts_are_connected_by_whoever_may_see_them_and_only_with_an_upstream() {
    let desk = Desk::new(true).await;
    let mut limited = from(Role::Admin, pb::ConnectAccountRequest::default());
    if let Some(caller) = limited.extensions_mut().get_mut::<Identity>() {
        caller.accounts = Some(Arc::default());
    }
    let refused = refusal(desk.grpc.connect_account(limited).await);
    assert_eq!(refused, (Code::PermissionDenied, "TOKEN_LIMITED".to_owned()));
    let request = from(Role::Admin, pb::ConnectAccountRequest::default());
    let refused = refusal(desk.grpc.connect_account(request).await);
    assert_eq!(refused, (Code::FailedPrecondition, "UPSTREAM_NOT_CONFIGURED".to_owned()));
    let request = pb::ConnectAccountRequest {
        display_name: "two\nlines".to_owned(),
        method: 99,
        phone_number: "+15550100001".to_owned(),
    };
    let Err(status) = desk.grpc.connect_account(from(Role::Admin, request)).await else {
        panic!("it is accepted");
    };
    let fields: Vec<_> = violations_of(&status).into_iter().map(|(field, _)| field).collect();
    assert_eq!(fields, ["method", "display_name", "phone_number"]);
}

#[tokio::test]
async fn a_caller_without_an_identity_is_sent_away() {
    let desk = Desk::new(true).await;
    let call = desk.grpc.send_message(Request::new(pb::SendMessageRequest::default()));
    let missing = (Code::Unauthenticated, "TOKEN_MISSING".to_owned());
    assert_eq!(refusal(call.await), missing);
}

#[tokio::test]
async fn every_bad_field_of_a_message_is_named_at_once() {
    let desk = Desk::new(true).await;
    let request = pb::SendMessageRequest {
        account_id: String::new(),
        chat_id: "c\n1".to_owned(),
        client_message_id: "7".to_owned(),
        content: Some(pb::OutgoingContent {
            text: "x".repeat(65_537),
            attachments: vec![pb::OutgoingAttachment::default()],
        }),
        quoted_message_id: "8".to_owned(),
        typing: Some(prost_types::Duration { seconds: 31, nanos: 0 }),
        expires_in: Some(prost_types::Duration { seconds: 9, nanos: 0 }),
    };
    let Err(status) = desk.grpc.send_message(from(Role::Agent, request)).await else {
        panic!("it is accepted");
    };
    assert_eq!(status.code(), Code::InvalidArgument);
    let fields: Vec<_> = violations_of(&status).into_iter().map(|(field, _)| field).collect();
    let all = [
        "account_id",
        "chat_id",
        "client_message_id",
        "content.text",
        "content.attachments[0].upload_id",
        "quoted_message_id",
        "typing",
        "expires_in",
    ];
    assert_eq!(fields, all);
    let empty = pb::SendMessageRequest {
        account_id: "a".to_owned(),
        chat_id: "c".to_owned(),
        content: Some(pb::OutgoingContent { text: " \n".to_owned(), attachments: vec![] }),
        ..pb::SendMessageRequest::default()
    };
    let refused = refusal(desk.grpc.send_message(from(Role::Agent, empty)).await);
    assert_eq!(refused, (Code::InvalidArgument, "INVALID_ARGUMENT".to_owned()));
}

#[tokio::test]
async fn an_account_that_is_not_the_callers_does_not_exist() {
    for is_connected in [true, false] {
        let desk = Desk::new(is_connected).await;
        let request = pb::CancelSendRequest {
            account_id: "somebody-elses".to_owned(),
            message_id: uuid::Uuid::now_v7().to_string(),
        };
        let refused = refusal(desk.grpc.cancel_send(from(Role::Agent, request)).await);
        assert_eq!(refused, (Code::NotFound, "ACCOUNT_NOT_FOUND".to_owned()));
    }
}
