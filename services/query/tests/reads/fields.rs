use super::support::{World, ask, reason};
use channel_proto::query::v1 as pb;
use channel_proto::query::v1::list_messages_request::Point;
use channel_proto::query::v1::query_service_server::QueryService as _;
use channel_proto::types::v1::AccountSeq;
use channel_runtime::fault::violations_of;
use tonic::{Code, Status};

fn bad(status: &Status) -> Vec<String> {
    assert_eq!(reason(status), (Code::InvalidArgument, "INVALID_ARGUMENT".into()));
    violations_of(status).into_iter().map(|(field, _)| field).collect()
}

#[tokio::test]
async fn every_bad_field_is_named_at_once() {
    let world = World::of(&["a"]).await;
    let request = pb::ListChatsRequest {
        account_ids: vec!["a".into(), String::new(), "x\0y".into()],
        text: "x".repeat(257),
        page_size: 201,
        min_as_of: vec![AccountSeq::default()],
        ..Default::default()
    };
    let refused = world.service.list_chats(ask(request)).await.unwrap_err();
    let expected =
        ["account_ids[1]", "account_ids[2]", "text", "page_size", "min_as_of[0].account_id"];
    assert_eq!(bad(&refused), expected);

    let request = pb::ListMessagesRequest {
        account_id: "x".repeat(257),
        direction: 9,
        point: Some(Point::MessageId("not a uuid".into())),
        page_size: -1,
        ..Default::default()
    };
    let refused = world.service.list_messages(ask(request)).await.unwrap_err();
    assert_eq!(bad(&refused), ["direction", "account_id", "chat_id", "message_id", "page_size"]);

    let request = pb::SearchMessagesRequest {
        query: "!?".into(),
        sent_from: Some(prost_types::Timestamp { seconds: i64::MAX, nanos: 0 }),
        sent_before: Some(prost_types::Timestamp { seconds: 0, nanos: -1 }),
        page_size: 101,
        ..Default::default()
    };
    let refused = world.service.search_messages(ask(request)).await.unwrap_err();
    assert_eq!(bad(&refused), ["query", "sent_from", "sent_before", "page_size"]);

    let request = pb::ListAttendeesRequest {
        account_ids: vec!["a".into(); 201],
        chat_id: "\n".into(),
        ..Default::default()
    };
    let refused = world.service.list_attendees(ask(request)).await.unwrap_err();
    assert_eq!(bad(&refused), ["account_ids", "chat_id"]);
}

#[tokio::test]
async fn single_objects_need_their_ids() {
    let world = World::of(&["a"]).await;
    let service = &world.service;
    let chat = service.get_chat(ask(pb::GetChatRequest::default())).await;
    assert_eq!(bad(&chat.unwrap_err()), ["chat_id"]);
    let account = service.get_account(ask(pb::GetAccountRequest::default())).await;
    assert_eq!(bad(&account.unwrap_err()), ["account_id"]);
    let message = service.get_message(ask(pb::GetMessageRequest::default())).await;
    assert_eq!(bad(&message.unwrap_err()), ["message_id"]);
    let request = pb::GetAttendeeRequest { account_id: "\u{7f}".into(), ..Default::default() };
    let person = service.get_attendee(ask(request)).await;
    assert_eq!(bad(&person.unwrap_err()), ["account_id", "attendee_id"]);
}
