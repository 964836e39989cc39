//! What the outbox promises.

use super::Fresh;
use super::facts::{at, deleted, incoming, outgoing, read, received};
use super::log::audit;
use crate::log::{Entity, Op};
use crate::outbox::{Command, Done, Due, Refused, Rules, SlowDown, Submit, To};
use crate::record::{ChatRecord, MessageRecord, Record, State};
use channel_domain::fact::{Fact, UpstreamStatus};
use channel_domain::ids::MessageId;
use channel_domain::message::Status;
use channel_domain::send::{Attempt, Limits, Pace, Phase, Refusal, Request, Verdict};
use std::collections::BTreeMap;
use std::time::Duration;
use uuid::Uuid;

pub(super) const ACCOUNT: &str = "acc";

fn rules() -> Rules {
    let pace = Pace { interval: Duration::ZERO, new_chats_a_day: 4, ..Pace::default() };
    Rules { pace, limits: Limits::default(), most_waiting: 3, edit_window: Duration::from_mins(15) }
}

pub(super) fn id(number: u128) -> MessageId {
    MessageId(Uuid::from_u128(number))
}

pub(super) fn submit(number: u128, chat: &str, text: &str) -> Submit {
    Submit {
        message: id(number),
        to: To::Chat(chat.into()),
        request: Request::Message {
            text: Some(text.into()),
            files: vec![],
            quote: None,
            typing_ms: None,
        },
        hash: [u8::try_from(text.len()).unwrap_or(0); 32],
        expires_at: at(86_400),
        instead_of: None,
    }
}

fn accepted(message: &str) -> Verdict {
    Verdict::Accepted { message: Some(message.into()), chat: None }
}

pub(super) fn lost() -> Verdict {
    Verdict::Unknown { reason: "timeout".into() }
}

pub(super) fn refused() -> Verdict {
    Verdict::Refused(Refusal {
        reason: "invalid_recipient".into(),
        detail: "This person cannot be reached on WhatsApp.".into(),
        attempt: Attempt::Never,
    })
}

/// The outbox of one account with two chats, `c1` and `c2`.
pub(super) struct Desk<'f>(&'f Fresh);

impl<'f> Desk<'f> {
    pub(super) async fn new(fresh: &'f Fresh) -> Self {
        let first = |chat: &str| received(incoming(&format!("first-{chat}"), chat, "Hi", 0));
        fresh.take(ACCOUNT, vec![first("c1"), first("c2")], 1).await;
        Self(fresh)
    }

    pub(super) async fn chats(&self) -> Vec<ChatRecord> {
        self.0.chats(ACCOUNT).await
    }

    pub(super) async fn command(&self, command: Command, second: i64) -> Done {
        let account = ACCOUNT.into();
        let done = self.0.store.command(&account, command, &rules(), at(second), None).await;
        done.expect("the command is carried out")
    }

    pub(super) async fn submit(&self, number: u128, chat: &str, text: &str, second: i64) -> Done {
        self.command(Command::Submit(submit(number, chat, text)), second).await
    }

    /// Begins a request; returns its number.
    pub(super) async fn begin(&self, number: u128, second: i64) -> u32 {
        match self.command(Command::Begin(id(number)), second).await {
            Done::Begun(begun) => begun.job.attempts,
            other => panic!("the request does not begin: {other:?}"),
        }
    }

    pub(super) async fn finish(&self, number: u128, attempt: u32, verdict: Verdict, second: i64) {
        let message = id(number);
        let finish = Command::Finish { message, attempt, verdict, slow_down: None, jitter: 0.5 };
        self.command(finish, second).await;
    }

    pub(super) async fn take(&self, fact: Fact, second: i64) {
        self.0.take(ACCOUNT, vec![fact], second).await;
    }

    /// The own messages of a chat, newest first.
    pub(super) async fn sent(&self, chat: &str) -> Vec<MessageRecord> {
        let mut messages = self.0.messages(ACCOUNT, chat).await;
        messages.retain(|message| message.outgoing);
        messages
    }

    pub(super) async fn message(&self, number: u128) -> MessageRecord {
        let key = self.0.account(ACCOUNT).await.key;
        let message = self.0.store.message(key, &id(number)).await.expect("an answer");
        message.expect("the message")
    }

    pub(super) async fn phase(&self, number: u128) -> Phase {
        let key = self.0.account(ACCOUNT).await.key;
        let sending = self.0.store.sending(key, &id(number)).await.expect("an answer");
        let phase = sending.map_or(0, |send| send.phase);
        assert_eq!(self.message(number).await.send_phase, phase, "message and outbox agree");
        Phase::from_number(i16::try_from(phase).unwrap_or(0)).expect("a phase")
    }

    pub(super) async fn due(&self, second: i64) -> Vec<Due> {
        let mut due = self.0.store.due(at(second), &[], 100).await.expect("an answer");
        due.retain(|due| due.at <= at(second));
        due
    }

    /// Whoever follows the log ends with what the tables hold.
    pub(super) async fn the_log_tells_the_tables(&self) {
        let mut states: BTreeMap<(i16, String), State> = BTreeMap::new();
        for row in audit(self.0, ACCOUNT).await {
            let key = (row.entity as i16, row.entity_id.clone());
            match (row.op, row.body.as_deref().and_then(Record::from_body)) {
                (Op::Put, Some(state)) => drop(states.insert(key, state)),
                (Op::Merge, Some(_)) => drop(states.remove(&key)),
                other => panic!("unexpected change: {other:?}"),
            }
        }
        for chat in self.0.chats(ACCOUNT).await {
            for message in self.0.messages(ACCOUNT, &chat.id).await {
                let told = states.remove(&(Entity::Message as i16, message.id.clone()));
                assert_eq!(told, Some(State::Message(message)));
            }
            let told = states.remove(&(Entity::Chat as i16, chat.id.clone()));
            assert_eq!(told, Some(State::Chat(chat)));
        }
        let shown = [Entity::Message as i16, Entity::Chat as i16];
        states.retain(|(kind, _), _| shown.contains(kind));
        assert!(states.is_empty(), "told, and not there: {states:?}");
    }
}

pub async fn a_message_is_pending_at_once_and_then_climbs(fresh: &Fresh) {
    let desk = Desk::new(fresh).await;
    let Done::Sent(written) = desk.submit(1, "c1", "Hello", 10).await else {
        panic!("it is not accepted");
    };
    let pending = (i32::from(Status::Pending.rank()), Phase::Queued as i32);
    assert_eq!((written.message.status, written.message.send_phase), pending);
    assert_eq!(desk.sent("c1").await, [written.message]);
    let chat = fresh.chat(ACCOUNT, "c1").await;
    assert_eq!(chat.last.map(|last| last.preview), Some("Hello".into()));
    assert_eq!(chat.unread, 0, "whoever answers has read");
    assert_eq!(fresh.found(ACCOUNT, "hello").await, ["Hello"]);

    let attempt = desk.begin(1, 11).await;
    assert_eq!(desk.phase(1).await, Phase::Sending);
    desk.finish(1, attempt, accepted("up1"), 12).await;
    assert_eq!(desk.phase(1).await, Phase::Sent);
    // Its echo comes with the provider's time, then the receipt.
    desk.take(received(outgoing("up1", "c1", "Hello", 13)), 14).await;
    desk.take(read("up1"), 15).await;
    let message = desk.message(1).await;
    assert_eq!((message.sent_at, message.provider_id.as_deref()), (at(13).0, Some("3Aup1")));
    assert_eq!(message.status, i32::from(Status::Read.rank()));
    assert_eq!(desk.sent("c1").await, [message]);
    assert_eq!(fresh.found(ACCOUNT, "hello").await, ["Hello"], "once, at its new place");
    desk.the_log_tells_the_tables().await;
}

pub async fn a_command_may_be_repeated_and_its_id_not_be_reused(fresh: &Fresh) {
    let desk = Desk::new(fresh).await;
    let first = desk.submit(1, "c1", "Hello", 10).await;
    let again = desk.submit(1, "c1", "Hello", 20).await;
    let (Done::Sent(first), Done::Sent(again)) = (first, again) else { panic!("not accepted") };
    assert_eq!(first.message, again.message);
    let other = desk.submit(1, "c1", "Something else", 21).await;
    assert!(matches!(other, Done::Refused(Refused::IdReused)), "{other:?}");
    let nowhere = desk.submit(2, "nowhere", "Hello", 22).await;
    assert!(matches!(nowhere, Done::Refused(Refused::ChatUnknown)), "{nowhere:?}");
    desk.submit(3, "c1", "Two", 23).await;
    desk.submit(4, "c1", "Three", 23).await;
    let full = desk.submit(5, "c1", "Four", 24).await;
    assert!(matches!(full, Done::Refused(Refused::Full(_))), "{full:?}");
    assert_eq!(desk.sent("c1").await.len(), 3);
    desk.the_log_tells_the_tables().await;
}

pub async fn messages_of_a_chat_leave_in_order_and_chats_do_not_wait_for_each_other(fresh: &Fresh) {
    let desk = Desk::new(fresh).await;
    desk.submit(1, "c1", "One", 10).await;
    desk.submit(2, "c1", "Two", 10).await;
    desk.submit(3, "c2", "Other", 10).await;
    let heads = |due: Vec<Due>| {
        let mut ids: Vec<_> = due.into_iter().map(|due| due.message.0.as_u128()).collect();
        ids.sort_unstable();
        ids
    };
    assert_eq!(heads(desk.due(10).await), [1, 3]);
    let attempt = desk.begin(1, 11).await;
    let standing = fresh.store.standing().await.expect("an answer");
    assert_eq!((standing.queued, standing.sending), (2, 1));
    assert_eq!(heads(desk.due(12).await), [3], "the second waits for the first");
    // A refusal with hope keeps the order too.
    let busy = Refusal {
        reason: "busy".into(),
        detail: "Busy.".into(),
        attempt: Attempt::Later { wait: Some(Duration::from_secs(5)) },
    };
    desk.finish(1, attempt, Verdict::Refused(busy), 12).await;
    assert_eq!(heads(desk.due(13).await), [3]);
    assert_eq!(heads(desk.due(17).await), [1, 3]);
    let attempt = desk.begin(1, 17).await;
    desk.finish(1, attempt, accepted("up1"), 18).await;
    assert_eq!(heads(desk.due(18).await), [2, 3]);
    // An account that is away sends nothing; what it holds still expires.
    fresh.take(ACCOUNT, vec![super::facts::status(UpstreamStatus::Credentials)], 19).await;
    assert_eq!(heads(desk.due(20).await), [0; 0]);
    assert_eq!(heads(desk.due(86_400).await), [2, 3]);
    desk.command(Command::Begin(id(2)), 86_400).await;
    assert_eq!(desk.phase(2).await, Phase::Expired);
    let failure = desk.message(2).await.failure.map(|failure| failure.reason);
    assert_eq!(failure.as_deref(), Some("EXPIRED"));
    desk.the_log_tells_the_tables().await;
}

pub async fn an_echo_that_comes_before_the_answer_is_held_until_the_answer(fresh: &Fresh) {
    let desk = Desk::new(fresh).await;
    desk.submit(1, "c1", "Hello", 10).await;
    let attempt = desk.begin(1, 11).await;
    // In the same second the owner types the same words on the phone; the receipt comes early too.
    desk.take(received(outgoing("phone", "c1", "Hello", 12)), 12).await;
    desk.take(received(outgoing("up1", "c1", "Hello", 12)), 12).await;
    desk.take(read("up1"), 13).await;
    assert_eq!(desk.sent("c1").await.len(), 1, "nothing is shown twice");
    desk.finish(1, attempt, accepted("up1"), 14).await;
    let mut upstream: Vec<_> =
        desk.sent("c1").await.into_iter().map(|sent| sent.upstream_id).collect();
    upstream.sort();
    assert_eq!(upstream, [Some("phone".into()), Some("up1".into())]);
    let message = desk.message(1).await;
    assert_eq!(message.upstream_id.as_deref(), Some("up1"));
    assert_eq!(message.status, i32::from(Status::Read.rank()));
    // And once more, late.
    desk.take(received(outgoing("up1", "c1", "Hello", 12)), 90).await;
    assert_eq!(desk.sent("c1").await.len(), 2);
    desk.the_log_tells_the_tables().await;
}

pub async fn an_uncertain_message_is_settled_by_its_echo_and_never_sent_again(fresh: &Fresh) {
    let desk = Desk::new(fresh).await;
    desk.submit(1, "c1", "Hello", 10).await;
    desk.submit(2, "c1", "Next", 10).await;
    let attempt = desk.begin(1, 11).await;
    desk.take(received(outgoing("up1", "c1", "Hello", 12)), 12).await;
    desk.finish(1, attempt, lost(), 13).await;
    assert_eq!(desk.phase(1).await, Phase::Sent, "its echo was there already");
    let attempt = desk.begin(2, 14).await;
    desk.finish(2, attempt, lost(), 15).await;
    assert_eq!(desk.phase(2).await, Phase::Uncertain);
    let again = desk.command(Command::Begin(id(2)), 1000).await;
    assert!(matches!(again, Done::Nothing), "{again:?}");
    // Somebody else's words are not it, and neither is an old message with the same ones.
    desk.take(received(outgoing("p1", "c1", "Other words", 16)), 16).await;
    desk.take(received(outgoing("p2", "c1", "Next", -500)), 16).await;
    assert_eq!(desk.phase(2).await, Phase::Uncertain);
    desk.take(received(outgoing("up2", "c1", " Next\n", 16)), 17).await;
    assert_eq!(desk.phase(2).await, Phase::Sent);
    assert_eq!(desk.message(2).await.upstream_id.as_deref(), Some("up2"));
    desk.the_log_tells_the_tables().await;
}

pub async fn a_message_that_cannot_be_confirmed_is_left_to_a_person(fresh: &Fresh) {
    let desk = Desk::new(fresh).await;
    desk.submit(1, "c1", "Hello", 10).await;
    desk.begin(1, 11).await;
    // Whoever sent it is gone: the lease ends, and nobody sends it again.
    let early = desk.command(Command::Abandon(id(1)), 30).await;
    assert!(matches!(early, Done::Nothing), "{early:?}");
    assert_eq!(desk.phase(1).await, Phase::Sending);
    desk.command(Command::Abandon(id(1)), 71).await;
    assert_eq!(desk.phase(1).await, Phase::Uncertain);
    for second in [80, 90, 100] {
        desk.command(Command::Looked(id(1)), second).await;
    }
    assert_eq!(desk.phase(1).await, Phase::Unconfirmed);
    let standing = fresh.store.standing().await.expect("an answer");
    assert_eq!((standing.uncertain, standing.unconfirmed), (0, 1));
    // A late answer still tells the truth.
    let mut again = submit(2, "c1", "Hello");
    again.instead_of = Some(id(1));
    desk.command(Command::Submit(again), 110).await;
    assert_eq!(desk.phase(1).await, Phase::Failed);
    assert_eq!(desk.message(1).await.failure.map(|f| f.reason).as_deref(), Some("RESENT"));
    assert_eq!(desk.phase(2).await, Phase::Queued);
    desk.finish(1, 1, accepted("up1"), 120).await;
    assert_eq!(desk.phase(1).await, Phase::Sent);
    let discard = Command::Discard { message: id(1), reason: "DISCARDED" };
    let too_late = desk.command(discard, 121).await;
    assert!(matches!(too_late, Done::Refused(Refused::NotResolvable)), "{too_late:?}");
    desk.the_log_tells_the_tables().await;
}

pub async fn a_refused_message_that_turns_up_was_sent(fresh: &Fresh) {
    let desk = Desk::new(fresh).await;
    desk.submit(1, "c1", "Hello", 10).await;
    let attempt = desk.begin(1, 11).await;
    desk.finish(1, attempt, refused(), 12).await;
    let failed = desk.message(1).await;
    assert_eq!(failed.failure.map(|f| f.reason).as_deref(), Some("invalid_recipient"));
    assert_eq!(desk.phase(1).await, Phase::Failed);
    desk.take(received(outgoing("up1", "c1", "Hello", 13)), 14).await;
    assert_eq!(desk.phase(1).await, Phase::Sent);
    assert_eq!(desk.message(1).await.failure, None);
    desk.the_log_tells_the_tables().await;
}

pub async fn a_message_that_was_stored_as_another_one_becomes_one_again(fresh: &Fresh) {
    let desk = Desk::new(fresh).await;
    desk.submit(1, "c1", "Hello", 10).await;
    let attempt = desk.begin(1, 11).await;
    // UniPile altered the words: nothing tells yet that it is the same message.
    desk.take(received(outgoing("up1", "c1", "Hello!", 12)), 12).await;
    desk.take(read("up1"), 13).await;
    let shown = desk.sent("c1").await;
    assert_eq!(shown.len(), 2);
    desk.finish(1, attempt, accepted("up1"), 14).await;
    let message = desk.message(1).await;
    assert_eq!(desk.sent("c1").await, std::slice::from_ref(&message));
    assert_eq!(message.text.as_deref(), Some("Hello!"));
    assert_eq!(message.status, i32::from(Status::Read.rank()));
    assert_eq!(fresh.found(ACCOUNT, "hello").await, ["Hello!"]);
    let last = fresh.chat(ACCOUNT, "c1").await.last.expect("a last message");
    assert_eq!((last.id, last.preview), (message.id, "Hello!".into()));
    let merged: Vec<_> = audit(fresh, ACCOUNT).await;
    assert_eq!(merged.iter().filter(|row| row.op == Op::Merge).count(), 1);
    desk.take(deleted("up1"), 15).await;
    assert!(desk.message(1).await.deleted_at.is_some());
    desk.the_log_tells_the_tables().await;
}

pub async fn a_message_can_be_cancelled_until_it_leaves(fresh: &Fresh) {
    let desk = Desk::new(fresh).await;
    desk.submit(1, "c1", "Hello", 10).await;
    desk.submit(2, "c1", "Next", 10).await;
    desk.begin(1, 11).await;
    let under_way = desk.command(Command::Cancel(id(1)), 12).await;
    assert!(matches!(under_way, Done::Refused(Refused::NotQueued)), "{under_way:?}");
    for second in [12, 13] {
        let cancelled = desk.command(Command::Cancel(id(2)), second).await;
        let Done::Sent(written) = cancelled else { panic!("{cancelled:?}") };
        assert_eq!(written.send.phase, Phase::Cancelled as i32);
    }
    let none = desk.command(Command::Begin(id(2)), 14).await;
    assert!(matches!(none, Done::Nothing), "{none:?}");
    // A renewed request is not taken for abandoned.
    desk.command(Command::Renew(id(1), 1), 60).await;
    desk.command(Command::Abandon(id(1)), 75).await;
    assert_eq!(desk.phase(1).await, Phase::Sending);
    desk.the_log_tells_the_tables().await;
}

pub async fn an_account_sends_at_its_pace_whoever_asks(fresh: &Fresh) {
    let desk = Desk::new(fresh).await;
    desk.submit(1, "c1", "One", 10).await;
    desk.submit(2, "c2", "Two", 10).await;
    let pace = Pace { interval: Duration::from_secs(20), burst: 1, ..Pace::default() };
    let slow = Rules { pace, ..rules() };
    let begin = |number, second| {
        let account = ACCOUNT.into();
        async move {
            let begin = Command::Begin(id(number));
            fresh.store.command(&account, begin, &slow, at(second), None).await
        }
    };
    assert!(matches!(begin(1, 11).await, Ok(Done::Begun(_))));
    match begin(2, 12).await {
        Ok(Done::NotBefore(until)) => assert_eq!(until, at(31)),
        other => panic!("{other:?}"),
    }
    let too_many = Command::Finish {
        message: id(1),
        attempt: 1,
        verdict: Verdict::Refused(Refusal {
            reason: "too_many_requests".into(),
            detail: "Slow down.".into(),
            attempt: Attempt::Whenever { wait: None },
        }),
        slow_down: Some(SlowDown { at_least: Some(Duration::from_mins(1)) }),
        jitter: 0.5,
    };
    desk.command(too_many, 13).await;
    match begin(2, 31).await {
        Ok(Done::NotBefore(until)) => assert_eq!(until, at(73)),
        other => panic!("{other:?}"),
    }
    assert!(matches!(begin(2, 73).await, Ok(Done::Begun(_))));
}
