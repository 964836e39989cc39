use super::support::{World, ask, at, by, from, person, reason, text, viewer};
use channel_proto::query::v1 as pb;
use channel_proto::query::v1::query_service_server::QueryService as _;
use channel_proto::types::v1::ConnectionState;
use tonic::Code;

/// Three accounts with seven chats each, whose last messages share their times.
async fn three_accounts() -> World {
    let world = World::of(&["a", "b", "c"]).await;
    for account in ["a", "b", "c"] {
        let chat = |n: i64| text(&format!("m{n}"), &format!("{account}{n}"), "hi", 10 + n / 3);
        world.tell(account, (0..7).map(chat).collect(), 50).await;
    }
    world
}

async fn chats(world: &World, request: pb::ListChatsRequest) -> pb::ListChatsResponse {
    world.service.list_chats(ask(request)).await.unwrap().into_inner()
}

fn ids(page: &pb::ListChatsResponse) -> Vec<String> {
    page.chats.iter().map(|chat| chat.chat_id.clone()).collect()
}

#[tokio::test]
async fn chats_of_all_accounts_come_in_one_order_page_by_page() {
    let world = three_accounts().await;
    let whole = chats(&world, pb::ListChatsRequest::default()).await;
    assert_eq!((whole.chats.len(), whole.next_page_token.as_str()), (21, ""));
    assert!(whole.chats.is_sorted_by(|a, b| a.sort_key >= b.sort_key));
    for page_size in [1, 4, 20, 21] {
        let mut seen = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = pb::ListChatsRequest { page_size, page_token, ..Default::default() };
            let page = chats(&world, request).await;
            assert!(page.chats.len() <= usize::try_from(page_size).unwrap());
            seen.extend(ids(&page));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!(seen, ids(&whole), "pages of {page_size}");
    }
}

#[tokio::test]
async fn filters_choose_chats() {
    let world = World::of(&["a"]).await;
    let bruno = person("Bruno Núñez", "15550100003");
    let facts = vec![text("m1", "c1", "hi", 1), from(&bruno, "m2", "c2", "hi", 2)];
    world.tell("a", facts, 3).await;
    let by_text = async |text: &str| {
        let request = pb::ListChatsRequest { text: text.into(), ..Default::default() };
        ids(&chats(&world, request).await)
    };
    assert_eq!(by_text("NUN bru").await, ["c2"]);
    assert_eq!(by_text("an").await, ["c1"]);
    assert_eq!(by_text("nobody").await, [""; 0]);
    assert_eq!(by_text("?!").await, ["c2", "c1"]);
    let by_unread = async |unread| {
        let request = pb::ListChatsRequest { unread, ..Default::default() };
        ids(&chats(&world, request).await)
    };
    assert_eq!(by_unread(Some(true)).await, ["c2", "c1"]);
    assert_eq!(by_unread(Some(false)).await, [""; 0]);
    let request = pb::ListChatsRequest { archived: Some(true), ..Default::default() };
    assert_eq!(ids(&chats(&world, request).await), [""; 0]);
}

#[tokio::test]
async fn a_token_is_good_for_its_own_question_only() {
    let world = three_accounts().await;
    let first = pb::ListChatsRequest { page_size: 2, ..Default::default() };
    let token = chats(&world, first.clone()).await.next_page_token;
    let with = |request: pb::ListChatsRequest| pb::ListChatsRequest {
        page_token: token.clone(),
        ..request
    };
    let others = [
        with(pb::ListChatsRequest { unread: Some(true), ..first.clone() }),
        with(pb::ListChatsRequest { account_ids: vec!["a".into()], ..first.clone() }),
        with(pb::ListChatsRequest { text: "ana".into(), ..first.clone() }),
        pb::ListChatsRequest { page_token: "forged".into(), ..first.clone() },
    ];
    for other in others {
        let refused = world.service.list_chats(ask(other)).await.unwrap_err();
        assert_eq!(reason(&refused), (Code::InvalidArgument, "PAGE_TOKEN_INVALID".into()));
    }
    let refused = world.service.list_chats(by(&viewer("t2"), with(first.clone()))).await;
    assert_eq!(reason(&refused.unwrap_err()).1, "PAGE_TOKEN_INVALID");
    let people = pb::ListAttendeesRequest { page_token: token.clone(), ..Default::default() };
    let refused = world.service.list_attendees(ask(people)).await.unwrap_err();
    assert_eq!(reason(&refused).1, "PAGE_TOKEN_INVALID");
    // The size may change from page to page.
    assert_eq!(chats(&world, with(pb::ListChatsRequest::default())).await.chats.len(), 19);
}

#[tokio::test]
async fn every_list_tells_how_fresh_it_is() {
    let world = three_accounts().await;
    let page =
        chats(&world, pb::ListChatsRequest { account_ids: vec!["b".into()], ..Default::default() })
            .await;
    assert_eq!(page.freshness.len(), 1);
    let fresh = &page.freshness[0];
    assert_eq!((fresh.account_id.as_str(), fresh.state()), ("b", ConnectionState::Ok));
    assert_eq!(fresh.state_since, Some(channel_wire::timestamp(at(0))));
    assert_eq!(fresh.last_webhook_at, Some(channel_wire::timestamp(at(50))));
    let newest = page.chats.iter().map(|chat| chat.revision).max();
    assert!(Some(fresh.as_of_seq) >= newest && fresh.as_of_seq > 0);
    let all = chats(&world, pb::ListChatsRequest::default()).await;
    assert_eq!(all.freshness.len(), 3);
}

#[tokio::test]
async fn accounts_and_people_are_listed_page_by_page() {
    let world = three_accounts().await;
    let bruno = person("Bruno", "15550100003");
    world.tell("b", vec![from(&bruno, "mx", "b1", "hi", 60)], 60).await;
    let (mut accounts, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = pb::ListAccountsRequest { page_size: 2, page_token, ..Default::default() };
        let page = world.service.list_accounts(ask(request)).await.unwrap().into_inner();
        accounts.extend(page.accounts.into_iter().map(|account| account.account_id));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(accounts, ["a", "b", "c"]);
    let (mut people, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = pb::ListAttendeesRequest { page_size: 1, page_token, ..Default::default() };
        let page = world.service.list_attendees(ask(request)).await.unwrap().into_inner();
        people.extend(page.attendees.into_iter().map(|it| (it.account_id, it.display_name)));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let expected = [("a", "Ana"), ("b", "Ana"), ("b", "Bruno"), ("c", "Ana")];
    assert_eq!(people, expected.map(|(account, name)| (account.to_owned(), name.to_owned())));
}

#[tokio::test]
async fn people_of_a_chat_come_with_their_membership() {
    let world = three_accounts().await;
    let request =
        |chat: &str| pb::ListAttendeesRequest { chat_id: chat.into(), ..Default::default() };
    let page = world.service.list_attendees(ask(request("b1"))).await.unwrap().into_inner();
    assert_eq!((page.attendees.len(), page.memberships.len()), (1, 1));
    let member = &page.memberships[0];
    assert_eq!((member.account_id.as_str(), member.chat_id.as_str()), ("b", "b1"));
    assert_eq!(member.attendee_id, page.attendees[0].attendee_id);
    let fresh: Vec<_> = page.freshness.iter().map(|it| it.account_id.as_str()).collect();
    assert_eq!(fresh, ["b"]);
    let refused = world.service.list_attendees(ask(request("nowhere"))).await.unwrap_err();
    assert_eq!(reason(&refused), (Code::NotFound, "CHAT_NOT_FOUND".into()));
}

#[tokio::test]
async fn a_person_is_read_by_id() {
    let world = World::of(&["a"]).await;
    world.tell("a", vec![text("m1", "c1", "hi", 1)], 1).await;
    let request =
        |id: &str| pb::GetAttendeeRequest { attendee_id: id.into(), ..Default::default() };
    let found = world.service.get_attendee(ask(request("p-15550100002"))).await.unwrap();
    let person = found.into_inner().attendee.unwrap();
    assert_eq!(
        (person.display_name.as_str(), person.phone_number.as_str()),
        ("Ana", "+15550100002")
    );
    let refused = world.service.get_attendee(ask(request("p-1"))).await.unwrap_err();
    assert_eq!(reason(&refused), (Code::NotFound, "ATTENDEE_NOT_FOUND".into()));
}
