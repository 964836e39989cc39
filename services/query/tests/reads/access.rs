use super::support::{World, ask, by, limited, reason, text, viewer};
use channel_proto::query::v1 as pb;
use channel_proto::query::v1::get_attendee_picture_request::Subject;
use channel_proto::query::v1::query_service_server::QueryService as _;
use channel_query::links::{Linked, Links};
use channel_runtime::identity::{Identity, Role};
use tonic::{Code, Request, Status};

/// Two tenants, each with a chat of its own.
async fn two_tenants() -> World {
    let world = World::shared(&[("t1", &["a", "b"]), ("t2", &["x"])]).await;
    world.tell("a", vec![text("ma", "ca", "zebra", 1)], 1).await;
    world.tell("b", vec![text("mb", "cb", "zebra", 2)], 2).await;
    world.tell("x", vec![text("mx", "cx", "zebra", 3)], 3).await;
    world
}

/// What every call that names an account answers to `caller` about it.
async fn all_about(world: &World, caller: &Identity, id: &str) -> Vec<Result<(), Status>> {
    let service = &world.service;
    let account = id.to_owned();
    let ids = vec![account.clone()];
    let chat = pb::GetChatRequest {
        account_id: account.clone(),
        chat_id: "cx".into(),
        ..Default::default()
    };
    let list = pb::ListChatsRequest { account_ids: ids.clone(), ..Default::default() };
    let messages = pb::ListMessagesRequest {
        account_id: account.clone(),
        chat_id: "cx".into(),
        ..Default::default()
    };
    let message_id = uuid::Uuid::nil().to_string();
    let message =
        pb::GetMessageRequest { account_id: account.clone(), message_id, ..Default::default() };
    let search = pb::SearchMessagesRequest {
        query: "zebra".into(),
        account_ids: ids.clone(),
        ..Default::default()
    };
    let people = pb::ListAttendeesRequest { account_ids: ids, ..Default::default() };
    let person = pb::GetAttendeeRequest {
        account_id: account.clone(),
        attendee_id: "p-15550100002".into(),
        ..Default::default()
    };
    let subject = Some(Subject::AttendeeId("p-15550100002".into()));
    let picture = pb::GetAttendeePictureRequest {
        account_id: account.clone(),
        subject,
        ..Default::default()
    };
    let get = pb::GetAccountRequest { account_id: account.clone(), min_as_of_seq: 0 };
    let seq = channel_proto::types::v1::AccountSeq { account_id: account, seq: 1 };
    let all = pb::ListAccountsRequest { min_as_of: vec![seq], ..Default::default() };
    vec![
        service.get_account(by(caller, get)).await.map(drop),
        service.list_accounts(by(caller, all)).await.map(drop),
        service.get_chat(by(caller, chat)).await.map(drop),
        service.list_chats(by(caller, list)).await.map(drop),
        service.list_messages(by(caller, messages)).await.map(drop),
        service.get_message(by(caller, message)).await.map(drop),
        service.search_messages(by(caller, search)).await.map(drop),
        service.list_attendees(by(caller, people)).await.map(drop),
        service.get_attendee(by(caller, person)).await.map(drop),
        service.get_attendee_picture(by(caller, picture)).await.map(drop),
    ]
}

#[tokio::test]
async fn another_tenants_account_answers_as_one_that_does_not_exist() {
    let world = two_tenants().await;
    for caller in [viewer("t1"), limited("t2", &["a", "other"])] {
        let theirs = all_about(&world, &caller, "x").await;
        let nowhere = all_about(&world, &caller, "nowhere").await;
        for (theirs, nowhere) in theirs.into_iter().zip(nowhere) {
            let (theirs, nowhere) = (theirs.unwrap_err(), nowhere.unwrap_err());
            assert_eq!(reason(&theirs), (Code::NotFound, "ACCOUNT_NOT_FOUND".into()));
            assert_eq!(theirs.message(), nowhere.message());
            assert_eq!(theirs.details(), nowhere.details());
        }
    }
    let own = all_about(&world, &viewer("t2"), "x").await;
    let refused: Vec<_> = own.into_iter().filter_map(Result::err).collect();
    // Only the message that is asked for by an id of nobody, and a picture that is not here.
    let reasons: Vec<_> = refused.iter().map(|refused| reason(refused).1).collect();
    assert_eq!(reasons, ["MESSAGE_NOT_FOUND", "PICTURE_NOT_FOUND"]);
}

#[tokio::test]
async fn objects_are_looked_for_in_visible_accounts_only() {
    let world = two_tenants().await;
    let chat = |id: &str| pb::GetChatRequest { chat_id: id.into(), ..Default::default() };
    let found = world.service.get_chat(ask(chat("ca"))).await.unwrap().into_inner();
    assert_eq!(found.chat.unwrap().account_id, "a");
    assert_eq!(found.freshness.unwrap().account_id, "a");
    let refused = world.service.get_chat(ask(chat("cx"))).await.unwrap_err();
    assert_eq!(reason(&refused), (Code::NotFound, "CHAT_NOT_FOUND".into()));
    let caller = limited("t1", &["b"]);
    let refused = world.service.get_chat(by(&caller, chat("ca"))).await.unwrap_err();
    assert_eq!(reason(&refused), (Code::NotFound, "CHAT_NOT_FOUND".into()));
}

#[tokio::test]
async fn lists_hold_what_the_callers_tenant_and_token_allow() {
    let world = two_tenants().await;
    let cases = [
        (viewer("t1"), vec!["b", "a"]),
        (limited("t1", &["b", "x"]), vec!["b"]),
        (viewer("t2"), vec!["x"]),
        (viewer("t3"), vec![]),
    ];
    for (caller, expected) in cases {
        let chats = pb::ListChatsRequest::default();
        let chats = world.service.list_chats(by(&caller, chats)).await.unwrap().into_inner();
        let of: Vec<_> = chats.chats.iter().map(|chat| chat.account_id.as_str()).collect();
        assert_eq!(of, expected);
        let search = pb::SearchMessagesRequest { query: "zeb".into(), ..Default::default() };
        let hits = world.service.search_messages(by(&caller, search)).await.unwrap().into_inner();
        let of: Vec<_> =
            hits.hits.iter().map(|hit| hit.message.as_ref().unwrap().account_id.as_str()).collect();
        assert_eq!(of, expected);
        let all = pb::ListAccountsRequest::default();
        let all = world.service.list_accounts(by(&caller, all)).await.unwrap().into_inner();
        let mut of: Vec<_> = all.accounts.iter().map(|it| it.account_id.as_str()).collect();
        of.reverse();
        assert_eq!(of, expected);
        assert_eq!(all.freshness.len(), expected.len());
    }
}

#[tokio::test]
async fn an_id_of_several_accounts_needs_its_account() {
    let world = World::of(&["a", "b"]).await;
    for account in ["a", "b"] {
        world.tell(account, vec![text(&format!("m{account}"), "same", "hi", 1)], 1).await;
    }
    let chat = |account: &str| pb::GetChatRequest {
        account_id: account.into(),
        chat_id: "same".into(),
        ..Default::default()
    };
    let refused = world.service.get_chat(ask(chat(""))).await.unwrap_err();
    assert_eq!(reason(&refused), (Code::InvalidArgument, "ACCOUNT_REQUIRED".into()));
    let found = world.service.get_chat(ask(chat("b"))).await.unwrap().into_inner();
    assert_eq!(found.chat.unwrap().account_id, "b");
    // For somebody who sees one of them only, there is no question.
    let found = world.service.get_chat(by(&limited("t1", &["a"]), chat(""))).await.unwrap();
    assert_eq!(found.into_inner().chat.unwrap().account_id, "a");
}

#[tokio::test]
async fn only_those_who_may_read_are_answered() {
    let world = World::of(&["a"]).await;
    for role in [Role::Operator, Role::Service] {
        let caller = Identity { role, ..viewer("t1") };
        let refused =
            world.service.list_accounts(by(&caller, pb::ListAccountsRequest::default())).await;
        assert_eq!(reason(&refused.unwrap_err()), (Code::PermissionDenied, "ROLE_MISSING".into()));
        let refused = world
            .service
            .get_capabilities(by(&caller, pb::GetCapabilitiesRequest::default()))
            .await;
        assert_eq!(reason(&refused.unwrap_err()), (Code::PermissionDenied, "ROLE_MISSING".into()));
    }
    let refused =
        world.service.list_accounts(Request::new(pb::ListAccountsRequest::default())).await;
    assert_eq!(reason(&refused.unwrap_err()).0, Code::Unauthenticated);
}

#[tokio::test]
async fn what_cannot_be_done_is_told_with_its_reason() {
    let world = World::of(&["a"]).await;
    let nobodys = pb::GetAttendeePictureRequest::default();
    let picture = world.service.get_attendee_picture(ask(nobodys)).await.unwrap_err();
    assert_eq!(picture.code(), Code::InvalidArgument);
    let all = world.service.get_capabilities(ask(pb::GetCapabilitiesRequest::default())).await;
    let all = all.unwrap().into_inner().capabilities;
    assert!(
        all.iter().any(|it| !it.reason.is_empty()) && all.iter().any(|it| it.reason.is_empty())
    );
    let nowhere = pb::GetCapabilitiesRequest { account_id: "nowhere".into(), ..Default::default() };
    let missing = world.service.get_capabilities(ask(nowhere)).await.unwrap_err();
    assert_eq!(reason(&missing), (Code::NotFound, "ACCOUNT_NOT_FOUND".into()));
}

#[tokio::test]
async fn a_link_shows_what_its_maker_could_see_when_it_is_followed_and_nothing_else() {
    let world = two_tenants().await;
    let links = Links::new(&[[7; 32]]);
    let service = world.service.clone().linking(links.clone());
    let follow = async |tenant: &str, account: &str| {
        let attachment = Some(pb::GetAttachmentRequest {
            account_id: account.into(),
            message_id: uuid::Uuid::nil().to_string(),
            attachment_id: "a".into(),
            ..Default::default()
        });
        let linked = Linked { tenant: tenant.into(), ends_at: i64::MAX, attachment };
        let link = links.seal(&linked).unwrap();
        let asked = pb::GetLinkedAttachmentRequest { link, ..Default::default() };
        // Nobody calls: there is no identity on the request.
        let refused = service.get_linked_attachment(Request::new(asked)).await.err().unwrap();
        reason(&refused)
    };
    assert_eq!(follow("t1", "a").await, (Code::NotFound, "MESSAGE_NOT_FOUND".into()));
    // The account is another tenant's, by now or ever.
    assert_eq!(follow("t2", "a").await, (Code::NotFound, "ACCOUNT_NOT_FOUND".into()));
    assert_eq!(follow("t1", "x").await, (Code::NotFound, "ACCOUNT_NOT_FOUND".into()));

    let asked = pb::CreateAttachmentLinkRequest {
        account_id: "a".into(),
        message_id: uuid::Uuid::nil().to_string(),
        attachment_id: "a".into(),
        ..pb::CreateAttachmentLinkRequest::default()
    };
    let operator = Identity { role: Role::Operator, ..viewer("t1") };
    let refused = service.create_attachment_link(by(&operator, asked)).await.err().unwrap();
    assert_eq!(reason(&refused), (Code::PermissionDenied, "ROLE_MISSING".into()));
}
