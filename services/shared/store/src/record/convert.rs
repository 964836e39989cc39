//! States into records.

use super::{
    AccountRecord, AttachmentRecord, AttendeeRecord, ChatRecord, FailureRecord, LastRecord,
    MentionRecord, MessageRecord, QuotedRecord, ReactionRecord, SendRecord, SmallRecord,
    StoredRecord,
};
use channel_domain::account::Account;
use channel_domain::attendee::{Attendee, ClaimKind};
use channel_domain::chat::Chat;
use channel_domain::direction::Direction;
use channel_domain::fact::{AttachmentKind, Quoted};
use channel_domain::ids::AttendeeId;
use channel_domain::media::{Small, StoredFile, Thumbnail};
use channel_domain::mentions;
use channel_domain::message::{ContentKind, Message, Origin};
use channel_domain::names::NameSource;
use channel_domain::send::{Job, Phase};

/// The stored number of a content kind.
#[must_use]
pub const fn content_kind(kind: ContentKind) -> i32 {
    match kind {
        ContentKind::Text => 1,
        ContentKind::Media => 2,
        ContentKind::Event => 3,
        ContentKind::Unsupported => 4,
        ContentKind::Deleted => 5,
    }
}

/// The stored number of a name's source.
#[must_use]
pub const fn name_source(source: NameSource) -> i32 {
    match source {
        NameSource::Own => 1,
        NameSource::Subject => 2,
        NameSource::Contact => 3,
        NameSource::Phone => 4,
        NameSource::Fallback => 5,
    }
}

/// The stored number of an attachment's kind.
#[must_use]
pub const fn attachment_kind(kind: AttachmentKind) -> i32 {
    match kind {
        AttachmentKind::Image => 1,
        AttachmentKind::Video => 2,
        AttachmentKind::Audio => 3,
        AttachmentKind::Voice => 4,
        AttachmentKind::Sticker => 5,
        AttachmentKind::Gif => 6,
        AttachmentKind::Document => 7,
        AttachmentKind::Other => 8,
    }
}

impl From<&Account> for AccountRecord {
    fn from(account: &Account) -> Self {
        let (connection, since) = account.connection();
        Self {
            complete_up_to: account.complete_up_to.map(|at| at.0),
            id: account.id.to_string(),
            name: account.name(),
            phone: account.phone.as_ref().map(|(phone, _)| phone.clone()),
            connection: i32::from(connection as i16),
            connection_since: since.map(|at| at.0),
            connection_source: account.told().map_or(0, |told| i32::from(told.source as i16)),
            connection_word: account.told().map(|told| told.status.as_wire().to_owned()),
            synced_at: account.synced_at().map(|at| at.0),
            created_at: account.created_at.0,
            rev: account.rev,
        }
    }
}

impl From<&Attendee> for AttendeeRecord {
    fn from(attendee: &Attendee) -> Self {
        let any = |kind| attendee.best(kind).map(ToOwned::to_owned);
        let own = |kind| attendee.claims.best(kind).map(ToOwned::to_owned);
        let named = attendee.named();
        let person = Some(attendee.person()).filter(|person| **person != attendee.id);
        Self {
            id: attendee.id.to_string(),
            is_self: attendee.is_self,
            name: named.map(|(name, _)| name.to_owned()),
            phone: any(ClaimKind::Phone),
            lid: any(ClaimKind::Lid),
            provider_id: own(ClaimKind::ProviderId),
            profile_url: own(ClaimKind::ProfileUrl),
            picture_url: own(ClaimKind::PictureUrl),
            rev: attendee.rev,
            picture: attendee.shown_picture().map(Into::into),
            named_here: named.is_some_and(|(_, source)| source == NameSource::Own),
            person: person.map(ToString::to_string),
            username: any(ClaimKind::Username),
        }
    }
}

impl From<&Chat> for ChatRecord {
    fn from(chat: &Chat) -> Self {
        let (title, source) = chat.title();
        let person = chat.counterparty.as_ref();
        Self {
            id: chat.id.to_string(),
            provider_id: chat.provider_id.clone(),
            kind: i32::from(chat.kind as i16),
            title,
            title_source: name_source(source),
            subject: chat.subject.as_ref().map(|(subject, _)| subject.clone()),
            counterparty: person.map(|person| person.id.to_string()),
            phone: person.and_then(|person| person.phone.clone()),
            last: chat.last.as_ref().map(|last| LastRecord {
                id: last.id.to_string(),
                preview: last.preview.clone(),
                outgoing: last.direction == Direction::Out,
                kind: content_kind(last.kind),
                sent_at: last.sent_at.0,
                status: last.status.map_or(0, |status| status.rank().into()),
                file: last.file.map_or(0, attachment_kind),
                sender: last.sender.as_ref().map(ToString::to_string),
            }),
            unread: chat.unread,
            pinned: chat.pinned.0,
            archived: chat.archived,
            muted_until: chat.muted_until.map(|at| at.0),
            read_only: chat.read_only,
            order: chat.order.as_bytes().to_vec(),
            rev: chat.rev,
            labels: chat.labels.clone(),
            own_name: chat.own_name.clone(),
            complete_up_to: chat.complete_up_to.map(|at| at.0),
            members_rev: chat.members_rev,
            picture: chat.picture().map(Into::into),
        }
    }
}

impl From<&Message> for MessageRecord {
    fn from(message: &Message) -> Self {
        let shown = message.deleted_at.is_none();
        let content = &message.content;
        let quoted = content.quoted.as_ref().filter(|_| shown);
        let text = message.shown_text().filter(|_| shown);
        Self {
            id: message.id.to_string(),
            upstream_id: message.upstream_id.as_ref().map(ToString::to_string),
            provider_id: message.provider_id.clone(),
            chat: message.chat.to_string(),
            sender: message.sender.as_ref().map(ToString::to_string),
            outgoing: message.direction == Direction::Out,
            origin: match message.origin {
                Origin::Webhook => 1,
                Origin::Sent => 2,
                Origin::Imported => 3,
                Origin::Repaired => 4,
            },
            kind: content_kind(message.kind()),
            text: text.as_ref().map(|text| text.text.to_string()),
            attachments: content.attachments.iter().filter(|_| shown).map(Into::into).collect(),
            status: i32::from(message.status.rank()),
            sent_at: message.sent_at.0,
            delivered_at: message.delivered.map(|at| at.shown(message.sent_at).0),
            read_at: message.read.map(|at| at.shown(message.sent_at).0),
            edited_at: message.edit.as_ref().map(|edit| edit.stamp.at.0),
            deleted_at: message.deleted_at.map(|at| at.0),
            hidden: content.hidden,
            forwarded: content.forwarded,
            event_number: content.event.map(|event| event.number.unwrap_or(0)),
            quoted: quoted.map(|quoted| quoted_record(quoted, message)),
            reactions: reactions(message),
            sort_key: message.sort_key().as_bytes().to_vec(),
            rev: message.rev,
            stored_at: message.arrived.at.0,
            send_phase: message.sending.as_ref().map_or(0, |sending| sending.phase as i32),
            failure: message.sending.as_ref().and_then(|sending| {
                let failure = sending.failure.as_ref()?;
                let (reason, detail) = (failure.reason.clone(), failure.detail.clone());
                Some(FailureRecord { reason, detail, at: failure.at.0 })
            }),
            mentions: text.into_iter().flat_map(|text| text.mentions).map(Into::into).collect(),
        }
    }
}

impl From<&Job> for SendRecord {
    fn from(job: &Job) -> Self {
        let waits = job.phase == Phase::Queued;
        Self {
            id: job.id.to_string(),
            chat: job.chat.to_string(),
            phase: job.phase as i32,
            attempts: job.attempts,
            next_at: waits.then_some(job.next_at.0),
            expected_wait: None,
            expires_at: job.expires_at.0,
            reason: job.failure.as_ref().map(|failure| failure.reason.clone()).unwrap_or_default(),
            rev: job.rev,
        }
    }
}

impl From<&channel_domain::fact::Attachment> for AttachmentRecord {
    fn from(file: &channel_domain::fact::Attachment) -> Self {
        Self {
            id: file.id.clone(),
            kind: attachment_kind(file.kind),
            mime: file.mime.clone(),
            size: file.size,
            name: file.name.clone(),
            width: file.width,
            height: file.height,
            duration_seconds: file.duration_seconds,
            unavailable: file.unavailable,
            fetch: file.fetch.as_ref().map_or(0, |fetch| fetch.number().into()),
            fetch_reason: file.fetch.as_ref().and_then(|fetch| fetch.reason().map(Into::into)),
            stored: file.fetch.as_ref().and_then(|fetch| fetch.stored()).map(Into::into),
        }
    }
}

impl From<&StoredFile> for StoredRecord {
    fn from(stored: &StoredFile) -> Self {
        let StoredFile { sha256, size, mime, thumbnail } = stored.clone();
        let (small, no_small) = match thumbnail {
            Some(Thumbnail::Made(small)) => (Some(small.into()), None),
            Some(Thumbnail::None { reason }) => (None, Some(reason)),
            None => (None, None),
        };
        Self { sha256, size, mime, small, no_small }
    }
}

impl From<Small> for SmallRecord {
    fn from(small: Small) -> Self {
        let Small { sha256, size, mime, width, height, full_width, full_height } = small;
        Self { sha256, size, mime, width, height, full_width, full_height }
    }
}

impl From<SmallRecord> for Small {
    fn from(small: SmallRecord) -> Self {
        let SmallRecord { sha256, size, mime, width, height, full_width, full_height } = small;
        Self { sha256, size, mime, width, height, full_width, full_height }
    }
}

fn quoted_record(quoted: &Quoted, message: &Message) -> QuotedRecord {
    let text = quoted.text.as_deref().map(|text| mentions::shown(text, &message.mentioned).text);
    QuotedRecord {
        provider_id: quoted.provider_id.clone(),
        upstream_id: quoted.message.as_ref().map(ToString::to_string),
        sender_id: quoted.sender_id.clone(),
        text: text.map(Into::into),
    }
}

impl From<mentions::Mention> for MentionRecord {
    fn from(mention: mentions::Mention) -> Self {
        let places = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self {
            provider_id: mention.id,
            attendee: mention.attendee.map(|id| id.to_string()),
            name: mention.name,
            start: places(mention.range.start),
            end: places(mention.range.end),
        }
    }
}

/// Those in force, by person. No time is shown: UniPile reports none, and the one at which we heard of it
/// would change with every repetition.
fn reactions(message: &Message) -> Vec<ReactionRecord> {
    if message.deleted_at.is_some() {
        return Vec::new();
    }
    let mut shown: Vec<_> = message
        .reactions
        .iter()
        .filter_map(|reaction| Some((&reaction.actor, reaction.emoji.as_ref()?, reaction.is_self)))
        .collect();
    shown.sort_unstable();
    let record = |(actor, emoji, is_self): (&AttendeeId, &String, bool)| ReactionRecord {
        actor: actor.to_string(),
        emoji: emoji.clone(),
        is_self,
    };
    shown.into_iter().map(record).collect()
}
