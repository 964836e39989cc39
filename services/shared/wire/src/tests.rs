use super::kinds;
use super::*;
use channel_domain::account::Connection;
use channel_domain::chat::ChatKind;
use channel_domain::message::{Origin, Status};
use channel_domain::send::Phase;
use channel_domain::time::Micros;
use channel_domain::{SortKey, names};
use channel_proto::types::v1 as pb;
use channel_store::log::{Entity, LogRow, Op};
use channel_store::record::{
    self, AccountRecord, AttachmentRecord, AttendeeRecord, ChatRecord, FailureRecord, LastRecord,
    MessageRecord, QuotedRecord, ReactionRecord, Record, SendRecord, SmallRecord, State,
    StoredRecord,
};
use proptest::prelude::*;
use std::collections::BTreeSet;

const AT: i64 = 1_769_940_312_345_678;

/// Each value differs from the others, and none is the unspecified one.
fn distinct(values: impl IntoIterator<Item = (i32, bool)>, count: usize) {
    let values: Vec<_> = values.into_iter().collect();
    assert!(values.iter().all(|(value, _)| *value != 0), "{values:?}");
    assert_eq!(values.iter().collect::<BTreeSet<_>>().len(), values.len(), "{values:?}");
    assert_eq!(values.len(), count);
}

fn numbers<T>(from: impl Fn(i16) -> Option<T>) -> Vec<T> {
    (0..100).filter_map(from).collect()
}

#[test]
fn every_kind_of_the_domain_has_a_place_of_its_own_on_the_wire() {
    let plain = |value: i32| (value, false);
    let connections = numbers(Connection::from_number);
    distinct(connections.iter().map(|it| plain(kinds::connection_of(*it as i32).into())), 9);
    let chats = numbers(ChatKind::from_number);
    distinct(chats.iter().map(|it| plain(kinds::chat_kind_of(*it as i32).into())), 3);
    let origins = numbers(Origin::from_number);
    distinct(origins.iter().map(|it| plain(kinds::origin_of(*it as i32).into())), 4);
    let statuses = numbers(Status::from_rank);
    distinct(statuses.iter().map(|it| plain(kinds::status_of(it.rank().into()).into())), 5);
    let content = kinds::CONTENT.map(|it| kinds::content_of(record::content_kind(it)));
    distinct(content.map(|(kind, deleted)| (kind.into(), deleted)), 5);
    let sources = kinds::NAMES.map(|it| kinds::title_source_of(record::name_source(it)).into());
    distinct(sources.map(plain), 5);
    let files = kinds::ATTACHMENTS.map(|it| kinds::attachment_of(record::attachment_kind(it)));
    distinct(files.map(|it| plain(it.into())), 8);
    distinct(numbers(Op::from_number).into_iter().map(|it| plain(kinds::op(it).into())), 4);
    let entities = numbers(Entity::from_number);
    distinct(entities.into_iter().map(|it| plain(kinds::entity(it).into())), 6);
    let phases = numbers(Phase::from_number);
    distinct(phases.into_iter().map(|it| plain(super::send::phase_of(it as i32).into())), 8);
}

#[test]
fn a_number_from_a_newer_program_is_not_known_rather_than_something_else() {
    assert_eq!(kinds::connection_of(99), pb::ConnectionState::Unknown);
    assert_eq!(kinds::chat_kind_of(99), pb::ChatKind::Unspecified);
    assert_eq!(kinds::content_of(99), (pb::ContentKind::Unspecified, false));
    assert_eq!(kinds::attachment_of(99), pb::AttachmentKind::Other);
    assert_eq!(kinds::event(99), pb::EventKind::Unknown);
    assert_eq!(kinds::status_of(i32::MAX), pb::MessageStatus::Unspecified);
}

#[test]
fn an_account_that_was_just_added_is_told_apart_from_one_that_catches_up() {
    let told = |word: &str| {
        let account = AccountRecord {
            connection: Connection::Connecting as i32,
            connection_since: Some(AT),
            connection_word: Some(word.into()),
            ..AccountRecord::default()
        };
        let fresh = freshness(&account, None, 0);
        let state = super::account(&account, fresh.clone()).connection.unwrap().state();
        assert_eq!(state, fresh.state());
        state
    };
    assert_eq!(told("CREATION_SUCCESS"), pb::ConnectionState::Creating);
    assert_eq!(told("CONNECTING"), pb::ConnectionState::Connecting);
}

fn chat_record() -> ChatRecord {
    ChatRecord {
        id: "c1".into(),
        provider_id: Some("15550100002@s.whatsapp.net".into()),
        kind: ChatKind::Single as i32,
        title: "Ana".into(),
        title_source: record::name_source(names::NameSource::Contact),
        counterparty: Some("p1".into()),
        phone: Some("+15550100002".into()),
        last: Some(LastRecord {
            id: "m1".into(),
            preview: "hello".into(),
            outgoing: true,
            kind: 2,
            sent_at: AT,
            status: 3,
            file: 4,
            sender: Some("p1".into()),
        }),
        unread: 3,
        order: SortKey::new(Micros(AT), Micros(AT), "m1").as_bytes().to_vec(),
        rev: 7,
        members_rev: 6,
        ..ChatRecord::default()
    }
}

fn message_record() -> MessageRecord {
    MessageRecord {
        id: "0192f0c1-0000-7000-8000-000000000001".into(),
        upstream_id: Some("u1".into()),
        provider_id: Some("3EB0".into()),
        chat: "c1".into(),
        sender: Some("p1".into()),
        origin: 2,
        send_phase: Phase::Failed as i32,
        failure: Some(FailureRecord {
            reason: "blocked_recipient".into(),
            detail: "This person is blocked.".into(),
            at: AT + 4,
        }),
        kind: 2,
        text: Some("a caption".into()),
        attachments: vec![AttachmentRecord {
            id: "f1".into(),
            kind: 4,
            mime: Some("audio/ogg".into()),
            size: Some(1234),
            duration_seconds: Some(9),
            fetch: 2,
            stored: Some(StoredRecord {
                sha256: "cd".into(),
                size: 1234,
                small: Some(SmallRecord {
                    sha256: "ef".into(),
                    size: 12,
                    mime: "image/png".into(),
                    width: 32,
                    height: 24,
                    full_width: 640,
                    full_height: 480,
                }),
                ..StoredRecord::default()
            }),
            ..AttachmentRecord::default()
        }],
        status: 4,
        sent_at: AT,
        delivered_at: Some(AT + 1),
        read_at: Some(AT + 2),
        edited_at: Some(AT + 3),
        forwarded: true,
        quoted: Some(QuotedRecord {
            provider_id: Some("3EB1".into()),
            upstream_id: Some("u0".into()),
            sender_id: Some("15550100001@s.whatsapp.net".into()),
            text: Some("earlier".into()),
        }),
        reactions: vec![ReactionRecord { actor: "p2".into(), emoji: "👍".into(), is_self: true }],
        sort_key: SortKey::new(Micros(AT), Micros(AT), "u1").as_bytes().to_vec(),
        rev: 12,
        stored_at: AT + 5,
        ..MessageRecord::default()
    }
}

#[test]
fn all_that_a_record_knows_reaches_the_wire() {
    let account = AccountRecord {
        complete_up_to: Some(AT - 2),
        id: "a1".into(),
        name: "+1 555 010 0001".into(),
        phone: Some("+15550100001".into()),
        connection: Connection::Credentials as i32,
        connection_since: Some(AT),
        synced_at: Some(AT),
        created_at: AT - 1,
        rev: 4,
        connection_source: 2,
        connection_word: Some("CREDENTIALS".into()),
    };
    let fresh = freshness(&account, Some(Micros(AT + 9)), 41);
    let person = AttendeeRecord {
        id: "p1".into(),
        is_self: true,
        name: Some("Ana".into()),
        phone: Some("+15550100002".into()),
        lid: Some("900000000000002@lid".into()),
        provider_id: Some("900000000000002@lid".into()),
        profile_url: Some("https://example.test/ana".into()),
        picture_url: None,
        rev: 5,
        picture: Some(StoredRecord { sha256: "ab".into(), size: 3, ..StoredRecord::default() }),
        named_here: true,
        person: Some("p0".into()),
        username: Some("ana.b".into()),
    };
    insta::assert_debug_snapshot!("account", super::account(&account, fresh));
    insta::assert_debug_snapshot!("attendee", attendee("a1", &person));
    insta::assert_debug_snapshot!("chat", chat("a1", &chat_record(), Micros(AT)));
    let send = SendRecord {
        id: "m1".into(),
        chat: "c1".into(),
        phase: Phase::Queued as i32,
        attempts: 2,
        next_at: Some(AT + 1_500_000),
        expected_wait: Some(1_500_000),
        expires_at: AT + 86_400_000_000,
        reason: "paused".into(),
        rev: 13,
    };
    insta::assert_debug_snapshot!("send_state", send_state("a1", &send));
    insta::assert_debug_snapshot!("message", message("a1", &message_record()));
}

#[test]
fn a_stored_file_tells_why_it_has_no_small_picture_and_only_then() {
    let why = |mime: &str, small, no_small: Option<&str>| {
        let (mime, no_small) = (Some(mime.to_owned()), no_small.map(Into::into));
        let stored = Some(StoredRecord { mime, small, no_small, ..StoredRecord::default() });
        attachment(&AttachmentRecord { stored, ..AttachmentRecord::default() }).thumbnail_reason
    };
    assert_eq!(why("image/png", None, None), "");
    assert_eq!(why("image/png", Some(SmallRecord::default()), None), "");
    assert_eq!(why("image/png", None, Some("THUMBNAIL_BROKEN")), "THUMBNAIL_BROKEN");
    assert_eq!(why("video/mp4", None, None), "THUMBNAIL_NOT_AN_IMAGE");
    assert_eq!(attachment(&AttachmentRecord::default()).thumbnail_reason, "", "nothing is known");
}

#[test]
fn a_person_is_named_as_well_as_is_known() {
    let mut person = AttendeeRecord::default();
    let name = |person: &AttendeeRecord| {
        let shown = attendee("a1", person);
        (shown.display_name.clone(), shown.name_source())
    };
    assert_eq!(name(&person), (names::NOBODY.into(), pb::NameSource::Generic));
    person.phone = Some("+15550100002".into());
    assert_eq!(name(&person), ("+1 555 010 0002".into(), pb::NameSource::PhoneNumber));
    person.name = Some("Ana".into());
    assert_eq!(name(&person), ("Ana".into(), pb::NameSource::Profile));
    person.named_here = true;
    assert_eq!(name(&person), ("Ana".into(), pb::NameSource::Local));
}

#[test]
fn muting_ends_by_the_clock_and_may_be_for_ever() {
    let muted = |until| {
        let record = ChatRecord { muted_until: until, ..chat_record() };
        let chat = chat("a1", &record, Micros(AT));
        (chat.muted, chat.muted_until.is_some())
    };
    assert_eq!(muted(None), (false, false));
    assert_eq!(muted(Some(AT)), (false, false));
    assert_eq!(muted(Some(AT + 1)), (true, true));
    assert_eq!(muted(Some(i64::MAX)), (true, false));
}

#[test]
fn a_chat_without_messages_claims_no_activity() {
    let record =
        ChatRecord { order: SortKey::MIN.as_bytes().to_vec(), last: None, ..chat_record() };
    let chat = chat("a1", &record, Micros(AT));
    assert_eq!((chat.last_activity_at, chat.last_message), (None, None));
}

#[test]
fn a_deleted_message_is_told_by_its_flag_and_a_line_that_says_so() {
    let mut record = chat_record();
    let last = LastRecord {
        kind: 5,
        preview: "This message was deleted".into(),
        ..record.last.clone().unwrap()
    };
    record.last = Some(last);
    let summary = chat("a1", &record, Micros(AT)).last_message.unwrap();
    assert!(summary.deleted && summary.preview == "This message was deleted");
    let message =
        message("a1", &MessageRecord { kind: 5, deleted_at: Some(AT), ..MessageRecord::default() });
    assert!(message.deleted && message.deleted_at.is_some());
}

#[test]
fn a_system_line_tells_what_it_is() {
    let event = |number| {
        let record = MessageRecord { kind: 3, event_number: number, ..message_record() };
        message("a1", &record).event.map(|event| (event.kind(), event.upstream_type))
    };
    assert_eq!(event(Some(3)), Some((pb::EventKind::GroupCreated, 3)));
    assert_eq!(event(Some(77)), Some((pb::EventKind::Unknown, 77)));
    assert_eq!(event(None), None);
}

fn row(op: Op, body: Option<Vec<u8>>) -> LogRow {
    LogRow {
        account_key: 1,
        seq: 41,
        tag: 5,
        body_hash: 6,
        unit_end: true,
        op,
        entity: Entity::Chat,
        entity_id: "c1".into(),
        at: Micros(AT),
        body,
        trace: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into()),
    }
}

fn body() -> Vec<u8> {
    Record { state: Some(State::Chat(chat_record())) }.to_body()
}

#[test]
fn a_put_carries_the_state_and_its_cause() {
    let change = change("a1", &row(Op::Put, Some(body())));
    assert_eq!((change.seq, change.unit_end), (41, true));
    assert_eq!(change.op(), pb::ChangeKind::Put);
    assert_eq!(change.entity_kind(), pb::EntityKind::Chat);
    assert!(change.traceparent.starts_with("00-0af7"));
    let Some(pb::change::Entity::Chat(chat)) = change.entity else {
        panic!("no chat: {change:?}");
    };
    assert_eq!((chat.account_id.as_str(), chat.revision), ("a1", 7));
}

#[test]
fn a_body_that_is_gone_or_cannot_be_read_leaves_the_id() {
    let mut newer = body();
    newer[0] = 99;
    for body in [None, Some(vec![]), Some(newer), Some(vec![1, 0xff])] {
        let change = change("a1", &row(Op::Put, body));
        assert_eq!(change.entity, None);
        assert_eq!((change.entity_kind(), change.entity_id.as_str()), (pb::EntityKind::Chat, "c1"));
    }
}

#[test]
fn a_merge_tells_the_id_that_remains_and_no_state() {
    let mut row = row(Op::Merge, Some(body()));
    row.entity_id = "local:1".into();
    let change = change("a1", &row);
    assert_eq!((change.entity_id.as_str(), change.merged_into_id.as_str()), ("local:1", "c1"));
    assert_eq!(change.entity, None);
}

#[test]
fn a_merge_whose_state_was_erased_tells_that_its_id_is_gone() {
    let change = change("a1", &LogRow { entity_id: "local:1".into(), ..row(Op::Merge, None) });
    assert_eq!((change.op(), change.entity_id.as_str()), (pb::ChangeKind::Delete, "local:1"));
    assert!(change.merged_into_id.is_empty());
}

proptest! {
    #[test]
    fn keys_sort_on_the_wire_as_they_do_here(a in any::<[u8; 24]>(), b in any::<[u8; 24]>()) {
        prop_assert_eq!(sort_key(&a).cmp(&sort_key(&b)), a.cmp(&b));
    }

    #[test]
    fn a_time_comes_back(at in -62_135_596_800_000_000_i64..=253_402_300_799_999_999) {
        let wire = timestamp(Micros(at));
        prop_assert!((0..1_000_000_000).contains(&wire.nanos));
        prop_assert_eq!(micros(&wire), Some(Micros(at)));
    }

    #[test]
    fn a_time_outside_of_the_contract_is_refused(seconds in any::<i64>(), nanos in any::<i32>()) {
        let read = micros(&prost_types::Timestamp { seconds, nanos });
        let good = (-62_135_596_800..=253_402_300_799).contains(&seconds) && (0..1_000_000_000).contains(&nanos);
        prop_assert_eq!(read.is_some(), good);
    }
}
