use super::support::{World, ask, reason, text};
use channel_proto::query::v1 as pb;
use channel_proto::query::v1::query_service_server::QueryService as _;
use channel_proto::types::v1::AccountSeq;
use channel_runtime::fault::retry_after_of;
use tonic::Code;

fn account(min_as_of_seq: u64) -> pb::GetAccountRequest {
    pb::GetAccountRequest { account_id: "a".into(), min_as_of_seq }
}

async fn head(world: &World) -> u64 {
    let found = world.service.get_account(ask(account(0))).await.unwrap().into_inner();
    found.account.unwrap().freshness.unwrap().as_of_seq
}

#[tokio::test]
async fn an_answer_waits_for_events_that_are_on_their_way() {
    let world = World::of(&["a"]).await;
    let seq = head(&world).await + 1;
    let list = pb::ListChatsRequest {
        min_as_of: vec![AccountSeq { account_id: "a".into(), seq }],
        ..Default::default()
    };
    let asked = world.service.list_chats(ask(list));
    let told = world.tell("a", vec![text("m1", "c1", "hi", 1)], 1);
    let (page, ()) = tokio::join!(asked, told);
    let page = page.unwrap().into_inner();
    assert_eq!(page.chats.len(), 1);
    assert!(page.freshness[0].as_of_seq >= seq);
    // Single objects wait too, wherever their account comes from.
    let seq = head(&world).await + 1;
    let chat =
        pb::GetChatRequest { chat_id: "c1".into(), min_as_of_seq: seq, ..Default::default() };
    let asked = world.service.get_chat(ask(chat));
    let told = world.tell("a", vec![text("m2", "c1", "again", 2)], 2);
    let (found, ()) = tokio::join!(asked, told);
    let found = found.unwrap().into_inner();
    assert_eq!(found.chat.unwrap().last_message.unwrap().preview, "again");
    assert!(found.freshness.unwrap().as_of_seq >= seq);
}

#[tokio::test]
async fn a_position_that_does_not_come_is_said_and_may_be_tried_again() {
    let world = World::of(&["a"]).await;
    let refused = world.service.get_account(ask(account(1_000_000))).await.unwrap_err();
    assert_eq!(reason(&refused), (Code::Unavailable, "POSITION_NOT_REACHED".into()));
    assert!(retry_after_of(&refused).is_some());
}

#[tokio::test]
async fn a_position_that_is_reached_costs_nothing() {
    let world = World::of(&["a"]).await;
    let seq = head(&world).await;
    assert!(world.service.get_account(ask(account(seq))).await.is_ok());
}
