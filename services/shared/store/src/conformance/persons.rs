//! What is promised of people who are known under several ids.

use super::Fresh;
use super::facts::{at, incoming, outgoing, owner_reacted, person, received};
use super::log::audit;
use super::sends::{ACCOUNT, Desk};
use super::syncs::{Run, ask, listed};
use crate::log::{Entity, Op};
use crate::outbox::{Command, Done, PersonChange, Refused};
use crate::reads::{AttendeeQuery, AttendeeRow};
use crate::record::AttendeeRecord;
use crate::sync::{ListedChat, SyncStep};
use channel_domain::attendee::{ClaimKind, ClaimSource};
use channel_domain::fact::{Edited, Fact, Person, Quoted, Received};
use channel_domain::sync::SyncKind;

/// Somebody as UniPile names them by a WhatsApp id alone.
fn bare(id: &str, provider_id: &str) -> Person {
    Person { id: Some(id.into()), provider_id: Some(provider_id.into()), ..Person::default() }
}

/// A message from somebody.
fn from(sender: Person, message: &str, chat: &str, second: i64) -> Received {
    let attendees = vec![sender.clone()];
    Received { sender: Some(sender), attendees, ..incoming(message, chat, "Hi", second) }
}

pub(super) fn group(chat: &str) -> ListedChat {
    let mut group = listed(chat, 1);
    group.news.claim.is_group = Some(true);
    ListedChat { counterparty: None, ..group }
}

impl Fresh {
    async fn person(&self, id: &str) -> AttendeeRecord {
        let key = self.account(ACCOUNT).await.key;
        let person = self.store.attendee(key, &id.into()).await.expect("an answer");
        person.expect("the person is known")
    }

    pub(super) async fn people(&self, chat: Option<&str>, each_once: bool) -> Vec<AttendeeRow> {
        let key = self.account(ACCOUNT).await.key;
        let chat = chat.map(Into::into);
        let query = AttendeeQuery { chat, each_once, limit: 5000, ..AttendeeQuery::default() };
        self.store.attendees(key, &query).await.expect("an answer")
    }
}

impl Desk<'_> {
    async fn change_person(&self, change: PersonChange, second: i64) -> Vec<AttendeeRecord> {
        match self.command(Command::Person(change), second).await {
            Done::Person(people) => people,
            other => panic!("the person is not changed: {other:?}"),
        }
    }
}

pub async fn one_person_under_two_ids_is_shown_as_one_and_keeps_every_message(fresh: &Fresh) {
    let by_phone = bare("by-phone", "15550100003@s.whatsapp.net");
    let by_lid = bare("by-lid", "930000000000003@lid");
    fresh.take(ACCOUNT, vec![received(from(by_phone, "m1", "c1", 1))], 10).await;
    fresh.take(ACCOUNT, vec![received(from(by_lid, "m2", "c2", 2))], 20).await;
    assert_eq!(fresh.chat(ACCOUNT, "c2").await.title, "WhatsApp user");
    // A third fact tells that both are Ben.
    let ben = Person {
        name: Some("Ben".into()),
        phone: Some("+1 555 010 0003".into()),
        ..bare("by-lid", "930000000000003@lid")
    };
    let before = audit(fresh, ACCOUNT).await.len();
    fresh.take(ACCOUNT, vec![received(from(ben, "m3", "c2", 3))], 30).await;

    for id in ["by-phone", "by-lid"] {
        let person = fresh.person(id).await;
        assert_eq!(person.name.as_deref(), Some("Ben"), "{id}");
        assert_eq!(person.phone.as_deref(), Some("+15550100003"), "{id}");
        assert_eq!(person.lid.as_deref(), Some("930000000000003@lid"), "{id}");
    }
    assert_eq!(fresh.person("by-phone").await.person, None, "the eldest id shows the person");
    assert_eq!(fresh.person("by-lid").await.person.as_deref(), Some("by-phone"));
    let once: Vec<_> = fresh.people(None, true).await.into_iter().map(|it| it.record.id).collect();
    assert_eq!(once, ["by-phone"]);
    assert_eq!(fresh.people(None, false).await.len(), 2);
    // Every message is where it was, and both chats are named.
    for (chat, message) in [("c1", "by-phone"), ("c2", "by-lid")] {
        assert_eq!(fresh.chat(ACCOUNT, chat).await.title, "Ben");
        let messages = fresh.messages(ACCOUNT, chat).await;
        assert!(messages.iter().all(|it| it.sender.as_deref() == Some(message)));
    }
    // Screens are told of both ids and both chats.
    let told = audit(fresh, ACCOUNT).await.split_off(before);
    let put: Vec<_> = told.iter().map(|row| (row.op, row.entity, row.entity_id.as_str())).collect();
    for wanted in [
        (Op::Put, Entity::Attendee, "by-phone"),
        (Op::Put, Entity::Attendee, "by-lid"),
        (Op::Put, Entity::Chat, "c1"),
        (Op::Put, Entity::Chat, "c2"),
    ] {
        assert!(put.contains(&wanted), "{wanted:?} in {put:?}");
    }
    // Whatever is said later of the one is said of the other.
    let benny = Person { name: Some("Benny".into()), ..bare("by-lid", "930000000000003@lid") };
    let tomorrow = 2 * 86_400;
    fresh.take(ACCOUNT, vec![received(from(benny, "m4", "c2", tomorrow))], tomorrow).await;
    assert_eq!(fresh.chat(ACCOUNT, "c1").await.title, "Benny");
    let key = fresh.account(ACCOUNT).await.key;
    let named = fresh.store.identifiers(key, &"by-phone".into()).await.expect("an answer");
    let named: Vec<_> = named.iter().map(|it| (it.kind, it.value.as_str(), it.source)).collect();
    let said = ClaimSource::Message;
    assert_eq!(
        named,
        [
            (ClaimKind::Phone, "+15550100003", said),
            (ClaimKind::Lid, "930000000000003@lid", said),
            (ClaimKind::ProviderId, "15550100003@s.whatsapp.net", said),
            (ClaimKind::ProviderId, "930000000000003@lid", said),
        ]
    );
}

pub async fn a_number_that_another_person_has_now_joins_nobody(fresh: &Fresh) {
    let with = |id: &str, lid: &str| Person { phone: Some("15550100003".into()), ..bare(id, lid) };
    let before = received(from(with("before", "1111111111@lid"), "m1", "c1", 1));
    let after = received(from(with("after", "2222222222@lid"), "m2", "c2", 90_000));
    fresh.take(ACCOUNT, vec![before, after], 90_010).await;
    assert_eq!(fresh.people(None, true).await.len(), 2);
    // Whoever has the number alone is the one who had it last.
    let number = bare("number", "15550100003@s.whatsapp.net");
    fresh.take(ACCOUNT, vec![received(from(number, "m3", "c3", 90_020))], 90_030).await;
    assert_eq!(fresh.person("number").await.person.as_deref(), Some("after"));
    assert_eq!(fresh.person("before").await.person, None);
}

pub async fn the_team_joins_and_parts_people_and_has_the_last_word(fresh: &Fresh) {
    let desk = Desk::new(fresh).await;
    let cleo = bare("cleo", "15550100009@s.whatsapp.net");
    let mut work = person("Cleo", "15550100008");
    work.id = Some("cleo-work".into());
    let facts = vec![received(from(cleo, "p1", "d1", 1)), received(from(work, "p2", "d2", 2))];
    fresh.take(ACCOUNT, facts, 10).await;
    assert_eq!(fresh.chat(ACCOUNT, "d1").await.title, "+1 555 010 0009");

    let join = || PersonChange::Join("cleo-work".into(), "cleo".into());
    let people = desk.change_person(join(), 20).await;
    let ids: Vec<_> = people.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(ids, ["cleo-work", "cleo"]);
    assert_eq!(fresh.person("cleo-work").await.person.as_deref(), Some("cleo"));
    assert_eq!(fresh.chat(ACCOUNT, "d1").await.title, "Cleo");
    let told = audit(fresh, ACCOUNT).await.len();
    desk.change_person(join(), 21).await;
    assert_eq!(audit(fresh, ACCOUNT).await.len(), told, "what is one is not joined again");

    let alone = desk.change_person(PersonChange::Part("cleo".into()), 30).await;
    assert_eq!(alone.len(), 1);
    assert_eq!(fresh.person("cleo-work").await.person, None);
    assert_eq!(fresh.chat(ACCOUNT, "d1").await.title, "+1 555 010 0009");
    assert_eq!(fresh.messages(ACCOUNT, "d1").await.len(), 1);
    // What is in common afterwards does not undo the team's word; the team can.
    let same =
        Person { phone: Some("15550100008".into()), ..bare("cleo", "15550100009@s.whatsapp.net") };
    fresh.take(ACCOUNT, vec![received(from(same, "p3", "d1", 3))], 40).await;
    assert_eq!(fresh.person("cleo-work").await.person, None);
    desk.change_person(join(), 50).await;
    assert_eq!(fresh.person("cleo-work").await.person.as_deref(), Some("cleo"));

    let stranger = PersonChange::Part("nobody".into());
    let done = desk.command(Command::Person(stranger), 60).await;
    assert!(matches!(done, Done::Refused(Refused::AttendeeUnknown)), "{done:?}");
    fresh.take(ACCOUNT, vec![received(outgoing("p4", "c1", "Hello", 4))], 60).await;
    let own = PersonChange::Join("cleo".into(), "att-15550100001".into());
    let done = desk.command(Command::Person(own), 61).await;
    assert!(matches!(done, Done::Refused(Refused::AttendeeIsSelf)), "{done:?}");
    desk.the_log_tells_the_tables().await;
}

pub async fn the_team_names_a_person_and_takes_the_name_back(fresh: &Fresh) {
    let desk = Desk::new(fresh).await;
    let ana = "att-15550100002";
    let call = |name: Option<&str>| PersonChange::Call(ana.into(), name.map(Into::into));
    let people = desk.change_person(call(Some("Ana, wholesale")), 20).await;
    assert_eq!((people[0].name.as_deref(), people[0].named_here), (Some("Ana, wholesale"), true));
    assert_eq!(fresh.chat(ACCOUNT, "c1").await.title, "Ana, wholesale");
    // What others call her changes nothing for the team.
    let other = Person { name: Some("Annie".into()), ..person("", "15550100002") };
    fresh.take(ACCOUNT, vec![received(from(other, "p1", "c1", 200_000))], 200_000).await;
    assert_eq!(fresh.person(ana).await.name.as_deref(), Some("Ana, wholesale"));
    desk.change_person(call(None), 200_010).await;
    assert_eq!(fresh.chat(ACCOUNT, "c1").await.title, "Annie");
    desk.the_log_tells_the_tables().await;
}

pub async fn people_are_named_in_texts_as_the_account_knows_them(fresh: &Fresh) {
    let mut text =
        incoming("m1", "g1", "Ask {{930000000000003@lid}} or {{15550100002@s.whatsapp.net}}", 1);
    text.chat.is_group = Some(true);
    let quoted = Some("so says {{930000000000003@lid}}".into());
    text.quoted = Some(Quoted { message: None, provider_id: None, sender_id: None, text: quoted });
    let late = Fact::Edited(Edited {
        message: "m2".into(),
        text: Some("Not {{930000000000003@lid}}".into()),
    });
    fresh.take(ACCOUNT, vec![received(text), late], 10).await;
    let shown = || async {
        let mut messages = fresh.messages(ACCOUNT, "g1").await;
        messages.sort_by_key(|message| message.sent_at);
        messages
    };
    let first = shown().await.remove(0);
    assert_eq!(first.text.as_deref(), Some("Ask @WhatsApp user or @Ana"));
    assert_eq!(first.mentions[0].attendee, None);
    assert_eq!(first.mentions[1].attendee.as_deref(), Some("att-15550100002"));
    // As soon as somebody tells who it is, everybody reads the name; what is found is what was read at first.
    let ben = Person { name: Some("Ben".into()), ..bare("ben", "930000000000003@lid") };
    let mut answer = from(ben, "m2", "g1", 2);
    answer.chat.is_group = Some(true);
    fresh.take(ACCOUNT, vec![received(answer)], 20).await;
    let all = shown().await;
    assert_eq!(all[0].text.as_deref(), Some("Ask @Ben or @Ana"));
    let range = (all[0].mentions[0].start, all[0].mentions[0].end);
    assert_eq!((all[0].mentions[0].name.as_str(), range), ("Ben", (4, 8)));
    let quoted = all[0].quoted.as_ref().and_then(|quoted| quoted.text.as_deref());
    assert_eq!(quoted, Some("so says @Ben"));
    assert_eq!(all[1].text.as_deref(), Some("Not @Ben"));
    let last = fresh.chat(ACCOUNT, "g1").await.last.expect("a last message");
    assert_eq!(last.preview, "Not @Ben");
    assert!(fresh.found(ACCOUNT, "ben").await.contains(&"Not @Ben".into()));
    assert_eq!(fresh.found(ACCOUNT, "ana").await, ["Ask @Ben or @Ana"]);
    audit(fresh, ACCOUNT).await;
}

pub async fn the_owner_is_known_under_every_id(fresh: &Fresh) {
    // The owner reacted under an id that nobody told to be theirs.
    let facts = vec![received(incoming("m1", "c1", "Hi", 1)), owner_reacted("m1", Some("👍"))];
    fresh.take(ACCOUNT, facts, 10).await;
    assert!(!fresh.messages(ACCOUNT, "c1").await[0].reactions[0].is_self);
    let mut own = outgoing("m2", "c1", "Hello", 2);
    own.sender = Some(bare("me", "15550100001@s.whatsapp.net"));
    fresh.take(ACCOUNT, vec![received(own)], 20).await;
    assert!(fresh.person("att-15550100001").await.is_self);
    let reacted =
        fresh.messages(ACCOUNT, "c1").await.into_iter().find(|it| !it.reactions.is_empty());
    assert!(reacted.is_some_and(|message| message.reactions[0].is_self));
    audit(fresh, ACCOUNT).await;
}

pub async fn whoever_is_not_listed_any_more_has_left_and_comes_back_with_a_message(fresh: &Fresh) {
    let mut text = incoming("m1", "g1", "Hi", 1);
    text.chat.is_group = Some(true);
    text.attendees = vec![person("Ben", "15550100003"), person("Cleo", "15550100004")];
    fresh.take(ACCOUNT, vec![received(text.clone())], 10).await;
    let members = || async {
        let people = fresh.people(Some("g1"), false).await;
        let member = |it: AttendeeRow| {
            let (_, left) = it.member.expect("a membership");
            (it.record.name.unwrap_or_default(), left)
        };
        let mut members: Vec<_> = people.into_iter().map(member).collect();
        members.sort();
        members
    };
    let run = Run::new(fresh, ask(1, Some(SyncKind::History)), 20).await;
    run.list(vec![group("g1")], None, 21).await;
    let listed = vec![(person("Ana", "15550100002"), false), (person("Ben", "15550100003"), false)];
    run.people("g1", listed, 30).await;
    let left = Some(at(30));
    let name = |name: &str, left| (name.to_owned(), left);
    assert_eq!(members().await, [name("Ana", None), name("Ben", None), name("Cleo", left)]);
    // An old message that comes late does not bring her back; a new one does.
    let cleo = |message: &str, second| {
        let sender = Some(person("Cleo", "15550100004"));
        Received { message: message.into(), sender, sent_at: Some(at(second)), ..text.clone() }
    };
    fresh.take(ACCOUNT, vec![received(Received { attendees: vec![], ..cleo("m2", 5) })], 40).await;
    assert_eq!(members().await[2], name("Cleo", left));
    fresh.take(ACCOUNT, vec![received(Received { attendees: vec![], ..cleo("m3", 50) })], 51).await;
    assert_eq!(members().await[2], name("Cleo", None));
}

pub async fn a_group_of_a_thousand_is_read_at_once(fresh: &Fresh) {
    let mut text = incoming("m1", "g1", "Hi", 1);
    text.chat.is_group = Some(true);
    let phone = |at: usize| format!("1555{at:07}");
    text.attendees = (0..1024).map(|at| person(&format!("P{at}"), &phone(at))).collect();
    fresh.take(ACCOUNT, vec![received(text)], 10).await;
    // All of them again, each under another id.
    let others = (0..1024)
        .map(|at| (bare(&format!("x{at}"), &format!("{}@s.whatsapp.net", phone(at))), false));
    let run = Run::new(fresh, ask(1, Some(SyncKind::History)), 20).await;
    run.list(vec![group("g1")], None, 21).await;
    let step = SyncStep::People(run.id, run.taken, "g1".into(), others.collect());
    run.step(step, 30).await;
    assert_eq!(fresh.people(Some("g1"), false).await.len(), 2049, "Ana wrote");
    assert_eq!(fresh.people(None, true).await.len(), 1025);
    assert_eq!(fresh.person("x7").await.person.as_deref(), Some("att-15550000007"));
    audit(fresh, ACCOUNT).await;
}
