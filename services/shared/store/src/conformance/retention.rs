//! What is promised of what is old, and of bytes that nothing names any more.

use super::Fresh;
use super::erase::{HASH, NAME, chat_of, everything, since};
use super::facts::{at, incoming, received};
use super::log::audit;
use super::sends::ACCOUNT;
use super::syncs::{Run, ask as sync_ask, listed, page, read_in};
use crate::erase::{self, Deed};
use crate::log::{Entity, Op};
use channel_domain::sync::SyncKind;

pub async fn bytes_that_nothing_names_are_deleted_by_one_and_announced_ones_stay(fresh: &Fresh) {
    everything(fresh, ACCOUNT).await;
    let so = async |deed| erase::is_so(&*fresh.store, deed).await.expect("an answer");
    let begin = |hash: &str, now, until| Deed::BeginSweep(hash.into(), at(now), at(until));
    let announce = |hash: &str, until| Deed::Announce(hash.into(), at(until));
    let both = format!("{HASH}-both");
    // What is named is looked at, and stays.
    assert!(so(announce(&both, 100)).await);
    assert!(erase::sweeps(&*fresh.store, at(99)).await.expect("an answer").is_empty());
    assert!(!so(begin(&both, 99, 200)).await, "it may be on its way");
    assert!(!so(begin(&both, 101, 200)).await, "a message has it");
    assert!(erase::sweeps(&*fresh.store, at(999)).await.expect("an answer").is_empty());
    // Of two who put the same bytes the last one has them looked at.
    assert!(so(announce(&both, 5_000)).await && so(announce(&both, 6_000)).await);
    for looked_at in [0, 1] {
        assert!(so(Deed::Release(both.clone())).await);
        let sweeps = erase::sweeps(&*fresh.store, at(999)).await.expect("an answer");
        assert_eq!(sweeps.len(), looked_at);
    }
    assert!(!so(begin(&both, 999, 1_200)).await, "a message has it");
    // What nobody names goes; while it does, the same bytes cannot be put there.
    assert!(so(announce("lost", 100)).await && so(announce("lost", 90)).await);
    assert!(so(begin("lost", 101, 200)).await);
    assert!(!so(begin("lost", 102, 200)).await, "somebody is at it");
    assert!(!so(announce("lost", 300)).await, "they would be deleted");
    assert!(so(begin("lost", 201, 300)).await, "whoever was at it is gone");
    assert!(so(Deed::EndSweep("lost".into())).await);
    assert!(so(announce("lost", 400)).await);
}

pub async fn old_messages_go_chat_by_chat_and_their_readers_are_told(fresh: &Fresh) {
    everything(fresh, ACCOUNT).await;
    let new = received(incoming("a3", "chat-a", "New", 1_000));
    fresh.take(ACCOUNT, vec![new], 1_001).await;
    let head = audit(fresh, ACCOUNT).await.last().map_or(0, |row| row.seq);
    let (mut gone, mut after) = (0, Some((0, 0)));
    while let Some(place) = after {
        let (some, next) =
            erase::thin(&*fresh.store, place, at(1_000), at(2_000)).await.expect("an answer");
        (gone, after) = (gone + some, next);
    }
    assert_eq!(gone, 10);
    for marker in ["okapi", "quagga", "lemming", "ocelot", "narwhal"] {
        let mut places = (fresh.places)(marker.to_owned()).await;
        // The log and the payloads have ages of their own.
        places.retain(|it| !it.starts_with("change_log.") && !it.starts_with("webhook_inbox."));
        assert!(
            places.iter().all(|it| it.starts_with("message_words_data")),
            "{marker}: {places:?}"
        );
    }
    let (chat, messages) = chat_of(fresh, ACCOUNT, "chat-a").await;
    assert_eq!((messages.len(), chat.unread), (1, 1));
    assert_eq!(chat.last.expect("a last message").preview, "New");
    let (chat, messages) = chat_of(fresh, ACCOUNT, "chat-z").await;
    assert_eq!((chat.title.as_str(), chat.last, messages.len(), chat.unread), (NAME, None, 0, 0));
    let told = since(&audit(fresh, ACCOUNT).await, head);
    for chat in ["chat-a", "chat-z", "group"] {
        assert!(told.contains(&(Op::Invalidate, Entity::Chat, chat.into())), "{told:?}");
    }
    // History does not bring them back; the rest of it is read in.
    let run = Run::new(fresh, sync_ask(1, Some(SyncKind::History)), 2_001).await;
    run.list(vec![listed("chat-a", 1_000)], None, 2_002).await;
    let old = read_in(incoming("a1", "chat-a", "Hi from Ana", 1));
    let young = read_in(incoming("a4", "chat-a", "Young", 1_000));
    run.read(page("chat-a", vec![old, young], None, 2_003), 2_004).await;
    assert_eq!(fresh.messages(ACCOUNT, "chat-a").await.len(), 2);
}

pub async fn what_has_ended_goes_when_it_is_old(fresh: &Fresh) {
    let desk = super::sends::Desk::new(fresh).await;
    desk.submit(1, "c1", "to be sent", 10).await;
    let attempt = desk.begin(1, 11).await;
    let accepted =
        channel_domain::send::Verdict::Accepted { message: Some("u1".into()), chat: None };
    desk.finish(1, attempt, accepted, 12).await;
    desk.submit(2, "c1", "waits", 13).await;
    let run = Run::new(fresh, sync_ask(7, Some(SyncKind::Repair)), 20).await;
    run.list(vec![listed("c1", 1)], None, 21).await;
    let rows = async |ended, second| {
        erase::prune(&*fresh.store, ended, at(second)).await.expect("an answer")
    };
    for ended in erase::Ended::ALL {
        assert_eq!(rows(ended, 0).await, 0, "nothing is old");
    }
    assert_eq!(rows(erase::Ended::Syncs, 999_999).await, 0, "it has not ended");
    run.end(channel_domain::sync::SyncState::Done, 30).await;
    assert_eq!(rows(erase::Ended::Syncs, 999_999).await, 2, "with its chat");
    assert_eq!(rows(erase::Ended::Jobs, 999_999).await, 1, "and not what waits");
    assert_eq!(rows(erase::Ended::Jobs, 999_999).await, 0);
    assert_eq!(desk.sent("c1").await.len(), 2, "the message stays");
}
