//! What a batch does.

use super::Fresh;
use super::facts::{
    at, deleted, delivery, edited, incoming, outgoing, person, reacted, read, reading, received,
    status,
};
use crate::intake::{InboxCounts, InboxFilter, Mode, Outcome, Reading};
use crate::log::Entity;
use channel_domain::fact::UpstreamStatus;
use channel_domain::message::Status;

pub async fn a_message_makes_its_chat_its_people_and_their_changes(fresh: &Fresh) {
    let verdicts = fresh.take("acc", vec![received(incoming("m1", "c1", "Hello", 1))], 2).await;
    assert_eq!(verdicts[0].outcome, Outcome::Applied);
    let chat = fresh.chat("acc", "c1").await;
    assert_eq!((chat.title.as_str(), chat.unread), ("Ana", 1));
    assert_eq!(chat.last.map(|last| last.preview), Some("Hello".into()));
    let messages = fresh.messages("acc", "c1").await;
    assert_eq!(messages.len(), 1);
    let message = &messages[0];
    assert_eq!(message.text.as_deref(), Some("Hello"));
    assert_eq!(message.sender.as_deref(), Some("att-15550100002"));
    assert!(!message.outgoing);
    assert_eq!(message.sent_at, at(1).0);
    // One number each: the account's phone, the person, the chat, the message.
    assert_eq!(fresh.account("acc").await.head.seq, 4);
    assert_eq!((chat.rev, message.rev), (3, 4));
}

pub async fn a_copy_of_a_stored_fact_is_dropped(fresh: &Fresh) {
    let fact = received(incoming("m1", "c1", "Hello", 1));
    let verdicts = fresh.take("acc", vec![fact.clone(), fact.clone()], 2).await;
    let outcomes: Vec<_> = verdicts.iter().map(|verdict| verdict.outcome).collect();
    assert_eq!(outcomes, [Outcome::Applied, Outcome::Duplicate], "in one batch");
    let again = fresh.take("acc", vec![fact], 9).await;
    assert_eq!((again[0].outcome, again[0].inbox), (Outcome::Duplicate, None), "in a later batch");
    assert_eq!(fresh.account("acc").await.head.seq, 4);
    assert_eq!(fresh.chat("acc", "c1").await.unread, 1);
}

pub async fn an_edit_a_receipt_and_a_reaction_may_come_before_their_message(fresh: &Fresh) {
    let early = vec![edited("m1", "Hello there"), read("m1"), reacted("m1", Some("👍"))];
    let verdicts = fresh.take("acc", early, 0).await;
    assert!(verdicts.iter().all(|verdict| verdict.reason == Some("WAITS_FOR_MESSAGE")));
    fresh.take("acc", vec![received(outgoing("m1", "c1", "Helo", 1))], 10).await;
    let message = fresh.messages("acc", "c1").await.remove(0);
    assert_eq!(message.text.as_deref(), Some("Hello there"));
    assert_eq!(message.status, i32::from(Status::Read.rank()));
    assert_eq!(message.edited_at, Some(at(0).0));
    assert_eq!(message.read_at, Some(at(1).0));
    assert_eq!(message.reactions.len(), 1);
    assert_eq!(fresh.found("acc", "there").await, ["Hello there"]);
    assert!(fresh.found("acc", "helo").await.is_empty(), "the old text is not found");
    // The same inside one batch.
    let mut batch = vec![deleted("m2")];
    batch.push(received(incoming("m2", "c1", "Oops", 5)));
    fresh.take("acc", batch, 20).await;
    let message = fresh.messages("acc", "c1").await.remove(0);
    assert_eq!((message.text, message.deleted_at), (None, Some(at(20).0)));
}

pub async fn unread_messages_are_counted_up_to_the_read_marker(fresh: &Fresh) {
    let texts = (1..=5).map(|n| received(incoming(&format!("m{n}"), "c1", "Hi", n))).collect();
    fresh.take("acc", texts, 10).await;
    assert_eq!(fresh.chat("acc", "c1").await.unread, 5);
    fresh.take("acc", vec![read("m3")], 20).await;
    assert_eq!(fresh.chat("acc", "c1").await.unread, 2);
    fresh.take("acc", vec![deleted("m5")], 30).await;
    assert_eq!(fresh.chat("acc", "c1").await.unread, 1);
    fresh.take("acc", vec![received(outgoing("m6", "c1", "On it", 6))], 40).await;
    assert_eq!(fresh.chat("acc", "c1").await.unread, 0);
    fresh.take("acc", vec![received(incoming("m0", "c1", "Late", 0))], 50).await;
    assert_eq!(fresh.chat("acc", "c1").await.unread, 0, "an older message is read already");
}

pub async fn a_new_name_renames_the_chat(fresh: &Fresh) {
    fresh.take("acc", vec![received(incoming("m1", "c1", "Hi", 1))], 2).await;
    let mut in_group = incoming("m2", "g1", "Hi all", 90_000);
    in_group.chat.is_group = Some(true);
    in_group.chat.subject = Some("Team".into());
    in_group.sender = Some(person("Ana Maria", "15550100002"));
    in_group.attendees = vec![];
    // A day later, so that the new name is the newer one.
    fresh.take("acc", vec![received(in_group)], 90_001).await;
    let titles: Vec<_> = fresh.chats("acc").await.into_iter().map(|chat| chat.title).collect();
    assert_eq!(titles, ["Team", "Ana Maria"]);
}

pub async fn a_status_that_repeats_asks_for_the_account(fresh: &Fresh) {
    let ok = status(UpstreamStatus::Ok);
    let broken = status(UpstreamStatus::Credentials);
    fresh.take("acc", vec![ok.clone(), broken, ok.clone()], 1).await;
    let account = fresh.account("acc").await.record;
    assert_eq!((account.connection, account.connection_since), (1, Some(at(3).0)));
    let again = fresh.take("acc", vec![ok], 5).await;
    assert_eq!(again[0].outcome, Outcome::Applied, "a status is never dropped");
    assert_eq!(fresh.account("acc").await.record.connection_since, Some(at(3).0));
}

pub async fn rejected_and_ignored_payloads_are_kept_with_their_reason(fresh: &Fresh) {
    let readings = vec![
        Reading::Rejected { reason: "NOT_JSON", detail: "line 1".into() },
        reading("acc", received(incoming("m1", "c1", "Hi", 1))),
        Reading::Ignored { account: Some("li".into()), reason: "OTHER_CHANNEL" },
    ];
    let verdicts = fresh.take_readings(readings).await;
    let outcomes: Vec<_> = verdicts.iter().map(|verdict| verdict.outcome).collect();
    assert_eq!(outcomes, [Outcome::Quarantined, Outcome::Applied, Outcome::NoOp]);
    let filter =
        InboxFilter { outcomes: vec![Outcome::Quarantined], limit: 9, ..Default::default() };
    let listed = fresh.store.inbox(&filter).await.unwrap_or_default();
    let [Ok(listed)] = &listed[..] else { panic!("not one row: {listed:?}") };
    assert_eq!(listed.reason.as_deref(), Some("NOT_JSON"));
    assert_eq!(listed.stamp.inbox, verdicts[0].inbox.unwrap_or_default());
    let ignored = fresh.store.account(&"li".into()).await;
    assert!(matches!(ignored, Ok(None)), "an ignored payload makes no account");
}

pub async fn kept_payloads_are_due_and_can_be_settled(fresh: &Fresh) {
    let reading = reading("acc", received(incoming("m1", "c1", "Hi", 1)));
    let kept = fresh.store.keep(vec![delivery(reading.clone(), at(2))]).await;
    assert!(kept.is_ok_and(|kept| kept.verdicts[0].outcome == Outcome::Pending));
    let due = InboxFilter { due_at: Some(at(3)), limit: 10, ..Default::default() };
    let early = InboxFilter { due_at: Some(at(1)), ..due.clone() };
    let count = |list: Result<Vec<_>, _>| list.map_or(usize::MAX, |list| list.len());
    assert_eq!(count(fresh.store.inbox(&early).await), 0);
    let stored = fresh.store.inbox(&due).await.unwrap_or_default().remove(0).expect("a good row");
    let postponed = fresh.store.postpone(stored.stamp.inbox, Some(at(60)), "STORE_REFUSED").await;
    assert!(postponed.is_ok());
    assert_eq!(count(fresh.store.inbox(&due).await), 0);
    let counts = InboxCounts { pending: 1, ..InboxCounts::default() };
    assert_eq!(fresh.store.inbox_counts().await.ok(), Some(counts));
    let settled = fresh.store.settle(&stored, reading, Mode::First).await;
    assert!(settled.is_ok_and(|settled| settled.verdict.outcome == Outcome::Applied));
    assert_eq!(fresh.messages("acc", "c1").await.len(), 1);
    assert_eq!(fresh.store.inbox_counts().await.ok(), Some(InboxCounts::default()));
}

pub async fn a_dry_run_changes_nothing(fresh: &Fresh) {
    fresh.take("acc", vec![received(incoming("m1", "c1", "Hi", 1))], 2).await;
    let fixed = reading("acc", received(incoming("m2", "c1", "Second", 3)));
    let rejected = Reading::Rejected { reason: "WRONG_TYPE", detail: "field".into() };
    fresh.take_readings(vec![rejected]).await;
    let filter =
        InboxFilter { outcomes: vec![Outcome::Quarantined], limit: 9, ..Default::default() };
    let stored =
        fresh.store.inbox(&filter).await.unwrap_or_default().remove(0).expect("a good row");
    let before = fresh.account("acc").await.head;
    let trial = fresh.store.settle(&stored, fixed.clone(), Mode::DryRun).await;
    let kinds: Vec<_> = trial
        .map(|trial| trial.changes)
        .unwrap_or_default()
        .into_iter()
        .map(|change| change.entity)
        .collect();
    assert_eq!(kinds, [Entity::Chat, Entity::Message]);
    assert_eq!(fresh.account("acc").await.head, before);
    assert_eq!(fresh.messages("acc", "c1").await.len(), 1);
    let replayed = fresh.store.settle(&stored, fixed, Mode::Again).await;
    assert!(replayed.is_ok_and(|replayed| replayed.verdict.outcome == Outcome::Applied));
    assert_eq!(fresh.messages("acc", "c1").await.len(), 2);
    assert!(fresh.store.inbox(&filter).await.is_ok_and(|list| list.is_empty()));
}

pub async fn what_is_settled_can_be_pruned(fresh: &Fresh) {
    let texts = (1..=5).map(|n| received(incoming(&format!("m{n}"), "c1", "Hi", n))).collect();
    fresh.take("acc", texts, 10).await;
    fresh
        .take_readings(vec![Reading::Rejected { reason: "NOT_JSON", detail: String::new() }])
        .await;
    let gone = fresh.store.prune_inbox(at(12), 100).await;
    assert!(gone.is_ok_and(|gone| gone >= 2));
    let all = InboxFilter { limit: 100, ..Default::default() };
    let left = fresh.store.inbox(&all).await.unwrap_or_default();
    assert_eq!(left.len(), 4, "three younger ones, and the one that needs somebody");
}
