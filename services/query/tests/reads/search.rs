use super::support::{World, ask, at, deleted, from, hidden, person, reason, text};
use channel_proto::query::v1::query_service_server::QueryService as _;
use channel_proto::query::v1::{SearchMessagesRequest, SearchMessagesResponse};
use channel_wire::timestamp;
use tonic::Code;

fn words(query: &str) -> SearchMessagesRequest {
    SearchMessagesRequest { query: query.into(), ..Default::default() }
}

async fn search(world: &World, request: SearchMessagesRequest) -> SearchMessagesResponse {
    world.service.search_messages(ask(request)).await.unwrap().into_inner()
}

fn texts(page: &SearchMessagesResponse) -> Vec<&str> {
    page.hits.iter().map(|hit| hit.message.as_ref().unwrap().text.as_str()).collect()
}

async fn all(world: &World, request: SearchMessagesRequest) -> Vec<String> {
    let (mut found, mut page_token) = (Vec::new(), String::new());
    loop {
        let page = search(world, SearchMessagesRequest { page_token, ..request.clone() }).await;
        found.extend(texts(&page).into_iter().map(ToOwned::to_owned));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return found;
        }
    }
}

#[tokio::test]
async fn hits_of_all_accounts_come_newest_first_with_highlights() {
    let world = World::of(&["a", "b"]).await;
    world.tell("a", vec![text("m1", "ca", "👋 Crème brûlée", 1)], 1).await;
    world.tell("b", vec![text("m2", "cb", "creme fraîche?", 2)], 2).await;
    world.tell("a", vec![text("m3", "ca", "no cream here", 3)], 3).await;
    let page = search(&world, words("CREME")).await;
    assert_eq!(texts(&page), ["creme fraîche?", "👋 Crème brûlée"]);
    assert_eq!(page.freshness.len(), 2);
    let hit = &page.hits[1];
    assert_eq!(hit.chat_title, "Ana");
    let snippet = hit.snippet.as_ref().unwrap();
    let marked = snippet.highlights.iter().map(|range| (range.start, range.end));
    // Code points, not bytes: the waving hand is one.
    assert_eq!(marked.collect::<Vec<_>>(), [(2, 7)]);
    assert_eq!(texts(&search(&world, words("creme fra")).await), ["creme fraîche?"]);
}

#[tokio::test]
async fn pages_of_hits_are_complete_when_many_were_sent_at_once() {
    let world = World::of(&["a", "b"]).await;
    let mut expected = Vec::new();
    for account in ["a", "b"] {
        for n in 0..30 {
            let id = format!("{account}{n}");
            // All within one second, and not in the order of their ids.
            world
                .tell(account, vec![text(&id, "c", &format!("zebra {id}"), 7)], 100 + n * 17 % 30)
                .await;
            expected.push(format!("zebra {id}"));
        }
    }
    for page_size in [1, 7, 100] {
        let mut found = all(&world, SearchMessagesRequest { page_size, ..words("zebra") }).await;
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "pages of {page_size}");
    }
}

#[tokio::test]
async fn filters_choose_hits() {
    let world = World::of(&["a"]).await;
    let bruno = person("Bruno", "15550100003");
    for n in 0..40 {
        let fact = match n % 10 {
            0 => from(&bruno, &format!("m{n}"), "cb", &format!("zebra {n}"), n),
            _ => text(&format!("m{n}"), "ca", &format!("zebra {n}"), n),
        };
        world.tell("a", vec![fact], n).await;
    }
    let sender = SearchMessagesRequest {
        sender_attendee_id: "p-15550100003".into(),
        page_size: 3,
        ..words("zebra")
    };
    assert_eq!(all(&world, sender).await, ["zebra 30", "zebra 20", "zebra 10", "zebra 0"]);
    let chat = SearchMessagesRequest { chat_id: "cb".into(), ..words("zebra") };
    assert_eq!(all(&world, chat).await.len(), 4);
    let between = SearchMessagesRequest {
        sent_from: Some(timestamp(at(5))),
        sent_before: Some(timestamp(at(9))),
        page_size: 3,
        ..words("zebra")
    };
    assert_eq!(all(&world, between).await, ["zebra 8", "zebra 7", "zebra 6", "zebra 5"]);
    let nowhere = SearchMessagesRequest { chat_id: "nowhere".into(), ..words("zebra") };
    let refused = world.service.search_messages(ask(nowhere)).await.unwrap_err();
    assert_eq!(reason(&refused), (Code::NotFound, "CHAT_NOT_FOUND".into()));
}

#[tokio::test]
async fn deleted_and_hidden_messages_are_not_found() {
    let world = World::of(&["a"]).await;
    let facts = vec![
        text("m1", "c", "zebra one", 1),
        text("m2", "c", "zebra two", 2),
        hidden("m3", "c", "zebra three", 3),
    ];
    world.tell("a", facts, 5).await;
    world.tell("a", vec![deleted("m1")], 10).await;
    assert_eq!(all(&world, words("zebra")).await, ["zebra two"]);
}

#[tokio::test]
async fn a_token_of_another_search_is_refused() {
    let world = World::of(&["a"]).await;
    world.tell("a", (0..5).map(|n| text(&format!("m{n}"), "c", "zebra", n)).collect(), 9).await;
    let page = search(&world, SearchMessagesRequest { page_size: 2, ..words("zebra") }).await;
    let other = SearchMessagesRequest { page_token: page.next_page_token, ..words("zeb") };
    let refused = world.service.search_messages(ask(other)).await.unwrap_err();
    assert_eq!(reason(&refused), (Code::InvalidArgument, "PAGE_TOKEN_INVALID".into()));
}
