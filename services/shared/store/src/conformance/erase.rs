//! What erasing promises.
//!
//! The contact who is erased, Zebulon, is known by words that nothing else has; after it every column of every table
//! is looked through for them, so that a new table or column is covered by itself.

use super::Fresh;
use super::facts::{at, delivery, incoming, owner_reacted, person, reading, received, status};
use super::log::audit;
use super::sends::ACCOUNT;
use super::syncs::{Run, ask as sync_ask, listed, page, read_in};
use crate::erase::{self, Asked, Deed, Deeds, Erasure, ErasureAsk, Piece, Whom};
use crate::intake::{Delivery, Outcome};
use crate::log::{Entity, LogRow, Op, Position};
use crate::media::FetchEnd;
use crate::outbox::{Command, PersonChange};
use crate::pictures::LookEnd;
use crate::record::{ChatRecord, MessageRecord};
use channel_domain::fact::{
    Attachment, AttachmentKind, ChatClaim, Edited, Fact, Person, Quoted, Reacted, Received,
    UpstreamStatus,
};
use channel_domain::media::{Fetch, StoredFile};
use channel_domain::picture::Look;
use channel_domain::sync::SyncKind;
use std::collections::HashSet;
use uuid::Uuid;

pub(super) const NAME: &str = "Zebulon";
const PHONE: &str = "15550177777";
const LID: &str = "98877665544@lid";
pub(super) const HASH: &str = "5e1f";

/// What nothing but Zebulon's rows has.
const MARKERS: [&str; 12] = [
    NAME, "zebulon", PHONE, LID, "walrus", "ocelot", "narwhal", "okapi", "quagga", "lemming",
    "pangolin", "capybara",
];

fn zebulon() -> Person {
    Person {
        id: Some("person-z".into()),
        provider_id: Some(LID.into()),
        name: Some(NAME.into()),
        phone: Some(format!("+{PHONE}")),
        public_identifier: Some(format!("{PHONE}@s.whatsapp.net")),
        ..Person::default()
    }
}

fn from_zebulon(message: &str, chat: &str, text: &str, second: i64) -> Received {
    Received {
        sender: Some(zebulon()),
        attendees: vec![zebulon()],
        ..incoming(message, chat, text, second)
    }
}

fn to_zebulon(message: &str, chat: &str, text: &str, second: i64) -> Received {
    Received {
        is_sender: Some(true),
        sender: Some(person("Owner", "15550100001")),
        ..from_zebulon(message, chat, text, second)
    }
}

fn in_group(message: Received) -> Received {
    let chat = ChatClaim {
        id: "group".into(),
        provider_id: Some("120363000000000001@g.us".into()),
        is_group: Some(true),
        subject: Some("Team".into()),
        pinned: None,
    };
    Received { chat, attendees: vec![person("Ana", "15550100002"), zebulon()], ..message }
}

fn file(id: &str, name: &str) -> Attachment {
    let (kind, size, name) = (AttachmentKind::Document, Some(7), Some(name.to_owned()));
    Attachment { id: id.into(), kind, size, name, ..Attachment::default() }
}

fn reaction(message: &str, emoji: &str) -> Fact {
    let (actor, emoji) = (zebulon(), Some(emoji.to_owned()));
    Fact::Reacted(Box::new(Reacted {
        message: message.into(),
        actor,
        owner: super::facts::owner(),
        emoji,
    }))
}

fn edit(message: &str, text: &str) -> Fact {
    Fact::Edited(Edited { message: message.into(), text: Some(text.into()) })
}

/// A payload as it comes: what it says is in its body.
fn payload(account: &str, fact: Fact, second: i64) -> Delivery {
    let body = serde_json::to_vec(&fact).expect("a body").into();
    Delivery { body, ..delivery(reading(account, fact), at(second)) }
}

/// Everything that there may be of a contact, and of others beside them.
pub(super) async fn everything(fresh: &Fresh, account: &str) {
    let quoted = |text: &str, sender: Option<&str>, message: Option<&str>| {
        let sender_id = sender.map(Into::into);
        let (provider_id, message) = (Some("3Aquoted".to_owned()), message.map(Into::into));
        Some(Quoted { provider_id, message, sender_id, text: Some(text.into()) })
    };
    let with_file = |message: Received, file| Received { attachments: vec![file], ..message };
    let ana = |message: &str, second| incoming(message, "group", "Hello", second);
    let facts = vec![
        received(incoming("a1", "chat-a", "Hi from Ana", 1)),
        received(with_file(incoming("a2", "chat-a", "A file", 2), file("fa", "ana.pdf"))),
        received(from_zebulon("z1", "chat-z", "a walrus", 3)),
        received(with_file(from_zebulon("z2", "chat-z", "look", 4), file("fz", "narwhal.pdf"))),
        received(to_zebulon("z3", "chat-z", "dear Zebulon, an ocelot", 5)),
        edit("z1", "no walrus, an okapi"),
        reaction("z3", "👍"),
        owner_reacted("z1", Some("❤")),
        received(in_group(ana("g1", 6))),
        received(in_group(from_zebulon("g2", "group", "a quagga", 7))),
        received(Received {
            quoted: quoted("a quagga", Some(LID), None),
            ..in_group(ana("g3", 8))
        }),
        received(Received {
            quoted: quoted("a quagga", None, Some("g2")),
            ..in_group(ana("g4", 9))
        }),
        reaction("g1", "🦓"),
        received(in_group(from_zebulon("g5", "group", "a lemming", 10))),
        // Of messages that are not here.
        reaction("unknown", "🦓"),
        edit("z-unknown", "nothing"),
    ];
    let batch = facts.into_iter().zip(20..).map(|(fact, second)| payload(account, fact, second));
    fresh.store.take(batch.collect()).await.expect("a batch is taken");
    fetch(fresh, account).await;
}

/// Fetches all files; they have the same bytes.
async fn fetch(fresh: &Fresh, account: &str) {
    fresh.store.enter_fetches(99).await.expect("an answer");
    for due in fresh.store.due_fetches(&[], 99).await.expect("an answer") {
        assert!(fresh.store.begin_fetch(&due, at(600)).await.expect("an answer"));
        let sha256 = format!("{HASH}-{}", if due.file.attachment == "fa" { "both" } else { "own" });
        let fetch = Fetch::Stored(StoredFile { sha256, size: 7, mime: None, thumbnail: None });
        let (file, attempt) = (due.file.clone(), due.attempts + 1);
        let end = FetchEnd { file, attempt, fetch, next_at: None, counts: true };
        let end = Command::EndFetch(Box::new(end));
        let rules = crate::outbox::Rules::default();
        let done = fresh.store.command(&account.into(), end, &rules, at(60), None).await;
        done.expect("the end of a try");
    }
}

async fn ask(fresh: &Fresh, account: &str, whom: Whom, number: u128, second: i64) -> Asked {
    let (id, account) = (Uuid::from_u128(number), account.into());
    let (tenant, by, at) = ("default".into(), "somebody".into(), at(second));
    let ask = ErasureAsk { id, account, tenant, whom, by, at, removal: None };
    match fresh.store.deed(Deed::Ask(Box::new(ask))).await.expect("an answer") {
        Deeds::Asked(asked) => asked,
        other => panic!("another answer: {other:?}"),
    }
}

fn contact() -> Whom {
    Whom::Contact(vec!["person-z".into()])
}

/// Does all pieces of an erasure.
async fn to_the_end(fresh: &Fresh, number: u128, second: i64) -> Erasure {
    let id = Uuid::from_u128(number);
    for _ in 0..1_000 {
        let piece = erase::piece(&*fresh.store, id, at(second)).await.expect("a piece is done");
        if piece == Piece::Done {
            return erase::find(&*fresh.store, id).await.expect("an answer").expect("the erasure");
        }
    }
    panic!("the erasure does not end");
}

async fn erase(fresh: &Fresh, account: &str, whom: Whom, number: u128, second: i64) -> Erasure {
    let asked = ask(fresh, account, whom, number, second).await;
    assert!(matches!(asked, Asked::Taken(_)), "{asked:?}");
    to_the_end(fresh, number, second).await
}

async fn found(fresh: &Fresh) -> Vec<String> {
    let mut found = Vec::new();
    for marker in MARKERS {
        let places = (fresh.places)(marker.to_owned()).await;
        found.extend(places.into_iter().map(|place| format!("{marker} in {place}")));
    }
    found
}

/// What people see of a chat.
pub(super) async fn chat_of(
    fresh: &Fresh,
    account: &str,
    id: &str,
) -> (ChatRecord, Vec<MessageRecord>) {
    (fresh.chat(account, id).await, fresh.messages(account, id).await)
}

pub(super) fn since(rows: &[LogRow], seq: u64) -> HashSet<(Op, Entity, String)> {
    let rows = rows.iter().filter(|row| row.seq > seq);
    rows.map(|row| (row.op, row.entity, row.entity_id.clone())).collect()
}

pub async fn an_erased_contact_is_found_nowhere_and_the_others_as_before(fresh: &Fresh) {
    everything(fresh, ACCOUNT).await;
    everything(fresh, "other").await;
    let places = found(fresh).await;
    assert!(places.len() > 20, "the markers are looked for where they are: {places:?}");
    // Of the other account nothing may go: it has the same words, so it is told by its own rows.
    let before = chat_of(fresh, ACCOUNT, "chat-a").await;
    let other = (chat_of(fresh, "other", "chat-z").await, audit(fresh, "other").await);
    let rows = audit(fresh, ACCOUNT).await;
    let head = rows.last().map_or(0, |row| row.seq);
    assert!(fresh.chat(ACCOUNT, "group").await.members_rev <= head);

    let done = erase(fresh, ACCOUNT, contact(), 1, 100).await;
    assert_eq!((done.counts.people, done.counts.chats, done.counts.messages), (1, 1, 5));
    assert_eq!(done.counts.mentions, 3, "two quotes and a reaction");
    assert!(done.counts.payloads > 8 && done.counts.changes > 8, "{done:?}");
    assert_eq!((done.by.as_str(), done.ended_at), ("somebody", Some(at(100))));

    assert_eq!(chat_of(fresh, ACCOUNT, "chat-a").await, before);
    assert_eq!((chat_of(fresh, "other", "chat-z").await, audit(fresh, "other").await), other);
    erase(fresh, "other", contact(), 2, 101).await;
    assert_eq!(found(fresh).await, Vec::<String>::new());

    let group = fresh.messages(ACCOUNT, "group").await;
    assert_eq!(group.len(), 5, "theirs are empty places");
    let empty: Vec<_> = group.iter().filter(|it| it.deleted_at.is_some()).collect();
    assert_eq!(empty.len(), 2);
    assert!(empty.iter().all(|it| it.sender.is_none() && it.text.is_none()));
    let texts: Vec<_> = group.iter().filter_map(|it| it.text.as_deref()).collect();
    assert_eq!(texts, ["Hello"; 3], "what others wrote stays");
    assert!(group.iter().all(|it| it.reactions.is_empty()));
    let quotes = group.iter().filter_map(|it| it.quoted.as_ref());
    assert!(quotes.clone().count() == 2 && quotes.clone().all(|it| it.text.is_none()));
    let chat = fresh.chat(ACCOUNT, "group").await;
    assert!(chat.members_rev > head, "whoever shows the group is told that somebody is gone");
    assert_eq!(chat.last.map(|last| last.sender), Some(None));
    assert!(fresh.found(ACCOUNT, "okapi").await.is_empty());
    assert_eq!(fresh.found(ACCOUNT, "Ana").await.len(), 2);

    // Every reader is told, and every cursor is good.
    let rows = audit(fresh, ACCOUNT).await;
    let told = since(&rows, head);
    assert!(told.contains(&(Op::Delete, Entity::Chat, "chat-z".into())), "{told:?}");
    assert!(told.contains(&(Op::Delete, Entity::Attendee, "person-z".into())));
    let key = fresh.account(ACCOUNT).await.key;
    for row in rows.iter().filter(|row| row.seq <= head) {
        let place = Position { seq: row.seq, tag: row.tag };
        let page = fresh.store.resume(key, place, 1_000).await.expect("an answer");
        assert!(matches!(page, Some(Ok(_))), "from {}", row.seq);
    }
    // Bytes that another message has too are not to be deleted.
    let sweeps = erase::sweeps(&*fresh.store, at(200)).await.expect("an answer");
    assert_eq!(sweeps, [format!("{HASH}-own")]);
}

/// The same person under another id, with a name of the team's and a picture.
async fn second_id(fresh: &Fresh) {
    let other = Person {
        id: Some("person-y".into()),
        provider_id: Some(format!("{PHONE}@s.whatsapp.net")),
        public_identifier: Some("zebulon.writes".into()),
        ..Person::default()
    };
    let sender = Some(other.clone());
    let message =
        Received { sender, attendees: vec![other], ..incoming("y1", "chat-y", "a walrus", 12) };
    let message = payload(ACCOUNT, received(message), 40);
    fresh.store.take(vec![message]).await.expect("a batch is taken");
    let rules = crate::outbox::Rules::default();
    let call = Command::Person(PersonChange::Call("person-y".into(), Some("Capybara".into())));
    fresh.store.command(&ACCOUNT.into(), call, &rules, at(50), None).await.expect("a name");
    loop {
        let due = fresh.store.due_looks(&[], 1).await.expect("an answer").pop();
        let Some(due) = due.filter(|due| due.at <= at(600)) else { break };
        assert!(fresh.store.begin_look(&due, at(600)).await.expect("an answer"));
        let sha256 = format!("{HASH}-{}", due.of.id());
        let look = Look::Stored(StoredFile { sha256, size: 7, mime: None, thumbnail: None });
        let (key, of, attempt) = (due.key, due.of.clone(), due.attempts + 1);
        let (at, refresh_at) = (at(60), at(9_000_000));
        let end = LookEnd { key, of, attempt, look, next_at: None, counts: true, at, refresh_at };
        let end = Command::EndLook(Box::new(end));
        fresh.store.command(&due.account, end, &rules, at, None).await.expect("the end of a look");
    }
}

pub async fn a_person_is_erased_under_every_id(fresh: &Fresh) {
    everything(fresh, ACCOUNT).await;
    second_id(fresh).await;
    assert_eq!(fresh.chat(ACCOUNT, "chat-z").await.title, "Capybara", "they are one person");
    let head = audit(fresh, ACCOUNT).await.last().map_or(0, |row| row.seq);
    let done = erase(fresh, ACCOUNT, contact(), 1, 100).await;
    assert_eq!((done.counts.people, done.counts.chats), (2, 2));
    assert_eq!(found(fresh).await, Vec::<String>::new());
    let told = since(&audit(fresh, ACCOUNT).await, head);
    for id in ["person-z", "person-y"] {
        assert!(told.contains(&(Op::Delete, Entity::Attendee, id.into())), "{told:?}");
    }
    let sweeps = erase::sweeps(&*fresh.store, at(200)).await.expect("an answer");
    for id in ["person-z", "person-y"] {
        assert!(sweeps.contains(&format!("{HASH}-{id}")), "{sweeps:?}");
    }
    let due = fresh.store.due_looks(&[], 9).await.expect("an answer");
    assert!(due.iter().all(|due| !due.of.id().starts_with("person")), "{due:?}");
}

pub async fn what_was_erased_does_not_come_back_from_the_past(fresh: &Fresh) {
    everything(fresh, ACCOUNT).await;
    erase(fresh, ACCOUNT, contact(), 1, 100).await;
    // Late, or once more.
    let late = [
        payload(ACCOUNT, received(from_zebulon("z1", "chat-z", "a walrus", 3)), 110),
        payload(ACCOUNT, received(from_zebulon("z9", "chat-z", "a pangolin", 50)), 111),
        payload(ACCOUNT, received(in_group(from_zebulon("g9", "group", "a pangolin", 51))), 112),
    ];
    let taken = fresh.store.take(late.to_vec()).await.expect("a batch is taken");
    let outcomes: Vec<_> = taken.verdicts.iter().map(|it| it.outcome).collect();
    assert_eq!(outcomes[1..], [Outcome::NoOp, Outcome::NoOp]);
    assert_eq!(taken.verdicts[1].reason, Some("ERASED"));
    // Read in from history: the list, the people, the pages.
    let run = Run::new(fresh, sync_ask(1, Some(SyncKind::History)), 120).await;
    let mut past = listed("chat-z", 5);
    past.counterparty = Some(zebulon());
    let listed = run.list(vec![past, listed("group", 10)], None, 121).await;
    assert_eq!(listed.chats_total, 1);
    let again =
        Received { attendees: vec![], ..in_group(from_zebulon("g2", "group", "a quagga", 7)) };
    let quoted = Some(Quoted {
        provider_id: None,
        message: None,
        sender_id: Some(LID.into()),
        text: Some("a quagga".into()),
    });
    let quoting = Received { quoted, ..in_group(incoming("g10", "group", "Well", 11)) };
    let facts = vec![read_in(again), reaction("g1", "🦓"), received(quoting)];
    run.read(page("group", facts, None, 122), 123).await;
    let past = read_in(from_zebulon("z1", "chat-z", "a walrus", 3));
    run.read(page("chat-z", vec![past], None, 124), 125).await;
    assert_eq!(found(fresh).await, Vec::<String>::new());
    assert!(fresh.chats(ACCOUNT).await.iter().all(|chat| chat.id != "chat-z"));

    // Who writes again is somebody new.
    let new = payload(ACCOUNT, received(from_zebulon("z20", "chat-z", "Me again", 150)), 151);
    fresh.store.take(vec![new]).await.expect("a batch is taken");
    let (chat, messages) = chat_of(fresh, ACCOUNT, "chat-z").await;
    assert_eq!((chat.title.as_str(), messages.len()), (NAME, 1));
    audit(fresh, ACCOUNT).await;
}

pub async fn an_erasure_is_asked_for_once_and_by_known_names(fresh: &Fresh) {
    everything(fresh, ACCOUNT).await;
    let one = |id: &str| Whom::Contact(vec![id.into()]);
    assert_eq!(ask(fresh, "nobody", contact(), 1, 90).await, Asked::AccountUnknown);
    let unknown = ask(fresh, ACCOUNT, one("nobody"), 1, 90).await;
    assert_eq!(unknown, Asked::AttendeeUnknown("nobody".into()));
    let to_owner = to_zebulon("z30", "chat-z", "Hi", 30);
    fresh.take(ACCOUNT, vec![received(to_owner)], 91).await;
    let owner = ask(fresh, ACCOUNT, one("att-15550100001"), 1, 92).await;
    assert_eq!(owner, Asked::Owner("att-15550100001".into()));
    let id = |asked: Asked| match asked {
        Asked::Taken(erasure) => erasure.id.as_u128(),
        other => panic!("it is not taken: {other:?}"),
    };
    assert_eq!(id(ask(fresh, ACCOUNT, contact(), 1, 93).await), 1);
    assert_eq!(id(ask(fresh, ACCOUNT, contact(), 2, 94).await), 1, "the same is under way");
    assert_eq!(id(ask(fresh, ACCOUNT, contact(), 1, 95).await), 1);
    assert_eq!(ask(fresh, ACCOUNT, Whom::Account, 1, 96).await, Asked::IdReused);
    let due = erase::due(&*fresh.store).await.expect("an answer");
    assert_eq!(due, [(Uuid::from_u128(1), at(93))]);
    to_the_end(fresh, 1, 97).await;
    assert!(erase::due(&*fresh.store).await.expect("an answer").is_empty());
    let again = erase(fresh, ACCOUNT, contact(), 3, 98).await;
    assert_eq!(again.counts.people, 0, "they are gone, and known to be");
}

pub async fn a_payload_that_waits_is_applied_before_it_goes(fresh: &Fresh) {
    everything(fresh, ACCOUNT).await;
    let fact = received(in_group(incoming("g20", "group", "Hello", 30)));
    let kept =
        fresh.store.keep(vec![payload(ACCOUNT, fact.clone(), 40)]).await.expect("it is kept");
    ask(fresh, ACCOUNT, contact(), 1, 100).await;
    let id = Uuid::from_u128(1);
    let mut piece = Piece::More;
    while piece == Piece::More {
        piece = erase::piece(&*fresh.store, id, at(101)).await.expect("a piece is done");
    }
    assert!(matches!(piece, Piece::Later(later) if later > at(101)), "{piece:?}");
    let filter = crate::intake::InboxFilter {
        ids: kept.verdicts[0].inbox.into_iter().collect(),
        limit: 9,
        ..crate::intake::InboxFilter::default()
    };
    let listed = fresh.store.inbox(&filter).await.expect("an answer").remove(0);
    let stored = listed.expect("a row that makes sense");
    let again = reading(ACCOUNT, fact);
    let settled = fresh.store.settle(&stored, again, crate::intake::Mode::First).await;
    assert_eq!(settled.expect("it is applied").verdict.outcome, Outcome::Applied);
    to_the_end(fresh, 1, 110).await;
    assert_eq!(found(fresh).await, Vec::<String>::new());
    assert_eq!(fresh.messages(ACCOUNT, "group").await[0].text.as_deref(), Some("Hello"));
}

pub async fn an_erased_account_is_found_nowhere_and_the_others_as_before(fresh: &Fresh) {
    everything(fresh, "gone").await;
    let facts = vec![received(incoming("a1", "chat-a", "Hi", 1))];
    fresh.take(ACCOUNT, facts, 1).await;
    let before = (chat_of(fresh, ACCOUNT, "chat-a").await, audit(fresh, ACCOUNT).await);
    let key = fresh.account("gone").await.key;
    let done = erase(fresh, "gone", Whom::Account, 1, 100).await;
    assert!(done.is_account && done.counts.rows > 40, "{done:?}");
    assert_eq!(found(fresh).await, Vec::<String>::new());
    for table in ["messages", "change_log", "account_head", "webhook_dedupe", "media_fetches"] {
        let rows = (fresh.sql)(format!("DELETE FROM {table} WHERE account_key = {key}")).await;
        assert_eq!(rows, 0, "{table}");
    }
    let resumed = fresh.store.resume(key, Position::default(), 10).await.expect("an answer");
    assert!(resumed.is_none(), "there is no such log");
    let after = (chat_of(fresh, ACCOUNT, "chat-a").await, audit(fresh, ACCOUNT).await);
    assert_eq!(after, before);
    // What is told late does not make it anew.
    let late = [
        payload("gone", received(from_zebulon("z9", "chat-z", "a walrus", 99)), 110),
        payload("gone", status(UpstreamStatus::Deleted), 111),
    ];
    let taken = fresh.store.take(late.to_vec()).await.expect("a batch is taken");
    for verdict in taken.verdicts {
        assert_eq!((verdict.outcome, verdict.reason), (Outcome::NoOp, Some("ACCOUNT_ERASED")));
    }
    assert!(fresh.store.account(&"gone".into()).await.expect("an answer").is_none());
    assert_eq!(found(fresh).await, Vec::<String>::new());
    let sweeps = erase::sweeps(&*fresh.store, at(200)).await.expect("an answer");
    assert_eq!(sweeps.len(), 2);
}
