use super::support::{World, ask, at, deleted, hidden, reason, text};
use channel_proto::query::v1 as pb;
use channel_proto::query::v1::PageDirection::{After, Before};
use channel_proto::query::v1::list_messages_request::Point;
use channel_proto::query::v1::query_service_server::QueryService as _;
use channel_proto::query::v1::{ListMessagesRequest, ListMessagesResponse};
use tonic::Code;

/// One chat with the texts 0 to 19, two of them in each second, and two hidden lines.
async fn conversation() -> World {
    let world = World::of(&["a"]).await;
    for n in 0..20 {
        world.tell("a", vec![text(&format!("m{n}"), "c", &n.to_string(), n / 2)], 100 + n).await;
    }
    let lines = vec![hidden("h1", "c", "h1", 3), hidden("h2", "c", "h2", 99)];
    world.tell("a", lines, 200).await;
    world
}

fn request() -> ListMessagesRequest {
    ListMessagesRequest { chat_id: "c".into(), page_size: 6, ..Default::default() }
}

async fn read(world: &World, request: ListMessagesRequest) -> ListMessagesResponse {
    world.service.list_messages(ask(request)).await.unwrap().into_inner()
}

async fn at_token(world: &World, token: &str) -> ListMessagesResponse {
    let point = Some(Point::PageToken(token.into()));
    read(world, ListMessagesRequest { point, ..request() }).await
}

fn texts(page: &ListMessagesResponse) -> Vec<&str> {
    assert!(page.messages.is_sorted_by(|a, b| a.sort_key > b.sort_key));
    page.messages.iter().map(|message| message.text.as_str()).collect()
}

fn numbers(range: std::ops::RangeInclusive<i32>) -> Vec<String> {
    range.rev().map(|n| n.to_string()).collect()
}

#[tokio::test]
async fn a_conversation_is_read_to_its_beginning_and_back() {
    let world = conversation().await;
    let first = read(&world, request()).await;
    assert_eq!(texts(&first), numbers(14..=19));
    let second = at_token(&world, &first.next_page_token).await;
    assert_eq!(texts(&second), numbers(8..=13));
    let third = at_token(&world, &second.next_page_token).await;
    assert_eq!(texts(&third), numbers(2..=7));
    let last = at_token(&world, &third.next_page_token).await;
    assert_eq!((texts(&last), last.next_page_token.as_str()), (vec!["1", "0"], ""));
    let back = at_token(&world, &last.previous_page_token).await;
    assert_eq!(texts(&back), numbers(2..=7));
    let back = at_token(&world, &back.next_page_token).await;
    assert_eq!(texts(&back), numbers(8..=13));
    // And turned round once more.
    let again = at_token(&world, &back.previous_page_token).await;
    assert_eq!(texts(&again), numbers(2..=7));
}

#[tokio::test]
async fn a_page_at_an_end_has_nothing_behind_it() {
    let world = conversation().await;
    let newest = read(&world, ListMessagesRequest { include_hidden: true, ..request() }).await;
    assert_eq!(newest.previous_page_token, "");
    let oldest = read(&world, ListMessagesRequest { direction: After.into(), ..request() }).await;
    assert_eq!(texts(&oldest), numbers(0..=5));
    assert_eq!(oldest.previous_page_token, "");
    let whole = read(&world, ListMessagesRequest { page_size: 20, ..request() }).await;
    assert_eq!((whole.messages.len(), whole.next_page_token.as_str()), (20, ""));
}

#[tokio::test]
async fn a_message_is_a_point_with_or_without_itself() {
    let world = conversation().await;
    let whole = read(&world, ListMessagesRequest { page_size: 50, ..request() }).await;
    let id = whole.messages.iter().find(|it| it.text == "10").unwrap().message_id.clone();
    let cases = [
        (Before, false, numbers(4..=9)),
        (Before, true, numbers(5..=10)),
        (After, false, numbers(11..=16)),
        (After, true, numbers(10..=15)),
    ];
    for (direction, include_point, expected) in cases {
        let point = Some(Point::MessageId(id.clone()));
        let page =
            ListMessagesRequest { direction: direction.into(), point, include_point, ..request() };
        assert_eq!(texts(&read(&world, page).await), expected, "{direction:?} {include_point}");
    }
}

#[tokio::test]
async fn a_time_is_a_point_with_or_without_its_messages() {
    let world = conversation().await;
    // 10 and 11 were sent in second 5.
    let cases = [
        (Before, false, numbers(4..=9)),
        (Before, true, numbers(6..=11)),
        (After, false, numbers(12..=17)),
        (After, true, numbers(10..=15)),
    ];
    for (direction, include_point, expected) in cases {
        let point = Some(Point::Time(channel_wire::timestamp(at(5))));
        let page =
            ListMessagesRequest { direction: direction.into(), point, include_point, ..request() };
        assert_eq!(texts(&read(&world, page).await), expected, "{direction:?} {include_point}");
    }
}

#[tokio::test]
async fn an_empty_page_still_knows_the_way_back() {
    let world = conversation().await;
    let point = Some(Point::Time(channel_wire::timestamp(at(500))));
    let page = ListMessagesRequest { direction: After.into(), point, ..request() };
    let page = read(&world, page).await;
    assert_eq!((texts(&page), page.next_page_token.as_str()), (vec![], ""));
    assert_eq!(texts(&at_token(&world, &page.previous_page_token).await), numbers(14..=19));
}

#[tokio::test]
async fn hidden_lines_are_left_out_unless_asked_for() {
    let world = conversation().await;
    let whole = ListMessagesRequest { page_size: 50, include_hidden: true, ..request() };
    let page = read(&world, whole).await;
    assert_eq!(page.messages.len(), 22);
    assert_eq!(page.messages.iter().filter(|message| message.hidden).count(), 2);
    // A page of hidden lines alone is read past.
    let world = World::of(&["a"]).await;
    world.tell("a", vec![text("m", "c", "seen", 1)], 1).await;
    world.tell("a", (0..30).map(|n| hidden(&format!("h{n}"), "c", "x", 5 + n)).collect(), 50).await;
    let page = read(&world, ListMessagesRequest { page_size: 5, ..request() }).await;
    assert_eq!((texts(&page), page.next_page_token.as_str()), (vec!["seen"], ""));
    // However many there are, the end is found.
    let (mut page, mut seen) =
        (read(&world, ListMessagesRequest { page_size: 1, ..request() }).await, vec![]);
    loop {
        seen.extend(page.messages.iter().map(|message| message.text.clone()));
        if page.next_page_token.is_empty() {
            break;
        }
        let point = Some(Point::PageToken(page.next_page_token));
        page = read(&world, ListMessagesRequest { page_size: 1, point, ..request() }).await;
    }
    assert_eq!(seen, ["seen"]);
}

#[tokio::test]
async fn a_point_outside_of_the_chat_is_refused() {
    let world = conversation().await;
    world.tell("a", vec![text("other", "d", "elsewhere", 1)], 300).await;
    let other = ListMessagesRequest { chat_id: "d".into(), ..request() };
    let id = read(&world, other).await.messages[0].message_id.clone();
    let page = ListMessagesRequest { point: Some(Point::MessageId(id.clone())), ..request() };
    let refused = world.service.list_messages(ask(page)).await.unwrap_err();
    assert_eq!(reason(&refused), (Code::NotFound, "MESSAGE_NOT_FOUND".into()));
    let token = read(&world, request()).await.next_page_token;
    let page = ListMessagesRequest {
        chat_id: "d".into(),
        point: Some(Point::PageToken(token)),
        ..request()
    };
    let refused = world.service.list_messages(ask(page)).await.unwrap_err();
    assert_eq!(reason(&refused), (Code::InvalidArgument, "PAGE_TOKEN_INVALID".into()));
    let found = pb::GetMessageRequest { message_id: id, ..Default::default() };
    let found = world.service.get_message(ask(found)).await.unwrap().into_inner();
    assert_eq!(found.message.unwrap().chat_id, "d");
}

#[tokio::test]
async fn a_deleted_message_is_listed_without_its_text() {
    let world = conversation().await;
    world.tell("a", vec![deleted("m19")], 300).await;
    let page = read(&world, request()).await;
    assert!(page.messages[0].deleted && page.messages[0].text.is_empty());
    assert_eq!(page.messages[1].text, "18");
}
