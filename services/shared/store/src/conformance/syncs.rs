//! What is promised of history that is read in, and of gaps that are repaired.

use super::Fresh;
use super::acts::asked;
use super::facts::{at, edited, incoming, outgoing, person, received};
use super::log::audit;
use super::sends::{ACCOUNT, Desk};
use crate::log::{Entity, LogRow, Op, Wakeups};
use crate::outbox::ChatNews;
use crate::record::SyncRecord;
use crate::rows::WorkKind;
use crate::sync::{
    ListedChat, MessagesRead, NextChat, PageEnd, SyncAsk, SyncDone, SyncOrder, SyncStep,
};
use channel_domain::fact::{ChatClaim, Fact, Person, Received};
use channel_domain::message::Origin;
use channel_domain::sync::{SyncKind, SyncState};
use std::time::Duration;
use uuid::Uuid;

const LEASE: Duration = Duration::from_secs(30);

pub(super) fn ask(number: u128, kind: Option<SyncKind>) -> SyncAsk {
    SyncAsk { kind, ..SyncAsk::new(Uuid::from_u128(number)) }
}

pub(super) fn listed(chat: &str, second: i64) -> ListedChat {
    let claim = ChatClaim {
        id: chat.into(),
        provider_id: Some(format!("{chat}@lid")),
        is_group: Some(false),
        subject: None,
        pinned: None,
    };
    let news = ChatNews {
        claim,
        active_at: Some(at(second)),
        archived: None,
        muted_until: None,
        read_only: None,
    };
    ListedChat { news, counterparty: Some(person("Ana", "15550100002")) }
}

/// As UniPile's API tells it: without the people.
pub(super) fn read_in(message: Received) -> Fact {
    received(Received { attendees: vec![], ..message })
}

/// A synchronisation that was taken.
pub(super) struct Run<'f> {
    fresh: &'f Fresh,
    pub(super) id: Uuid,
    pub(super) taken: u32,
}

async fn carry_out(fresh: &Fresh, step: SyncStep, second: i64) -> SyncDone {
    let order = SyncOrder { account: ACCOUNT.into(), step, now: at(second), trace: None };
    fresh.store.sync_step(order).await.expect("the step is carried out")
}

async fn stands(fresh: &Fresh, step: SyncStep, second: i64) -> SyncRecord {
    match carry_out(fresh, step, second).await {
        SyncDone::Stands(record) => *record,
        other => panic!("it does not stand: {other:?}"),
    }
}

impl<'f> Run<'f> {
    pub(super) async fn step(&self, step: SyncStep, second: i64) -> SyncRecord {
        stands(self.fresh, step, second).await
    }

    /// The people of a chat are listed.
    pub(super) async fn people(&self, chat: &str, people: Vec<(Person, bool)>, second: i64) {
        self.step(SyncStep::People(self.id, self.taken, chat.into(), people), second).await;
    }

    /// Asks for one and takes it.
    pub(super) async fn new(fresh: &'f Fresh, ask: SyncAsk, second: i64) -> Self {
        let id = ask.id;
        stands(fresh, SyncStep::Ask(Box::new(ask)), second).await;
        let taken = stands(fresh, SyncStep::Take(id, LEASE), second).await.taken;
        Self { fresh, id, taken }
    }

    pub(super) async fn list(
        &self,
        chats: Vec<ListedChat>,
        next: Option<&str>,
        second: i64,
    ) -> SyncRecord {
        let step = SyncStep::Chats(self.id, self.taken, chats, next.map(Into::into));
        stands(self.fresh, step, second).await
    }

    pub(super) async fn read(&self, read: MessagesRead, second: i64) -> SyncRecord {
        let step = SyncStep::Messages(self.id, self.taken, Box::new(read));
        stands(self.fresh, step, second).await
    }

    pub(super) async fn next(&self) -> Option<NextChat> {
        self.fresh.store.next_chat(&ACCOUNT.into(), self.id).await.expect("an answer")
    }

    pub(super) async fn end(&self, state: SyncState, second: i64) -> SyncRecord {
        stands(self.fresh, SyncStep::End(self.id, self.taken, state, None), second).await
    }
}

pub(super) fn page(chat: &str, facts: Vec<Fact>, next: Option<&str>, second: i64) -> MessagesRead {
    let read = facts.len() as u64;
    let end = PageEnd { read, next: next.map(Into::into) };
    MessagesRead { chat: Some(chat.into()), facts, read_at: at(second), end: Some(end) }
}

async fn log_since(fresh: &Fresh, seq: usize) -> Vec<LogRow> {
    audit(fresh, ACCOUNT).await.split_off(seq)
}

pub async fn a_chat_that_was_read_by_itself_is_complete_by_itself(fresh: &Fresh) {
    let facts =
        vec![received(incoming("m1", "c1", "Hi", 100)), received(incoming("m2", "c2", "Hi", 100))];
    fresh.take(ACCOUNT, facts, 101).await;
    let one = SyncAsk { chat: Some("c1".into()), ..ask(1, None) };
    let run = Run::new(fresh, one, 110).await;
    let before = audit(fresh, ACCOUNT).await.len();
    run.read(page("c1", vec![read_in(incoming("m0", "c1", "before", 50))], Some("p2"), 111), 112)
        .await;
    assert_eq!(fresh.chat(ACCOUNT, "c1").await.complete_up_to, None, "there is more");
    run.read(page("c1", vec![], None, 113), 114).await;
    assert_eq!(fresh.chat(ACCOUNT, "c1").await.complete_up_to, Some(at(110).0));
    assert_eq!(fresh.chat(ACCOUNT, "c2").await.complete_up_to, None);
    let told = log_since(fresh, before).await;
    let told = told.iter().any(|row| (row.op, row.entity_id.as_str()) == (Op::Put, "c1"));
    assert!(told, "screens are told");
    run.end(SyncState::Done, 115).await;
    assert_eq!(fresh.account(ACCOUNT).await.record.complete_up_to, None);
    // Read from a time on that leaves a gap, it is no more complete than before.
    let later = SyncAsk { chat: Some("c1".into()), since: Some(at(500)), ..ask(2, None) };
    let run = Run::new(fresh, later, 600).await;
    run.read(page("c1", vec![], None, 601), 602).await;
    assert_eq!(fresh.chat(ACCOUNT, "c1").await.complete_up_to, Some(at(110).0));
    let whole = SyncAsk { chat: Some("c2".into()), since: Some(at(500)), ..ask(3, None) };
    let run = Run::new(fresh, whole, 700).await;
    run.read(page("c2", vec![], None, 701), 702).await;
    assert_eq!(fresh.chat(ACCOUNT, "c2").await.complete_up_to, None);
}

pub async fn history_is_read_in_quietly_and_leaves_nothing_unread(fresh: &Fresh) {
    // The account is known by a message of today.
    fresh.take(ACCOUNT, vec![received(incoming("today", "c1", "Hi", 100))], 101).await;
    let run = Run::new(fresh, ask(1, Some(SyncKind::History)), 110).await;
    let first = run.list(vec![listed("c1", 100), listed("old", 5)], Some("p2"), 111).await;
    assert_eq!((first.chats_total, first.listed, first.cursor.as_deref()), (2, false, Some("p2")));
    let all = run.list(vec![listed("new", 50), listed("c1", 100)], None, 112).await;
    assert_eq!(
        (all.chats_total, all.listed),
        (3, true),
        "a chat is one task, however often listed"
    );

    let before = audit(fresh, ACCOUNT).await.len();
    for (chat, second) in [("c1", 90), ("new", 50), ("old", 5)] {
        let next = run.next().await.expect("a chat is left");
        assert_eq!(next.chat.as_str(), chat, "the latest comes first");
        let facts = vec![
            read_in(incoming(&format!("{chat}-1"), chat, "one", second)),
            read_in(outgoing(&format!("{chat}-2"), chat, "two", second - 1)),
        ];
        run.read(page(chat, facts, Some("more"), 113), 114).await;
        assert_eq!(run.next().await.and_then(|next| next.cursor).as_deref(), Some("more"));
        let facts = vec![read_in(incoming(&format!("{chat}-3"), chat, "three", second - 2))];
        run.read(page(chat, facts, None, 115), 116).await;
    }
    assert_eq!(run.next().await, None);
    let log = log_since(fresh, before).await;
    assert!(log.iter().all(|row| row.entity != Entity::Message), "no message is told by itself");
    let again: Vec<_> =
        log.iter().filter(|row| row.op == Op::Invalidate).map(|row| &*row.entity_id).collect();
    assert_eq!(again, ["c1", "c1", "new", "new", "old", "old"]);
    let seqs: Vec<_> =
        log.iter().filter(|row| row.op == Op::Invalidate).map(|row| row.seq).collect();

    let messages = fresh.messages(ACCOUNT, "old").await;
    assert_eq!(messages.len(), 3);
    assert!(messages.iter().all(|message| message.origin == Origin::Imported as i32));
    let revs: Vec<_> = messages.iter().map(|message| message.rev).collect();
    assert_eq!(revs, [seqs[4], seqs[4], seqs[5]], "each has the number of its chat's event");
    for (chat, unread) in [("c1", 1), ("new", 0), ("old", 0)] {
        let chat = fresh.chat(ACCOUNT, chat).await;
        assert_eq!((chat.unread, chat.title.as_str()), (unread, "Ana"));
    }
    assert_eq!(fresh.found(ACCOUNT, "three").await.len(), 3);

    assert_eq!(fresh.account(ACCOUNT).await.record.complete_up_to, None);
    let ended = run.end(SyncState::Done, 120).await;
    assert_eq!((ended.chats_done, ended.messages_read, ended.messages_added), (3, 9, 9));
    let complete = fresh.account(ACCOUNT).await.record.complete_up_to;
    assert_eq!(complete, Some(at(110).0), "up to when it began");
    let imported = fresh.store.imported_accounts().await.expect("an answer");
    assert_eq!(imported, [(ACCOUNT.into(), at(110))]);
    // Webhooks may have been lost: it is asked, and asked once however often that is said.
    fresh.take("new", vec![received(incoming("n1", "n", "Hi", 1))], 121).await;
    for second in [122, 123] {
        assert_eq!(fresh.store.ask_for_missed(at(second)).await.expect("it is noted"), 1);
    }
    let due = asked(fresh, WorkKind::RefreshAccount).await;
    let of_account: Vec<_> = due.iter().filter(|due| due.subject == ACCOUNT).collect();
    assert_eq!(of_account.len(), 1);
    assert_eq!(of_account[0].asked_at, at(123));
}

pub async fn a_page_that_is_read_twice_adds_nothing_and_tells_nothing(fresh: &Fresh) {
    fresh.take(ACCOUNT, vec![received(incoming("m1", "c1", "Hi", 1))], 2).await;
    let run = Run::new(fresh, ask(1, Some(SyncKind::History)), 110).await;
    run.list(vec![listed("c1", 1)], None, 110).await;
    let facts = || {
        vec![
            read_in(incoming("m1", "c1", "Hi", 1)),
            read_in(incoming("m0", "c1", "Before", 0)),
            edited("m0", "Before that"),
        ]
    };
    // The first piece is stored, and whoever read the page dies before its end.
    let piece = MessagesRead { end: None, ..page("c1", facts(), None, 111) };
    assert_eq!(run.read(piece, 112).await.messages_read, 0);
    let other = stands(fresh, SyncStep::Take(run.id, LEASE), 200).await;
    let run = Run { taken: other.taken, ..run };
    let before = audit(fresh, ACCOUNT).await.len();
    let done = run.read(page("c1", facts(), None, 201), 202).await;
    assert_eq!((done.messages_added, done.messages_read), (1, 3));
    let told = log_since(fresh, before).await;
    // The chat is complete now; of its messages there is no news.
    let news = told.iter().filter(|row| row.entity != Entity::Sync);
    let news: Vec<_> = news.map(|row| (row.op, row.entity)).collect();
    assert_eq!(news, [(Op::Put, Entity::Chat)]);
    assert_eq!(fresh.messages(ACCOUNT, "c1").await.len(), 2);
}

/// Whether the next hint tells of work that can wait.
async fn hears_of_what_can_wait(wakeups: &mut Wakeups) -> Option<bool> {
    let moved = wakeups.recv().await.ok()?;
    moved.first().map(|moved| moved.can_wait)
}

pub async fn hints_tell_history_from_news(fresh: &Fresh) {
    fresh.take(ACCOUNT, vec![received(incoming("m1", "c1", "Hi", 1))], 1).await;
    let run = Run::new(fresh, ask(1, None), 2).await;
    run.list(vec![listed("c1", 1)], None, 3).await;
    let mut wakeups = fresh.store.wakeups();
    let old = read_in(incoming("m0", "c1", "Old", 0));
    run.read(page("c1", vec![old], None, 4), 4).await;
    assert_eq!(hears_of_what_can_wait(&mut wakeups).await, Some(true));
    fresh.take(ACCOUNT, vec![received(incoming("m2", "c1", "New", 5))], 5).await;
    assert_eq!(hears_of_what_can_wait(&mut wakeups).await, Some(false));
}

pub async fn what_came_after_the_import_was_asked_for_is_news(fresh: &Fresh) {
    fresh.take(ACCOUNT, vec![received(incoming("m1", "c1", "Hi", 1))], 2).await;
    let run = Run::new(fresh, ask(1, Some(SyncKind::History)), 110).await;
    run.list(vec![listed("c1", 1)], None, 111).await;
    let before = audit(fresh, ACCOUNT).await.len();
    let facts = vec![read_in(incoming("live", "c1", "Are you there?", 112))];
    run.read(page("c1", facts, None, 113), 114).await;
    let log = log_since(fresh, before).await;
    assert!(log.iter().any(|row| row.entity == Entity::Message && row.op == Op::Put));
    assert_eq!(fresh.chat(ACCOUNT, "c1").await.unread, 2);
}

pub async fn what_was_stored_since_a_page_was_asked_for_is_newer(fresh: &Fresh) {
    fresh.take(ACCOUNT, vec![received(incoming("m1", "c1", "Hi", 1))], 2).await;
    let run = Run::new(fresh, ask(1, Some(SyncKind::History)), 10).await;
    run.list(vec![listed("c1", 1)], None, 10).await;
    fresh.take(ACCOUNT, vec![edited("m1", "Hi all")], 20).await;
    let facts = vec![read_in(incoming("m1", "c1", "Hello", 1)), edited("m1", "Hello")];
    run.read(page("c1", facts, None, 15), 25).await;
    let messages = fresh.messages(ACCOUNT, "c1").await;
    assert_eq!(messages[0].text.as_deref(), Some("Hi all"));
}

pub async fn an_empty_page_in_the_middle_of_a_list_is_a_page(fresh: &Fresh) {
    fresh.take(ACCOUNT, vec![received(incoming("m2", "c1", "Hi", 2))], 2).await;
    let run = Run::new(fresh, ask(1, Some(SyncKind::History)), 110).await;
    run.list(vec![listed("c1", 1)], None, 110).await;
    run.read(page("c1", vec![], Some("further"), 111), 112).await;
    let next = run.next().await.expect("the chat goes on");
    assert_eq!((next.cursor.as_deref(), next.pages), (Some("further"), 1));
    let done =
        run.read(page("c1", vec![read_in(incoming("m1", "c1", "Before", 1))], None, 113), 114);
    let done = done.await;
    assert_eq!((done.messages_read, done.chats_done), (1, 1));
    assert!(run.next().await.is_none());
}

pub async fn messages_of_the_same_second_stay_in_the_order_of_their_page(fresh: &Fresh) {
    fresh.take(ACCOUNT, vec![received(incoming("m0", "c1", "0", 0))], 2).await;
    let run = Run::new(fresh, ask(1, Some(SyncKind::History)), 110).await;
    run.list(vec![listed("c1", 1)], None, 110).await;
    let hi = |number: u32| read_in(incoming(&format!("m{number}"), "c1", &number.to_string(), 1));
    let (oldest, rest) = ((1..=4).map(hi).collect(), (5..=9).map(hi).collect());
    let piece = MessagesRead { end: None, ..page("c1", oldest, None, 111) };
    let read_at = piece.read_at.plus(Duration::from_micros(4));
    run.read(piece, 112).await;
    run.read(MessagesRead { read_at, ..page("c1", rest, None, 111) }, 112).await;
    let newest_first = fresh.messages(ACCOUNT, "c1").await;
    let texts: String = newest_first.into_iter().filter_map(|message| message.text).collect();
    assert_eq!(texts, "9876543210");
}

pub async fn whoever_lost_a_synchronisation_writes_nothing_more(fresh: &Fresh) {
    fresh.take(ACCOUNT, vec![received(incoming("m1", "c1", "Hi", 1))], 2).await;
    let slow = Run::new(fresh, ask(1, Some(SyncKind::History)), 10).await;
    slow.list(vec![listed("c1", 1)], None, 10).await;
    assert_eq!(carry_out(fresh, SyncStep::Take(slow.id, LEASE), 39).await, SyncDone::Nothing);
    let due = fresh.store.syncs_due(at(40), &[], 10).await.expect("an answer");
    assert_eq!(due.iter().map(|due| due.id).collect::<Vec<_>>(), [slow.id]);
    stands(fresh, SyncStep::Take(slow.id, LEASE), 40).await;
    let facts = vec![read_in(incoming("m0", "c1", "Before", 0))];
    let late = SyncStep::Messages(slow.id, slow.taken, Box::new(page("c1", facts, None, 38)));
    assert_eq!(carry_out(fresh, late, 41).await, SyncDone::Nothing);
    assert_eq!(fresh.messages(ACCOUNT, "c1").await.len(), 1);
    let cancelled = stands(fresh, SyncStep::Cancel(slow.id), 42).await;
    assert_eq!(cancelled.state, SyncState::Cancelled as i32);
    assert!(fresh.store.syncs_due(at(9999), &[], 10).await.expect("an answer").is_empty());
    assert_eq!(fresh.account(ACCOUNT).await.record.complete_up_to, None);
}

pub async fn a_repair_begins_before_the_end_of_what_is_complete_and_its_news_are_unread(
    fresh: &Fresh,
) {
    fresh.take(ACCOUNT, vec![received(incoming("m1", "c1", "Hi", 1))], 2).await;
    let history = Run::new(fresh, ask(1, None), 1000).await;
    history.list(vec![], None, 1000).await;
    history.end(SyncState::Done, 1001).await;
    let run = Run::new(fresh, ask(2, None), 5000).await;
    let step = SyncStep::Renew(run.id, run.taken);
    let repair = stands(fresh, step, 5000).await;
    assert_eq!(repair.kind, SyncKind::Repair as i32);
    assert_eq!(repair.since, Some(at(1000 - 600).0));
    let before = audit(fresh, ACCOUNT).await.len();
    let missed = vec![read_in(incoming("m2", "c7", "Missed", 3000))];
    let read = MessagesRead { chat: None, ..page("", missed, None, 5001) };
    assert!(run.read(read, 5002).await.listed);
    assert_eq!(fresh.chat(ACCOUNT, "c7").await.unread, 1);
    let log = log_since(fresh, before).await;
    assert!(log.iter().any(|row| row.entity == Entity::Message), "it is told like any message");
    let work = asked(fresh, WorkKind::FetchChat).await;
    assert!(work.iter().any(|due| due.subject == "c7"), "its chat is asked for");
    run.end(SyncState::Done, 5003).await;
    assert_eq!(fresh.account(ACCOUNT).await.record.complete_up_to, Some(at(5000).0));
    // One that leaves a gap before it proves nothing.
    let short = SyncAsk { since: Some(at(5001)), ..ask(3, Some(SyncKind::Repair)) };
    Run::new(fresh, short, 6000).await.end(SyncState::Done, 6001).await;
    assert_eq!(fresh.account(ACCOUNT).await.record.complete_up_to, Some(at(5000).0));
}

pub async fn one_synchronisation_of_a_kind_runs_at_a_time(fresh: &Fresh) {
    Desk::new(fresh).await;
    let asks =
        async |ask: SyncAsk, second| carry_out(fresh, SyncStep::Ask(Box::new(ask)), second).await;
    let id = |done: SyncDone| match done {
        SyncDone::Stands(record) => record.id,
        other => panic!("{other:?}"),
    };
    let repair = SyncAsk { automatic: true, ..ask(9, Some(SyncKind::Repair)) };
    assert_eq!(asks(repair, 10).await, SyncDone::Nothing, "there is nothing to repair yet");
    let first = id(asks(ask(1, None), 10).await);
    assert_eq!(first, Uuid::from_u128(1).to_string());
    assert_eq!(id(asks(ask(1, None), 11).await), first, "asked again");
    assert_eq!(id(asks(ask(2, Some(SyncKind::History)), 11).await), first, "it runs already");
    let of_chat = SyncAsk { chat: Some("c1".into()), ..ask(3, None) };
    assert_ne!(id(asks(of_chat.clone(), 12).await), first, "a chat has its own");
    let same = SyncAsk { id: Uuid::from_u128(4), ..of_chat.clone() };
    assert_eq!(id(asks(same, 12).await), Uuid::from_u128(3).to_string());
    let unknown = SyncAsk { chat: Some("nowhere".into()), ..ask(5, None) };
    assert_eq!(asks(unknown, 12).await, SyncDone::ChatUnknown);
    let nowhere = SyncOrder {
        account: "nowhere".into(),
        step: SyncStep::Cancel(Uuid::nil()),
        now: at(12),
        trace: None,
    };
    let done = fresh.store.sync_step(nowhere).await.expect("an answer");
    assert_eq!(done, SyncDone::AccountUnknown);
    let unknown = carry_out(fresh, SyncStep::Cancel(Uuid::nil()), 12).await;
    assert_eq!(unknown, SyncDone::SyncUnknown);
    carry_out(fresh, SyncStep::Cancel(Uuid::from_u128(1)), 13).await;
    let by_itself = SyncAsk { automatic: true, ..ask(6, Some(SyncKind::History)) };
    assert_eq!(asks(by_itself, 14).await, SyncDone::Nothing, "somebody cancelled it");
    assert_eq!(id(asks(ask(7, None), 15).await), Uuid::from_u128(7).to_string());
}

pub async fn a_pause_is_told_once_and_ends_by_itself(fresh: &Fresh) {
    fresh.take(ACCOUNT, vec![received(incoming("m1", "c1", "Hi", 1))], 2).await;
    let run = Run::new(fresh, ask(1, None), 10).await;
    let wait = Duration::from_mins(1);
    let pause = |taken| SyncStep::Pause(run.id, taken, "UPSTREAM_UNAVAILABLE", wait);
    let paused = stands(fresh, pause(run.taken), 11).await;
    assert_eq!(paused.state, SyncState::Paused as i32);
    assert_eq!(paused.reason.as_deref(), Some("UPSTREAM_UNAVAILABLE"));
    assert!(fresh.store.syncs_due(at(70), &[], 10).await.expect("an answer").is_empty());
    assert_eq!(fresh.store.syncs_due(at(71), &[], 10).await.expect("an answer").len(), 1);
    // Somebody asks for it meanwhile: it goes on at once.
    stands(fresh, SyncStep::Ask(Box::new(ask(2, None))), 20).await;
    let taken = stands(fresh, SyncStep::Take(run.id, LEASE), 20).await;
    assert_eq!((taken.state, taken.reason), (SyncState::Running as i32, None));
    assert_eq!(taken.tries, 1, "it counts until something was read");
}
