//! What is done to messages and chats, and what is left to be asked of UniPile.

use super::Fresh;
use super::facts::{at, edited, incoming, outgoing, received, status};
use super::sends::{ACCOUNT, Desk};
use crate::outbox::{ActEnd, Acting, ChatNews, Command, Done, DueWork, Refused};
use crate::rows::WorkKind;
use channel_domain::fact::{ChatClaim, Edited, Fact, UpstreamStatus};
use channel_domain::ids::MessageId;
use channel_domain::send::{Act, Attempt, Refusal};
use uuid::Uuid;

pub(super) fn acting(number: u128, act: Act) -> Command {
    let id = Uuid::from_u128(number);
    Command::Act(Acting { id, act, hash: [1; 32], expires_at: at(1000) })
}

fn refused() -> ActEnd {
    let (reason, detail) = ("NO_EFFECT".to_owned(), String::new());
    ActEnd::Refused(Refusal { reason, detail, attempt: Attempt::Never })
}

/// The newest own message of `c1`.
async fn own(fresh: &Fresh) -> (MessageId, crate::record::MessageRecord) {
    let messages = fresh.messages(ACCOUNT, "c1").await;
    let message = messages.into_iter().find(|it| it.outgoing).expect("an own message");
    (MessageId(message.id.parse().expect("an id")), message)
}

async fn begin(desk: &Desk<'_>, number: u128, second: i64) -> bool {
    let begun = desk.command(Command::BeginAct(Uuid::from_u128(number)), second).await;
    matches!(begun, Done::ActBegun(_))
}

async fn end(desk: &Desk<'_>, number: u128, end: ActEnd, second: i64) {
    let id = Uuid::from_u128(number);
    desk.command(Command::EndAct { id, end, jitter: 0.5 }, second).await;
}

pub async fn what_is_done_is_shown_at_once_and_undone_when_it_did_not_take(fresh: &Fresh) {
    let desk = Desk::new(fresh).await;
    desk.take(received(outgoing("m1", "c1", "As it was", 2)), 3).await;
    let (message, _) = own(fresh).await;
    let edit = Act::Edit { message, text: "Changed".into() };
    for second in [10, 11] {
        let shown = desk.command(acting(1, edit.clone()), second).await;
        assert!(matches!(shown, Done::Shown(_)), "{shown:?}");
    }
    assert_eq!(own(fresh).await.1.text.as_deref(), Some("Changed"));
    assert_eq!(fresh.found(ACCOUNT, "changed").await, ["Changed"]);
    let react = Act::React { message, emoji: "👍".into() };
    desk.command(acting(2, react), 12).await;
    let given: Vec<_> = own(fresh).await.1.reactions;
    assert_eq!(given.len(), 1);
    assert!(given[0].is_self);
    // One after the other, in order, and again when whoever did it is gone.
    let due = fresh.store.due_acts(&[], 9).await.expect("an answer");
    assert_eq!(due.iter().map(|due| due.id.as_u128()).collect::<Vec<_>>(), [1]);
    assert!(begin(&desk, 1, 13).await && !begin(&desk, 1, 14).await && begin(&desk, 1, 100).await);
    end(&desk, 1, refused(), 101).await;
    let (_, undone) = own(fresh).await;
    assert_eq!((undone.text.as_deref(), undone.edited_at), (Some("As it was"), None));
    assert!(fresh.found(ACCOUNT, "changed").await.is_empty());
    assert!(begin(&desk, 2, 102).await);
    end(&desk, 2, refused(), 103).await;
    assert!(own(fresh).await.1.reactions.is_empty());
    assert!(fresh.store.due_acts(&[], 9).await.expect("an answer").is_empty());
    desk.the_log_tells_the_tables().await;
}

pub async fn what_is_newer_than_an_action_is_not_undone_with_it(fresh: &Fresh) {
    let desk = Desk::new(fresh).await;
    desk.take(received(outgoing("m1", "c1", "First", 2)), 3).await;
    let (message, _) = own(fresh).await;
    desk.command(acting(1, Act::Edit { message, text: "Mine".into() }), 10).await;
    desk.take(edited("m1", "Typed on the phone"), 11).await;
    assert!(begin(&desk, 1, 12).await);
    end(&desk, 1, refused(), 13).await;
    assert_eq!(own(fresh).await.1.text.as_deref(), Some("Typed on the phone"));
    desk.command(acting(2, Act::Delete { message }), 14).await;
    assert!(own(fresh).await.1.deleted_at.is_some());
    assert!(begin(&desk, 2, 15).await);
    end(&desk, 2, ActEnd::Applied, 16).await;
    assert!(own(fresh).await.1.deleted_at.is_some());
    // Not everything can be done to every message.
    let late = desk.command(acting(3, Act::Edit { message, text: "x".into() }), 17).await;
    assert!(matches!(late, Done::Refused(Refused::MessageDeleted)), "{late:?}");
    let foreign = fresh.messages(ACCOUNT, "c2").await.remove(0);
    let message = MessageId(foreign.id.parse().expect("an id"));
    let foreign = desk.command(acting(4, Act::Delete { message }), 18).await;
    assert!(matches!(foreign, Done::Refused(Refused::MessageNotOwn)), "{foreign:?}");
    // Whoever has answered since has read.
    desk.take(received(incoming("m2", "c1", "And now?", 20)), 21).await;
    desk.command(acting(5, Act::Read { chat: "c1".into(), on: true }), 22).await;
    desk.take(received(outgoing("m3", "c1", "Yes", 23)), 24).await;
    assert!(begin(&desk, 5, 25).await);
    end(&desk, 5, refused(), 26).await;
    assert_eq!(fresh.chat(ACCOUNT, "c1").await.unread, 0);
    desk.the_log_tells_the_tables().await;
}

pub async fn a_chat_can_be_named_labelled_and_changed(fresh: &Fresh) {
    let desk = Desk::new(fresh).await;
    let chat = || channel_domain::ChatId::from("c1");
    let (name, labels) = (Some("The one".into()), Some(vec!["b".into(), "a".into(), "b".into()]));
    desk.command(Command::Describe { chat: chat(), name, labels }, 5).await;
    let record = fresh.chat(ACCOUNT, "c1").await;
    assert_eq!((record.title.as_str(), record.labels), ("The one", vec!["a".into(), "b".into()]));
    let acts = [
        Act::Archive { chat: chat(), on: true },
        Act::Mute { chat: chat(), on: true },
        Act::Pin { chat: chat(), on: true },
        Act::Read { chat: chat(), on: true },
    ];
    for (number, act) in (1..).zip(acts) {
        desk.command(acting(number, act), 6).await;
    }
    let record = fresh.chat(ACCOUNT, "c1").await;
    assert!(record.archived && record.pinned && record.muted_until.is_some() && record.unread == 0);
    for number in 1..=4 {
        assert!(begin(&desk, number, 7).await);
        end(&desk, number, refused(), 8).await;
    }
    let record = fresh.chat(ACCOUNT, "c1").await;
    assert!(!record.archived && !record.pinned && record.muted_until.is_none());
    assert_eq!(record.unread, 1, "nobody was told that it was read");
    // What UniPile says of it counts too.
    let claim = ChatClaim {
        id: chat(),
        provider_id: None,
        is_group: Some(false),
        subject: None,
        pinned: None,
    };
    let news = ChatNews {
        claim,
        active_at: None,
        archived: Some(true),
        muted_until: None,
        read_only: Some(true),
    };
    desk.command(Command::LearnChat(Box::new(news)), 9).await;
    let record = fresh.chat(ACCOUNT, "c1").await;
    assert!(record.archived && record.read_only);
    let closed = desk.submit(9, "c1", "Hello?", 10).await;
    assert!(matches!(closed, Done::Refused(Refused::ChatReadOnly)), "{closed:?}");
    desk.the_log_tells_the_tables().await;
}

pub(super) async fn asked(fresh: &Fresh, kind: WorkKind) -> Vec<DueWork> {
    let mut due = fresh.store.due_work(&[], 100).await.expect("an answer");
    due.retain(|due| due.kind == kind);
    due
}

pub async fn what_is_asked_for_again_while_it_is_being_asked_is_not_forgotten(fresh: &Fresh) {
    let desk = Desk::new(fresh).await;
    desk.take(received(incoming("m1", "c1", "Hi", 2)), 3).await;
    let changed = || Fact::Edited(Edited { message: "m1".into(), text: None });
    desk.take(changed(), 4).await;
    let first = asked(fresh, WorkKind::RefreshMessage).await.remove(0);
    assert_eq!((first.subject.as_str(), first.attempts), ("m1", 0));
    let later = channel_domain::Micros(first.at.0 + 60_000_000);
    let put_off = async |work: &DueWork| fresh.store.put_off(work, later).await.ok();
    assert_eq!(put_off(&first).await, Some(true));
    assert_eq!(put_off(&first).await, Some(false), "somebody else is at it");
    // The message changes once more meanwhile.
    desk.take(changed(), 5).await;
    fresh.store.work_done(&first).await.expect("it is written");
    let second = asked(fresh, WorkKind::RefreshMessage).await.remove(0);
    assert_ne!(second.asked_at, first.asked_at);
    fresh.store.work_done(&second).await.expect("it is written");
    assert!(asked(fresh, WorkKind::RefreshMessage).await.is_empty());
    // An answer asks for nothing itself.
    desk.take(status(UpstreamStatus::Ok), 6).await;
    let account = asked(fresh, WorkKind::RefreshAccount).await.remove(0);
    fresh.store.work_done(&account).await.expect("it is written");
    desk.command(Command::Learn(vec![status(UpstreamStatus::Credentials)]), 7).await;
    assert!(asked(fresh, WorkKind::RefreshAccount).await.is_empty());
    let connection = fresh.account(ACCOUNT).await.record.connection;
    assert_eq!(connection, channel_domain::account::Connection::Credentials as i32);
}
