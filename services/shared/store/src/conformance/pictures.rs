//! The journal of pictures.

use super::Fresh;
use super::facts::{at, incoming, person, received};
use super::log::audit;
use super::sends::{ACCOUNT, Desk};
use crate::outbox::{Command, PersonChange};
use crate::pictures::{DueLook, LookEnd};
use crate::record::{AttendeeRecord, ChatRecord};
use channel_domain::fact::{ChatClaim, Fact, Person, Received};
use channel_domain::media::StoredFile;
use channel_domain::picture::{Look, Subject};

const DAY: i64 = 86_400;
/// When a picture is old, in seconds after a look.
const OLD: i64 = 7 * DAY;

fn in_group(message: &str, from: Person, second: i64) -> Fact {
    let chat = ChatClaim {
        id: "g1".into(),
        provider_id: Some("1@g.us".into()),
        is_group: Some(true),
        subject: Some("Crew".into()),
        pinned: None,
    };
    let (sender, attendees) = (Some(from.clone()), vec![from]);
    received(Received { chat, sender, attendees, ..incoming(message, "g1", "Hi", second) })
}

fn ana(link: Option<&str>, message: &str, second: i64) -> Fact {
    let ana = Person { picture_url: link.map(Into::into), ..person("Ana", "15550100002") };
    received(Received {
        sender: Some(ana.clone()),
        attendees: vec![ana],
        ..incoming(message, "c1", "Hi", second)
    })
}

fn stored(sha: &str) -> Look {
    let mime = Some("image/png".into());
    Look::Stored(StoredFile { sha256: sha.repeat(32), size: 7, mime, thumbnail: None })
}

fn end(due: &DueLook, attempt: u32, look: Look, second: i64, next: Option<i64>) -> Command {
    let (key, of, next_at) = (due.key, due.of.clone(), next.map(at));
    let (at, refresh_at) = (at(second), at(second + OLD));
    Command::EndLook(Box::new(LookEnd {
        key,
        of,
        attempt,
        look,
        next_at,
        counts: true,
        at,
        refresh_at,
    }))
}

/// The look that is due first.
async fn due(fresh: &Fresh) -> DueLook {
    let due = fresh.store.due_looks(&[], 9).await.expect("an answer");
    assert!(due.len() < 2, "one for each account");
    due.into_iter().next().expect("a look is due")
}

async fn is_due(fresh: &Fresh) -> bool {
    !fresh.store.due_looks(&[], 9).await.expect("an answer").is_empty()
}

async fn begins(fresh: &Fresh, due: &DueLook, until: i64) -> bool {
    fresh.store.begin_look(due, at(until)).await.expect("an answer")
}

/// Looks once, and ends it at that second.
async fn look(fresh: &Fresh, desk: &Desk<'_>, look: Look, second: i64) -> DueLook {
    let due = due(fresh).await;
    assert!(begins(fresh, &due, second + 60).await, "{due:?}");
    desk.command(end(&due, due.attempts + 1, look, second, None), second).await;
    due
}

async fn attendee(fresh: &Fresh) -> AttendeeRecord {
    let key = fresh.account(ACCOUNT).await.key;
    let ana = fresh.store.attendee(key, &"att-15550100002".into()).await.expect("an answer");
    ana.expect("Ana")
}

async fn chat(fresh: &Fresh, id: &str) -> ChatRecord {
    let key = fresh.account(ACCOUNT).await.key;
    fresh.store.chat(key, &id.into()).await.expect("an answer").expect("the chat")
}

pub async fn pictures_are_looked_for_the_last_seen_first_and_shown_with_their_chats(fresh: &Fresh) {
    let desk = Desk::new(fresh).await;
    desk.take(in_group("m1", person("Bo", "15550100003"), 5), 6).await;
    let mut seen = Vec::new();
    for second in [10, 11] {
        let of = look(fresh, &desk, stored("ab"), second).await.of;
        seen.push(of.id().to_owned());
    }
    seen.sort();
    assert_eq!(seen, ["att-15550100003", "g1"], "they were seen after Ana");
    let group = chat(fresh, "g1").await;
    assert_eq!(group.picture.expect("its own picture").sha256, "ab".repeat(32));

    let first = due(fresh).await;
    assert_eq!(
        (first.of.clone(), first.attempts),
        (Subject::Attendee("att-15550100002".into()), 0)
    );
    assert!(begins(fresh, &first, 60).await && !begins(fresh, &first, 61).await);
    assert_eq!((due(fresh).await.attempts, due(fresh).await.at), (1, at(60)), "its lease");
    let renew = |attempt| fresh.store.renew_look(first.account_key, first.key, attempt, at(90));
    assert!(renew(1).await.expect("an answer") && due(fresh).await.at == at(90));
    assert!(!renew(2).await.expect("an answer"), "that one has not begun");
    let before = (attendee(fresh).await.rev, chat(fresh, "c2").await.rev);
    desk.command(end(&first, 1, stored("cd"), 20, None), 20).await;
    let shown = attendee(fresh).await;
    let picture = shown.picture.clone().expect("the picture");
    assert_eq!((picture.sha256, picture.size), ("cd".repeat(32), 7));
    assert_eq!(picture.mime.as_deref(), Some("image/png"));
    for id in ["c1", "c2"] {
        let picture = chat(fresh, id).await.picture.expect("a chat of two shows the other's");
        assert_eq!(picture.sha256, "cd".repeat(32));
    }
    assert!(shown.rev > before.0 && chat(fresh, "c2").await.rev > before.1, "people are told");
    assert!(!renew(1).await.expect("an answer"), "it has ended");
    // What has ended does not end again, and what is written since keeps it.
    desk.command(end(&first, 1, Look::Absent, 21, None), 21).await;
    desk.take(ana(None, "m2", 22), 22).await;
    assert_eq!(attendee(fresh).await, shown);
    assert!(chat(fresh, "c1").await.picture.is_some());
    audit(fresh, ACCOUNT).await;
}

pub async fn a_look_that_fails_keeps_the_picture_and_one_that_finds_none_takes_it(fresh: &Fresh) {
    let desk = Desk::new(fresh).await;
    look(fresh, &desk, stored("ab"), 10).await;
    let shown = attendee(fresh).await;
    let second = due(fresh).await;
    assert_eq!(second.at, at(10 + OLD), "Ana was seen lately");
    assert!(begins(fresh, &second, OLD + 100).await);
    let failed = || Look::Failed { reason: "BROKEN".into() };
    desk.command(end(&second, 2, failed(), OLD + 20, Some(OLD + 50)), OLD + 20).await;
    assert_eq!(attendee(fresh).await, shown);
    let third = due(fresh).await;
    assert_eq!((third.attempts, third.failures, third.at), (2, 1, at(OLD + 50)));
    // A process that died began a third; another one took over.
    assert!(begins(fresh, &third, OLD + 100).await);
    let fourth = due(fresh).await;
    assert!(begins(fresh, &fourth, OLD + 200).await);
    desk.command(end(&third, 3, Look::Absent, OLD + 110, None), OLD + 110).await;
    assert_eq!(attendee(fresh).await, shown, "somebody else has it");
    let unfit = Look::Unfit { reason: "NO_PICTURE".into() };
    desk.command(end(&fourth, 4, unfit, OLD + 120, None), OLD + 120).await;
    assert_eq!(attendee(fresh).await, shown);
    assert!(!is_due(fresh).await, "Ana was not seen for days");

    desk.take(ana(None, "m2", OLD + 130), OLD + 130).await;
    look(fresh, &desk, Look::Absent, OLD + 2 * DAY).await;
    let gone = attendee(fresh).await;
    assert!(gone.picture.is_none() && gone.rev > shown.rev, "{gone:?}");
    assert!(chat(fresh, "c1").await.picture.is_none());
}

pub async fn whoever_is_seen_again_is_looked_for_once_the_picture_is_old_or_another(fresh: &Fresh) {
    let desk = Desk::new(fresh).await;
    look(fresh, &desk, stored("ab"), 2 * DAY).await;
    assert!(!is_due(fresh).await, "nobody was seen for a day");
    desk.take(ana(None, "m1", -DAY), 2 * DAY).await;
    assert!(!is_due(fresh).await, "history shows nobody anew");
    desk.take(ana(Some("https://p/1.jpg?s=1"), "m2", 3 * DAY), 3 * DAY).await;
    assert_eq!(due(fresh).await.at.0, -at(3 * DAY).0, "another picture is told of");
    look(fresh, &desk, stored("cd"), 5 * DAY).await;
    desk.take(ana(Some("https://p/1.jpg?s=2"), "m3", 6 * DAY), 6 * DAY).await;
    assert_eq!(due(fresh).await.at, at(5 * DAY + OLD), "it is the same under another signature");
    // One that is told of during a look is not lost.
    let under_way = due(fresh).await;
    assert!(begins(fresh, &under_way, 13 * DAY).await);
    desk.take(ana(Some("https://p/2.jpg"), "m4", 12 * DAY), 12 * DAY).await;
    desk.command(end(&under_way, under_way.attempts + 1, stored("cd"), 12 * DAY, None), 12 * DAY)
        .await;
    assert_eq!(due(fresh).await.at.0, -at(12 * DAY).0);
}

pub async fn a_picture_is_shown_with_every_id_of_a_person(fresh: &Fresh) {
    // A list of chats names the other party by WhatsApp's id alone, and UniPile is not asked for the picture of that.
    let desk = Desk::new(fresh).await;
    let dora = person("Dora", "15550100007");
    let bare = Person { id: None, name: None, ..dora.clone() };
    let from = |sender: Person, message: &str, second| {
        let attendees = vec![sender.clone()];
        received(Received {
            sender: Some(sender),
            attendees,
            ..incoming(message, "c7", "Hi", second)
        })
    };
    desk.take(from(bare, "d1", 20), 21).await;
    desk.take(from(dora, "d2", 22), 23).await;
    let looked = look(fresh, &desk, stored("a1"), 30).await;
    assert_eq!(looked.of.id(), "att-15550100007");
    let shown = chat(fresh, "c7").await;
    let party = shown.counterparty.expect("the other party");
    assert!(party.starts_with("jid:"), "{party}");
    assert_eq!(shown.picture.map(|it| it.sha256), Some("a1".repeat(32)));
    // An id that is nobody else has no picture of theirs.
    let part = PersonChange::Part(party.as_str().into());
    desk.command(Command::Person(part), 40).await;
    assert_eq!(chat(fresh, "c7").await.picture, None);
    let join = PersonChange::Join(party.into(), "att-15550100007".into());
    desk.command(Command::Person(join), 50).await;
    assert!(chat(fresh, "c7").await.picture.is_some());
    desk.the_log_tells_the_tables().await;
}
