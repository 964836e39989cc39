//! The domain's kinds on the wire.

use channel_domain::account::Connection;
use channel_domain::chat::ChatKind;
use channel_domain::fact::AttachmentKind;
use channel_domain::message::{ContentKind, Origin, Status};
use channel_domain::names::NameSource;
use channel_proto::types::v1 as pb;
use channel_store::log::{Entity, Op};
use channel_store::record;

pub(super) const fn connection(state: Connection) -> pb::ConnectionState {
    match state {
        Connection::Unknown => pb::ConnectionState::Unknown,
        Connection::Ok => pb::ConnectionState::Ok,
        Connection::Connecting => pb::ConnectionState::Connecting,
        Connection::Error => pb::ConnectionState::Error,
        Connection::Stopped => pb::ConnectionState::Stopped,
        Connection::Credentials => pb::ConnectionState::Credentials,
        Connection::Permissions => pb::ConnectionState::Permissions,
        Connection::Deleted => pb::ConnectionState::Deleted,
        Connection::CreationFailed => pb::ConnectionState::CreationFailed,
    }
}

pub(super) fn connection_of(number: i32) -> pb::ConnectionState {
    let known = i16::try_from(number).ok().and_then(Connection::from_number);
    connection(known.unwrap_or(Connection::Unknown))
}

pub(super) const fn chat_kind(kind: ChatKind) -> pb::ChatKind {
    match kind {
        ChatKind::Single => pb::ChatKind::Single,
        ChatKind::Group => pb::ChatKind::Group,
        ChatKind::Channel => pb::ChatKind::Channel,
    }
}

pub(super) fn chat_kind_of(number: i32) -> pb::ChatKind {
    let known = i16::try_from(number).ok().and_then(ChatKind::from_number);
    known.map_or(pb::ChatKind::Unspecified, chat_kind)
}

pub(super) const fn origin(origin: Origin) -> pb::MessageOrigin {
    match origin {
        Origin::Webhook => pb::MessageOrigin::Webhook,
        Origin::Sent => pb::MessageOrigin::Sent,
        Origin::Imported => pb::MessageOrigin::Import,
        Origin::Repaired => pb::MessageOrigin::Repair,
    }
}

pub(super) fn origin_of(number: i32) -> pb::MessageOrigin {
    let known = i16::try_from(number).ok().and_then(Origin::from_number);
    known.map_or(pb::MessageOrigin::Unspecified, origin)
}

pub(super) const fn status(status: Status) -> pb::MessageStatus {
    match status {
        Status::Pending => pb::MessageStatus::Pending,
        Status::Sent => pb::MessageStatus::Sent,
        Status::Delivered => pb::MessageStatus::Delivered,
        Status::Read => pb::MessageStatus::Read,
        Status::Played => pb::MessageStatus::Played,
    }
}

pub(super) fn status_of(number: i32) -> pb::MessageStatus {
    let known = i16::try_from(number).ok().and_then(Status::from_rank);
    known.map_or(pb::MessageStatus::Unspecified, status)
}

pub(super) const CONTENT: [ContentKind; 5] = [
    ContentKind::Text,
    ContentKind::Media,
    ContentKind::Event,
    ContentKind::Unsupported,
    ContentKind::Deleted,
];

/// The kind, and whether it is deleted: the contract tells that apart, and what a deleted message once was
/// is not told any more.
pub(super) const fn content(kind: ContentKind) -> (pb::ContentKind, bool) {
    match kind {
        ContentKind::Text => (pb::ContentKind::Text, false),
        ContentKind::Media => (pb::ContentKind::Media, false),
        ContentKind::Event => (pb::ContentKind::Event, false),
        ContentKind::Unsupported => (pb::ContentKind::Unsupported, false),
        ContentKind::Deleted => (pb::ContentKind::Text, true),
    }
}

/// What a stored number means.
pub(super) fn content_kind_of(number: i32) -> Option<ContentKind> {
    CONTENT.into_iter().find(|kind| record::content_kind(*kind) == number)
}

pub(super) fn content_of(number: i32) -> (pb::ContentKind, bool) {
    let known = content_kind_of(number);
    known.map_or((pb::ContentKind::Unspecified, false), content)
}

pub(super) const NAMES: [NameSource; 5] = [
    NameSource::Own,
    NameSource::Subject,
    NameSource::Contact,
    NameSource::Phone,
    NameSource::Fallback,
];

pub(super) const fn title_source(source: NameSource) -> pb::TitleSource {
    match source {
        NameSource::Own => pb::TitleSource::Local,
        NameSource::Subject => pb::TitleSource::Chat,
        NameSource::Contact => pb::TitleSource::Attendee,
        NameSource::Phone => pb::TitleSource::PhoneNumber,
        NameSource::Fallback => pb::TitleSource::Generic,
    }
}

pub(super) fn title_source_of(number: i32) -> pb::TitleSource {
    let known = NAMES.into_iter().find(|source| record::name_source(*source) == number);
    known.map_or(pb::TitleSource::Unspecified, title_source)
}

/// Where a person's name comes from; a person has no subject, so that is a profile's.
pub(super) const fn person_source(source: NameSource) -> pb::NameSource {
    match source {
        NameSource::Own => pb::NameSource::Local,
        NameSource::Subject | NameSource::Contact => pb::NameSource::Profile,
        NameSource::Phone => pb::NameSource::PhoneNumber,
        NameSource::Fallback => pb::NameSource::Generic,
    }
}

pub(super) const ATTACHMENTS: [AttachmentKind; 8] = [
    AttachmentKind::Image,
    AttachmentKind::Video,
    AttachmentKind::Audio,
    AttachmentKind::Voice,
    AttachmentKind::Sticker,
    AttachmentKind::Gif,
    AttachmentKind::Document,
    AttachmentKind::Other,
];

/// What a file is.
#[must_use]
pub const fn attachment(kind: AttachmentKind) -> pb::AttachmentKind {
    match kind {
        AttachmentKind::Image => pb::AttachmentKind::Image,
        AttachmentKind::Video => pb::AttachmentKind::Video,
        AttachmentKind::Audio => pb::AttachmentKind::Audio,
        AttachmentKind::Voice => pb::AttachmentKind::Voice,
        AttachmentKind::Sticker => pb::AttachmentKind::Sticker,
        AttachmentKind::Gif => pb::AttachmentKind::Gif,
        AttachmentKind::Document => pb::AttachmentKind::Document,
        AttachmentKind::Other => pb::AttachmentKind::Other,
    }
}

/// What a stored number means.
pub(super) fn attachment_kind_of(number: i32) -> Option<AttachmentKind> {
    ATTACHMENTS.into_iter().find(|kind| record::attachment_kind(*kind) == number)
}

pub(super) fn attachment_of(number: i32) -> pb::AttachmentKind {
    let known = attachment_kind_of(number);
    known.map_or(pb::AttachmentKind::Other, attachment)
}

/// UniPile's numbers of system lines (its guide to message payloads, `event_type`): 9 is documented as a
/// second missed call, and 10 to 13 were seen to be notices of calls.
pub(super) const fn event(number: i32) -> pb::EventKind {
    match number {
        1 => pb::EventKind::Reaction,
        2 => pb::EventKind::ReactionToOwner,
        3 => pb::EventKind::GroupCreated,
        4 => pb::EventKind::GroupTitleChanged,
        5 => pb::EventKind::ParticipantAdded,
        6 => pb::EventKind::ParticipantRemoved,
        7 => pb::EventKind::ParticipantLeft,
        8 => pb::EventKind::MissedVoiceCall,
        9 => pb::EventKind::MissedVideoCall,
        10..=13 => pb::EventKind::Call,
        _ => pb::EventKind::Unknown,
    }
}

pub(super) const fn op(op: Op) -> pb::ChangeKind {
    match op {
        Op::Put => pb::ChangeKind::Put,
        Op::Delete => pb::ChangeKind::Delete,
        Op::Merge => pb::ChangeKind::Merge,
        Op::Invalidate => pb::ChangeKind::Invalidate,
    }
}

pub(super) const fn entity(entity: Entity) -> pb::EntityKind {
    match entity {
        Entity::Account => pb::EntityKind::Account,
        Entity::Chat => pb::EntityKind::Chat,
        Entity::Message => pb::EntityKind::Message,
        Entity::Attendee => pb::EntityKind::Attendee,
        Entity::Send => pb::EntityKind::SendState,
        Entity::Sync => pb::EntityKind::SyncProgress,
    }
}
