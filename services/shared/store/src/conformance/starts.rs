//! What is promised of chats that are started from here.

use super::Fresh;
use super::acts::{acting, asked};
use super::facts::{at, incoming, outgoing, person, received, status};
use super::sends::{ACCOUNT, Desk, id, lost, refused, submit};
use crate::outbox::{Command, Done, Refused, Submit, To, Written};
use crate::rows::WorkKind;
use channel_domain::fact::{Person, Received, UpstreamStatus};
use channel_domain::ids::ChatId;
use channel_domain::send::{Act, Attempt, Phase, Recipient, Refusal, Request, Verdict};

const ANA: &str = "+15550100002";
const BEN: &str = "+15550100003";
const CLEO: &str = "+15550100004";

fn to(phones: &[&str], subject: Option<&str>, number: u128) -> To {
    To::People {
        recipients: phones.iter().map(|phone| Recipient::Phone((*phone).into())).collect(),
        subject: subject.map(Into::into),
        provisional: local(number),
    }
}

fn local(number: u128) -> ChatId {
    ChatId::new(format!("local:{}", id(number).0))
}

fn started(message: Option<&str>, chat: Option<&str>) -> Verdict {
    Verdict::Accepted { message: message.map(Into::into), chat: chat.map(Into::into) }
}

/// An own message to Ben, typed on the phone or sent from here.
fn to_ben(message: &str, chat: &str, text: &str, second: i64) -> Received {
    let ben = person("Ben", &BEN[1..]);
    Received { attendees: vec![ben], ..outgoing(message, chat, text, second) }
}

impl Desk<'_> {
    async fn start(&self, number: u128, phones: &[&str], text: &str, second: i64) -> Done {
        let subject = (phones.len() > 1).then_some("Harbour");
        let submit = Submit { to: to(phones, subject, number), ..submit(number, "", text) };
        self.command(Command::Submit(submit), second).await
    }

    async fn started(&self, number: u128, phones: &[&str], text: &str, second: i64) -> Written {
        match self.start(number, phones, text, second).await {
            Done::Sent(written) => *written,
            other => panic!("the chat is not started: {other:?}"),
        }
    }

    async fn chat_ids(&self) -> Vec<String> {
        let mut ids: Vec<_> = self.chats().await.into_iter().map(|chat| chat.id).collect();
        ids.sort();
        ids
    }
}

pub async fn a_chat_that_is_started_is_here_at_once_and_gets_its_name_with_the_answer(
    fresh: &Fresh,
) {
    let desk = Desk::new(fresh).await;
    let written = desk.started(1, &[BEN], "Hello Ben", 10).await;
    let chat = written.chat.expect("the chat");
    assert_eq!((chat.id.as_str(), chat.title.as_str()), (local(1).as_str(), "+1 555 010 0003"));
    assert!(matches!(&written.request, Request::Start { people, .. }
        if people == &["15550100003@s.whatsapp.net"]));
    let again = desk.started(1, &[BEN], "Hello Ben", 11).await;
    assert_eq!(again.message, written.message);

    let attempt = desk.begin(1, 12).await;
    desk.finish(1, attempt, started(Some("up1"), Some("c9")), 13).await;
    assert_eq!(desk.phase(1).await, Phase::Sent);
    assert_eq!(desk.chat_ids().await, ["c1", "c2", "c9"]);
    assert_eq!(desk.message(1).await.chat, "c9");
    // Its echo tells who the other one is; nothing is there twice.
    desk.take(received(to_ben("up1", "c9", "Hello Ben", 13)), 14).await;
    assert_eq!(desk.sent("c9").await.len(), 1);
    assert_eq!(fresh.chat(ACCOUNT, "c9").await.title, "Ben");
    // Whoever remembers the former id finds it.
    assert_eq!(fresh.chat(ACCOUNT, local(1).as_str()).await.id, "c9");
    assert_eq!(desk.sent(local(1).as_str()).await, desk.sent("c9").await);
    desk.submit(2, local(1).as_str(), "More", 20).await;
    assert_eq!(desk.message(2).await.chat, "c9");
    desk.the_log_tells_the_tables().await;
}

pub async fn whoever_has_a_chat_is_written_to_there(fresh: &Fresh) {
    let desk = Desk::new(fresh).await;
    // Ana wrote in c1 and c2; of two chats the latest counts.
    desk.take(received(incoming("m9", "c1", "Later", 5)), 6).await;
    let by_phone = desk.started(1, &[ANA], "Hi", 10).await;
    assert_eq!(by_phone.message.chat, "c1");
    assert!(matches!(by_phone.request, Request::Message { .. }));
    let recipients = vec![Recipient::Attendee("att-15550100002".into())];
    let to = To::People { recipients, subject: None, provisional: local(2) };
    let by_id = Submit { to, ..submit(2, "", "Hi again") };
    let Done::Sent(by_id) = desk.command(Command::Submit(by_id), 11).await else {
        panic!("it is not taken");
    };
    assert_eq!(by_id.message.chat, "c1");
    assert_eq!(desk.chat_ids().await, ["c1", "c2"]);
    desk.the_log_tells_the_tables().await;
}

pub async fn an_echo_of_a_new_chat_that_comes_before_the_answer_waits_for_it(fresh: &Fresh) {
    let desk = Desk::new(fresh).await;
    desk.started(1, &[BEN], "Hello", 10).await;
    let attempt = desk.begin(1, 11).await;
    desk.take(received(to_ben("up1", "c9", "Hello", 12)), 13).await;
    assert_eq!(desk.chat_ids().await, ["c1", "c2", local(1).as_str()], "no second chat appears");
    desk.finish(1, attempt, started(Some("up1"), Some("c9")), 14).await;
    assert_eq!(desk.chat_ids().await, ["c1", "c2", "c9"]);
    let sent = desk.sent("c9").await;
    assert_eq!((sent.len(), sent[0].sent_at), (1, at(12).0));
    desk.the_log_tells_the_tables().await;
}

pub async fn an_answer_without_ids_is_completed_by_the_echo(fresh: &Fresh) {
    let desk = Desk::new(fresh).await;
    let answers =
        [started(Some("up1"), None), started(None, None), started(None, Some("x3")), lost()];
    for (number, answer) in (1_i64..).zip(answers) {
        let (message, chat) = (format!("up{number}"), format!("x{number}"));
        let (id, second) = (u128::from(number.unsigned_abs()), number * 1000);
        let phone = format!("+1555010005{number}");
        desk.started(id, &[&phone], "Hello", second).await;
        let attempt = desk.begin(id, second + 1).await;
        desk.finish(id, attempt, answer, second + 2).await;
        let attendees = vec![person("Somebody", &phone[1..])];
        let echo = Received { attendees, ..outgoing(&message, &chat, "Hello", second + 3) };
        desk.take(received(echo), second + 4).await;
        assert_eq!(
            (desk.phase(id).await, desk.message(id).await.chat),
            (Phase::Sent, chat.clone())
        );
        assert_eq!(desk.sent(&chat).await.len(), 1);
    }
    assert_eq!(desk.chat_ids().await, ["c1", "c2", "x1", "x2", "x3", "x4"]);
    desk.the_log_tells_the_tables().await;
}

pub async fn a_chat_that_turns_up_meanwhile_takes_the_messages_over(fresh: &Fresh) {
    let desk = Desk::new(fresh).await;
    desk.started(1, &[BEN], "Hello", 10).await;
    let name = (Some("Harbour".to_owned()), Some(vec!["vip".to_owned()]));
    let describe = Command::Describe { chat: local(1), name: name.0, labels: name.1 };
    assert!(matches!(desk.command(describe, 10).await, Done::Shown(_)));
    let attempt = desk.begin(1, 11).await;
    // Ben writes before the answer comes.
    let ben = person("Ben", &BEN[1..]);
    let first = Received {
        sender: Some(ben.clone()),
        attendees: vec![ben],
        ..incoming("b1", "c9", "You there?", 12)
    };
    desk.take(received(first), 12).await;
    desk.submit(2, local(1).as_str(), "And more", 12).await;
    desk.finish(1, attempt, started(Some("up1"), Some("c9")), 13).await;
    assert_eq!(desk.chat_ids().await, ["c1", "c2", "c9"]);
    assert_eq!(fresh.messages(ACCOUNT, "c9").await.len(), 3);
    let chat = fresh.chat(ACCOUNT, "c9").await;
    assert_eq!((chat.title.as_str(), &chat.labels[..]), ("Harbour", &["vip".to_owned()][..]));
    assert_eq!(chat.last.map(|last| last.preview), Some("And more".into()));
    assert_eq!(fresh.chat(ACCOUNT, local(1).as_str()).await.id, "c9");
    assert_eq!(desk.due(13).await.len(), 1, "the second message goes on");
    desk.the_log_tells_the_tables().await;
}

pub async fn a_chat_that_was_here_under_a_privacy_id_is_known_by_its_people(fresh: &Fresh) {
    let desk = Desk::new(fresh).await;
    desk.started(1, &[BEN], "Hello", 10).await;
    let attempt = desk.begin(1, 11).await;
    // Ben writes, and does not show his number.
    let full = person("Ben", &BEN[1..]);
    let hidden = Person { phone: None, public_identifier: None, ..full.clone() };
    let first = Received {
        sender: Some(hidden.clone()),
        attendees: vec![hidden],
        ..incoming("b1", "c9", "You there?", 12)
    };
    desk.take(received(first), 12).await;
    desk.finish(1, attempt, lost(), 13).await;
    let learn = |message: &str, other: Person| {
        let mut found = Received { attendees: vec![other], ..outgoing(message, "c9", "Hello", 12) };
        found.chat.provider_id.clone_from(&full.provider_id);
        Command::Learn(vec![received(found)])
    };
    desk.command(learn("up1", person("Cleo", &CLEO[1..])), 14).await;
    assert_eq!(desk.phase(1).await, Phase::Uncertain, "that is somebody else");
    assert_eq!(desk.chat_ids().await, ["c1", "c2", "c9", local(1).as_str()]);
    desk.command(learn("up2", full.clone()), 15).await;
    assert_eq!(desk.phase(1).await, Phase::Sent);
    assert_eq!(desk.chat_ids().await, ["c1", "c2", "c9"]);
    desk.the_log_tells_the_tables().await;
}

pub async fn the_name_of_a_new_chat_is_asked_for_where_only_its_message_was_named(fresh: &Fresh) {
    let desk = Desk::new(fresh).await;
    desk.started(1, &[BEN], "Hello", 10).await;
    let attempt = desk.begin(1, 11).await;
    desk.finish(1, attempt, started(Some("up1"), None), 12).await;
    let due = asked(fresh, WorkKind::RefreshMessage).await;
    assert_eq!(due.iter().map(|due| due.subject.as_str()).collect::<Vec<_>>(), ["up1"]);
    // Its answer tells the chat, which nobody knew.
    let message = Received { attendees: vec![], ..outgoing("up1", "c9", "Hello", 12) };
    desk.command(Command::Learn(vec![received(message)]), 13).await;
    assert_eq!(desk.chat_ids().await, ["c1", "c2", "c9"]);
    assert_eq!((desk.phase(1).await, desk.sent("c9").await.len()), (Phase::Sent, 1));
    desk.the_log_tells_the_tables().await;
}

pub async fn what_follows_into_a_new_chat_waits_for_its_name(fresh: &Fresh) {
    let desk = Desk::new(fresh).await;
    desk.started(1, &[BEN], "Hello", 10).await;
    // Starting it again is writing into it.
    let second = desk.started(2, &[BEN], "Are you there?", 10).await;
    assert_eq!(second.message.chat, local(1).as_str());
    assert!(matches!(second.request, Request::Message { .. }));
    let attempt = desk.begin(1, 11).await;
    desk.finish(1, attempt, started(Some("up1"), None), 12).await;
    assert!(matches!(desk.command(Command::Begin(id(2)), 13).await, Done::Nothing));
    assert!(desk.due(14).await.is_empty(), "nobody asks again and again");
    desk.take(received(to_ben("up1", "c9", "Hello", 12)), 14).await;
    let due = desk.due(14).await;
    assert_eq!((due.len(), due[0].chat.as_str()), (1, "c9"), "the name wakes it");
    desk.begin(2, 15).await;
}

pub async fn a_chat_that_could_not_be_started_is_started_by_the_next_message(fresh: &Fresh) {
    let desk = Desk::new(fresh).await;
    desk.started(1, &[BEN], "Hello", 10).await;
    desk.submit(2, local(1).as_str(), "Behind it", 10).await;
    let attempt = desk.begin(1, 11).await;
    desk.finish(1, attempt, refused(), 12).await;
    assert_eq!(desk.phase(1).await, Phase::Failed);
    assert!(matches!(desk.command(Command::Begin(id(2)), 13).await, Done::Nothing));
    let behind = desk.message(2).await;
    let reason = behind.failure.map(|failure| failure.reason);
    assert_eq!(reason.as_deref(), Some("CHAT_NOT_STARTED"));
    let pinned = desk.command(acting(9, Act::Pin { chat: local(1), on: true }), 14).await;
    assert!(matches!(pinned, Done::Refused(Refused::ChatNotStarted)), "{pinned:?}");

    let resent = Submit { instead_of: Some(id(1)), ..submit(3, local(1).as_str(), "Hello again") };
    let Done::Sent(resent) = desk.command(Command::Submit(resent), 500).await else {
        panic!("it is not taken");
    };
    assert!(matches!(resent.request, Request::Start { .. }));
    let attempt = desk.begin(3, 501).await;
    desk.finish(3, attempt, started(Some("up3"), Some("c9")), 502).await;
    assert_eq!(fresh.messages(ACCOUNT, "c9").await.len(), 3, "the failed ones stay to be seen");
    desk.the_log_tells_the_tables().await;
}

pub async fn a_start_that_is_sent_again_is_not_held_up_by_what_waits_for_it(fresh: &Fresh) {
    let desk = Desk::new(fresh).await;
    desk.started(1, &[BEN], "Hello", 10).await;
    desk.submit(2, local(1).as_str(), "Behind it", 10).await;
    let attempt = desk.begin(1, 11).await;
    desk.finish(1, attempt, refused(), 12).await;
    let resent = Submit { instead_of: Some(id(1)), ..submit(3, local(1).as_str(), "Hello again") };
    desk.command(Command::Submit(resent), 500).await;
    assert!(matches!(desk.command(Command::Begin(id(2)), 500).await, Done::Nothing));
    assert_eq!(desk.phase(2).await, Phase::Failed);
    assert!(desk.due(500).await.iter().any(|due| due.message == id(3)));
    desk.begin(3, 501).await;
}

pub async fn new_chats_are_paced_by_themselves_and_capped(fresh: &Fresh) {
    let desk = Desk::new(fresh).await;
    desk.started(1, &[BEN], "Hello", 10).await;
    let second = desk.started(2, &[CLEO], "Hello", 10).await;
    assert_eq!(second.send.expected_wait, Some(120_000_000), "behind the other new chat");
    let attempt = desk.begin(1, 11).await;
    desk.finish(1, attempt, started(Some("up1"), Some("c8")), 12).await;
    assert!(matches!(desk.command(Command::Begin(id(2)), 12).await, Done::Nothing));
    assert!(desk.due(12).await.is_empty(), "only the new chat waits");
    desk.submit(3, "c1", "An answer", 12).await;
    desk.begin(3, 13).await;
    assert_eq!(desk.due(131).await.iter().filter(|due| due.message == id(2)).count(), 1);
    let attempt = desk.begin(2, 131).await;
    desk.finish(2, attempt, started(Some("up2"), Some("c9")), 132).await;
    // Those that wait count too: two are begun, two wait, and four are a day's.
    for number in [4, 5] {
        desk.started(number, &[&format!("+1555010006{number}")], "Hello", 140).await;
    }
    let more = desk.start(6, &["+15550100009"], "Hello", 140).await;
    let Done::Refused(Refused::NewChatsExhausted(until)) = more else {
        panic!("one chat too many is started: {more:?}");
    };
    assert_eq!(until, at(11 + 86_400));
    assert_eq!(desk.chat_ids().await.len(), 6, "nothing was written");
}

pub async fn an_outage_uses_up_no_new_chat(fresh: &Fresh) {
    let desk = Desk::new(fresh).await;
    desk.started(1, &[BEN], "Hello", 10).await;
    // Four are a day's.
    for second in [11, 1000, 2000, 3000] {
        let attempt = desk.begin(1, second).await;
        let away = Verdict::Refused(Refusal {
            reason: "service_unavailable".into(),
            detail: "UniPile is away.".into(),
            attempt: Attempt::Whenever { wait: None },
        });
        desk.finish(1, attempt, away, second + 1).await;
        assert_eq!(desk.phase(1).await, Phase::Queued);
    }
    desk.started(2, &[CLEO], "Hello", 3002).await;
    let attempt = desk.begin(1, 4000).await;
    desk.finish(1, attempt, started(Some("up1"), Some("c9")), 4001).await;
    assert_eq!(desk.phase(1).await, Phase::Sent);
}

pub async fn a_group_is_known_by_its_people_and_subject(fresh: &Fresh) {
    let desk = Desk::new(fresh).await;
    let written = desk.started(1, &[ANA, BEN, ANA], "Welcome", 10).await;
    assert!(matches!(&written.request, Request::Start { people, subject: Some(subject), .. }
        if people.len() == 2 && subject == "Harbour"));
    assert_eq!(written.chat.map(|chat| chat.title), Some("Harbour".into()));
    let attempt = desk.begin(1, 11).await;
    desk.finish(1, attempt, lost(), 12).await;
    let group = |message: &str, chat: &str, subject: &str| {
        let mut echo = to_ben(message, chat, "Welcome", 12);
        echo.chat.provider_id = Some(format!("{chat}@g.us"));
        (echo.chat.is_group, echo.chat.subject) = (Some(true), Some(subject.into()));
        received(echo)
    };
    desk.take(group("x1", "g8", "Another"), 13).await;
    assert_eq!(desk.phase(1).await, Phase::Uncertain, "that is another group");
    // What UniPile's API answers tells neither subject nor people.
    let bare = |message: &str, chat: &str| {
        let mut echo = to_ben(message, chat, "Welcome", 12);
        (echo.chat.is_group, echo.attendees) = (Some(true), vec![]);
        received(echo)
    };
    desk.take(bare("x9", "g8"), 13).await;
    assert_eq!(desk.phase(1).await, Phase::Uncertain, "that group was here before");
    desk.take(group("x2", "g9", "Harbour"), 14).await;
    assert_eq!(desk.phase(1).await, Phase::Sent);
    assert_eq!(desk.chat_ids().await, ["c1", "c2", "g8", "g9"]);
    let same = desk.start(2, &[ANA, ANA], "Hi", 20).await;
    assert!(matches!(same, Done::Refused(Refused::SamePerson)), "{same:?}");
    desk.the_log_tells_the_tables().await;
}

pub async fn an_account_without_a_connection_takes_nothing_and_forgets_nothing(fresh: &Fresh) {
    let desk = Desk::new(fresh).await;
    desk.submit(1, "c1", "Before", 10).await;
    desk.take(status(UpstreamStatus::Credentials), 11).await;
    for refused in [desk.submit(2, "c1", "After", 12).await, desk.start(3, &[BEN], "Hi", 12).await]
    {
        assert!(matches!(refused, Done::Refused(Refused::AccountDisconnected)), "{refused:?}");
    }
    assert_eq!(desk.chat_ids().await, ["c1", "c2"]);
    assert!(matches!(desk.submit(1, "c1", "Before", 13).await, Done::Sent(_)), "a repetition");
    assert_eq!(desk.phase(1).await, Phase::Queued);
    let unknown = To::People {
        recipients: vec![Recipient::Attendee("nobody".into())],
        subject: None,
        provisional: local(4),
    };
    desk.take(status(UpstreamStatus::Ok), 14).await;
    let unknown = Submit { to: unknown, ..submit(4, "", "Hi") };
    let unknown = desk.command(Command::Submit(unknown), 15).await;
    assert!(matches!(unknown, Done::Refused(Refused::AttendeeUnknown)), "{unknown:?}");
}
