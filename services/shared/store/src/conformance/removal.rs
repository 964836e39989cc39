//! Accounts that the upstream has to remove before they are erased.

use super::Fresh;
use super::facts::{at, incoming, received};
use crate::erase::{
    self, Asked, Deed, Deeds, Erasure, ErasureAsk, Piece, Removal, RemovalEnd, Whom,
};
use crate::hosted::{HostedLink, LinkEnd, Used};
use uuid::Uuid;

const ID: Uuid = Uuid::from_u128(1);

async fn ask(fresh: &Fresh, number: u128, second: i64, removal: Option<i64>) -> Erasure {
    let ask = ErasureAsk {
        id: Uuid::from_u128(number),
        account: "gone".into(),
        tenant: "default".into(),
        whom: Whom::Account,
        by: "somebody".into(),
        at: at(second),
        removal: removal.map(at),
    };
    match fresh.store.deed(Deed::Ask(Box::new(ask))).await.expect("an answer") {
        Deeds::Asked(Asked::Taken(erasure)) => *erasure,
        other => panic!("it is not taken: {other:?}"),
    }
}

async fn is_so(fresh: &Fresh, deed: Deed) -> bool {
    erase::is_so(&*fresh.store, deed).await.expect("an answer")
}

async fn to_the_end(fresh: &Fresh) {
    while erase::piece(&*fresh.store, ID, at(50)).await.expect("a piece") != Piece::Done {}
}

async fn is_there(fresh: &Fresh) -> bool {
    fresh.store.account(&"gone".into()).await.expect("an answer").is_some()
}

pub async fn an_account_is_erased_once_the_upstream_has_removed_it(fresh: &Fresh) {
    fresh.take("gone", vec![received(incoming("a1", "chat-a", "Hi", 1))], 1).await;
    let store = &*fresh.store;
    assert_eq!(ask(fresh, 1, 10, Some(20)).await.removal, Some(Removal::default()));
    assert_eq!(ask(fresh, 2, 11, Some(30)).await.id, ID, "the same waits");
    assert_eq!(ask(fresh, 3, 12, None).await.id, ID);
    // Nothing is erased of an account that UniPile has.
    assert_eq!(erase::due(store).await.expect("a list"), []);
    assert_eq!(erase::piece(store, ID, at(13)).await.expect("an answer"), Piece::Done);
    assert!(is_there(fresh).await);
    assert_eq!(erase::removals(store).await.expect("a list"), [(ID, at(20))]);
    // Each time is taken by one.
    let due = erase::removal(store, ID).await.expect("an answer").expect("it waits");
    assert!(is_so(fresh, Deed::TakeRemoval(ID, due.version, at(25))).await);
    assert!(!is_so(fresh, Deed::TakeRemoval(ID, due.version, at(25))).await);
    assert_eq!(erase::removals(store).await.expect("a list"), [(ID, at(25))]);
    let late = RemovalEnd::PutOff(at(40), "UPSTREAM_UNAVAILABLE");
    assert!(is_so(fresh, Deed::EndRemoval(ID, late.clone())).await);
    let told = erase::find(store, ID).await.expect("an answer").expect("the erasure");
    let removal = Removal { tried: 1, problem: Some("UPSTREAM_UNAVAILABLE".into()) };
    assert_eq!((told.removal, told.ended_at), (Some(removal), None));
    assert_eq!(erase::removals(store).await.expect("a list"), [(ID, at(40))]);

    assert!(is_so(fresh, Deed::EndRemoval(ID, RemovalEnd::Removed(at(41)))).await);
    assert!(!is_so(fresh, Deed::EndRemoval(ID, late)).await, "it has begun");
    assert_eq!(erase::removals(store).await.expect("a list"), []);
    assert_eq!(erase::removal(store, ID).await.expect("an answer"), None);
    assert_eq!(erase::due(store).await.expect("a list"), [(ID, at(41))]);
    to_the_end(fresh).await;
    let told = erase::find(store, ID).await.expect("an answer").expect("the erasure");
    assert_eq!((told.removal, told.ended_at), (None, Some(at(50))));
    assert!(!is_there(fresh).await);
}

/// A link under a token of its number, which brought the account, and how it ended.
async fn link(fresh: &Fresh, number: u8, end: Option<&str>) -> Uuid {
    let id = Uuid::from_u128(number.into());
    let link = HostedLink {
        id,
        tenant: "default".into(),
        name: Some("Front desk".into()),
        account: None,
        made_at: at(0),
        expires_at: at(9),
    };
    let token = [number; 32];
    fresh.store.keep_link(&link, &token).await.expect("it is written");
    let used = fresh.store.use_link(&token, &"gone".into(), at(1)).await.expect("an answer");
    assert_eq!(used, Used::Taken);
    let due = fresh.store.due_links(at(9), 9).await.expect("a list").pop().expect("it is due");
    if let Some(end) = end {
        let reason = Some(end.to_owned()).filter(|end| !end.is_empty());
        let end = LinkEnd { reason, detail: String::new() };
        assert!(fresh.store.end_link(&due, &end, at(2)).await.expect("an answer"));
    }
    id
}

pub async fn whoever_follows_a_link_is_told_why_its_account_went(fresh: &Fresh) {
    let refused = link(fresh, 2, Some("ALREADY_CONNECTED")).await;
    let connected = link(fresh, 3, Some("")).await;
    let open = link(fresh, 4, None).await;
    fresh.take("gone", vec![received(incoming("a1", "chat-a", "Hi", 1))], 3).await;
    ask(fresh, 1, 10, None).await;
    to_the_end(fresh).await;
    let state = async |id| fresh.store.link(id).await.expect("an answer");
    let told = state(refused).await.expect("it is still told");
    assert_eq!(told.end.and_then(|end| end.reason).as_deref(), Some("ALREADY_CONNECTED"));
    assert_eq!(told.link.name, None, "what the account was called is erased");
    assert!(state(open).await.is_some(), "its end is still to come");
    assert!(state(connected).await.is_none());
}
