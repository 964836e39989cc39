//! What is told when somebody comes into a chat or leaves it.

use super::Fresh;
use super::facts::{incoming, person, received};
use super::log::audit;
use super::persons::group;
use super::sends::{ACCOUNT, Desk};
use super::syncs::{Run, ask};
use crate::log::{Entity, Op};
use channel_domain::fact::{Person, Received};
use channel_domain::sync::SyncKind;

/// A message of Ana's in a group with these people.
fn in_group(message: &str, people: Vec<Person>, second: i64) -> Received {
    let mut text = incoming(message, "g1", "Hi", second);
    text.chat.is_group = Some(true);
    text.attendees = people;
    text
}

fn ana() -> Person {
    person("Ana", "15550100002")
}

fn ben() -> Person {
    person("Ben", "15550100003")
}

fn listed(people: Vec<Person>) -> Vec<(Person, bool)> {
    people.into_iter().map(|person| (person, false)).collect()
}

impl Fresh {
    /// How often the group was told, and with which number its members last changed.
    async fn told(&self) -> (usize, u64) {
        let rows = audit(self, ACCOUNT).await;
        let of_group = |op, entity, id: &str| (op, entity, id) == (Op::Put, Entity::Chat, "g1");
        let told = rows.iter().filter(|row| of_group(row.op, row.entity, &row.entity_id)).count();
        let chat = self.chat(ACCOUNT, "g1").await;
        assert!(chat.members_rev <= chat.rev, "it is the number of a change of the chat");
        (told, chat.members_rev)
    }

    async fn present(&self) -> usize {
        let people = self.people(Some("g1"), false).await;
        people.iter().filter(|it| it.member.is_some_and(|(_, left)| left.is_none())).count()
    }
}

pub async fn a_chat_tells_once_that_somebody_came_or_went(fresh: &Fresh) {
    let desk = Desk::new(fresh).await;
    fresh.take(ACCOUNT, vec![received(in_group("g-1", vec![ben()], 10))], 10).await;
    let (told, first) = fresh.told().await;
    assert_eq!((told, fresh.present().await, first > 0), (1, 2, true));
    // Whoever shows the group is told of a message, and not to ask who is there.
    fresh.take(ACCOUNT, vec![received(in_group("g-2", vec![ben()], 11))], 11).await;
    assert_eq!(fresh.told().await, (2, first));
    let cleo = person("Cleo", "15550100004");
    fresh.take(ACCOUNT, vec![received(in_group("g-3", vec![cleo.clone()], 12))], 12).await;
    let (told, joined) = fresh.told().await;
    assert_eq!((told, fresh.present().await), (3, 3));
    assert!(joined > first, "somebody came");

    let run = Run::new(fresh, ask(1, Some(SyncKind::History)), 20).await;
    run.list(vec![group("g1")], None, 21).await;
    let (told, _) = fresh.told().await;
    run.people("g1", listed(vec![ana(), ben()]), 30).await;
    let (now, left) = fresh.told().await;
    assert_eq!((now, fresh.present().await), (told + 1, 2));
    assert!(left > joined, "somebody left");
    // The same list again, in another order, tells nothing at all; nor does an empty one.
    run.people("g1", listed(vec![ben(), ana()]), 31).await;
    run.people("g1", vec![], 32).await;
    assert_eq!(fresh.told().await, (now, left));
    // An old message of hers that comes late does not bring her back; a new one does.
    let from_cleo = |message: &str, second| {
        let sender = Some(cleo.clone());
        received(Received { sender, ..in_group(message, vec![], second) })
    };
    fresh.take(ACCOUNT, vec![from_cleo("g-0", 5)], 40).await;
    assert_eq!((fresh.told().await.1, fresh.present().await), (left, 2));
    fresh.take(ACCOUNT, vec![from_cleo("g-4", 50)], 51).await;
    let (_, back) = fresh.told().await;
    assert_eq!((back > left, fresh.present().await), (true, 3));
    desk.the_log_tells_the_tables().await;
}

pub async fn a_group_of_a_thousand_that_comes_twice_tells_once(fresh: &Fresh) {
    let phone = |at: usize| format!("1555{at:07}");
    let people: Vec<_> = (0..1024).map(|at| person(&format!("P{at}"), &phone(at))).collect();
    fresh.take(ACCOUNT, vec![received(in_group("g-0", vec![], 1))], 1).await;
    let run = Run::new(fresh, ask(1, Some(SyncKind::History)), 20).await;
    run.list(vec![group("g1")], None, 21).await;
    let before = audit(fresh, ACCOUNT).await.len();
    let (told, _) = fresh.told().await;
    let all = || listed(people.iter().cloned().chain([ana()]).collect());
    run.people("g1", all(), 30).await;
    assert_eq!(audit(fresh, ACCOUNT).await.len(), before + 1, "one change for all of them");
    assert_eq!(fresh.told().await, (told + 1, before as u64 + 1));
    run.people("g1", all(), 31).await;
    assert_eq!(audit(fresh, ACCOUNT).await.len(), before + 1);
    // A message that shows all of them is told as any other.
    fresh.take(ACCOUNT, vec![received(in_group("g-1", people.clone(), 40))], 40).await;
    assert_eq!(fresh.told().await, (told + 2, before as u64 + 1));
    assert_eq!(fresh.present().await, 1025);
}

pub async fn whatever_a_payload_shows_of_members_is_told_with_its_chat(fresh: &Fresh) {
    // Two payloads of one batch, each with somebody new, and a third with nobody new.
    let facts = [("g-1", ana(), 1), ("g-2", ben(), 2), ("g-3", ben(), 3)];
    let facts = facts.map(|(id, it, second)| received(in_group(id, vec![it], second)));
    fresh.take(ACCOUNT, facts.into(), 10).await;
    let (told, told_at) = fresh.told().await;
    assert_eq!(told, 3);
    let rows = audit(fresh, ACCOUNT).await;
    let chats: Vec<_> = rows.iter().filter(|row| row.entity == Entity::Chat).collect();
    assert_eq!(chats[1].seq, told_at, "the second one brought somebody");
    // A chat of two tells with its first message, and never again.
    fresh.take(ACCOUNT, vec![received(incoming("m1", "c1", "Hi", 20))], 20).await;
    let first = fresh.chat(ACCOUNT, "c1").await;
    assert_eq!(first.members_rev, first.rev);
    fresh.take(ACCOUNT, vec![received(incoming("m2", "c1", "Hi", 21))], 21).await;
    let second = fresh.chat(ACCOUNT, "c1").await;
    assert_eq!((second.members_rev, second.rev > first.rev), (first.members_rev, true));
}
