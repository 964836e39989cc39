//! Messages.

use super::kinds::{
    attachment_kind_of, attachment_of, content_kind_of, content_of, event, origin_of, status_of,
};
use super::sort_key;
use super::time::{optional, timestamp};
use channel_domain::fact::AttachmentKind;
use channel_domain::media::thumbnail::why_none;
use channel_domain::preview;
use channel_domain::time::Micros;
use channel_proto::types::v1 as pb;
use channel_store::record::{
    AttachmentRecord, MentionRecord, MessageRecord, QuotedRecord, ReactionRecord, SmallRecord,
};

/// A message.
#[must_use]
pub fn message(account_id: &str, message: &MessageRecord) -> pb::Message {
    let (kind, deleted) = content_of(message.kind);
    let origin = origin_of(message.origin);
    let sent_here = origin == pb::MessageOrigin::Sent;
    let status = status_of(message.status);
    let client_message_id = if sent_here { message.id.clone() } else { String::new() };
    pb::Message {
        message_id: message.id.clone(),
        account_id: account_id.to_owned(),
        chat_id: message.chat.clone(),
        upstream_id: message.upstream_id.clone().unwrap_or_default(),
        provider_id: message.provider_id.clone().unwrap_or_default(),
        sender_attendee_id: message.sender.clone().unwrap_or_default(),
        direction: direction(message.outgoing).into(),
        origin: origin.into(),
        content_kind: kind.into(),
        text: message.text.clone().unwrap_or_default(),
        attachments: message.attachments.iter().map(attachment).collect(),
        status: status.into(),
        sent_at: Some(timestamp(Micros(message.sent_at))),
        delivered_at: optional(message.delivered_at),
        read_at: optional(message.read_at),
        edited: message.edited_at.is_some(),
        edited_at: optional(message.edited_at),
        deleted: deleted || message.deleted_at.is_some(),
        deleted_at: optional(message.deleted_at),
        hidden: message.hidden,
        event: system_event(message, kind),
        quoted: message.quoted.as_ref().map(quoted),
        forwarded: message.forwarded,
        reactions: message.reactions.iter().map(reaction).collect(),
        client_message_id,
        send_phase: super::send::phase_of(message.send_phase).into(),
        failure: message.failure.as_ref().map(super::send::failure),
        sort_key: sort_key(&message.sort_key),
        stored_at: Some(timestamp(Micros(message.stored_at))),
        revision: message.rev,
        mentions: message.mentions.iter().map(mention).collect(),
        preview: preview(message),
    }
}

/// The same line that the chat's list shows.
fn preview(message: &MessageRecord) -> String {
    let Some(kind) = content_kind_of(message.kind) else { return String::new() };
    let file = message.attachments.first();
    preview::line(preview::Parts {
        kind,
        text: message.text.as_deref(),
        file: file.map(|file| {
            let kind = attachment_kind_of(file.kind).unwrap_or(AttachmentKind::Other);
            (kind, file.name.as_deref())
        }),
        event: message.event_number,
    })
}

pub(super) const fn direction(outgoing: bool) -> pb::MessageDirection {
    if outgoing { pb::MessageDirection::Out } else { pb::MessageDirection::In }
}

fn system_event(message: &MessageRecord, kind: pb::ContentKind) -> Option<pb::MessageEvent> {
    let number = message.event_number.filter(|_| kind == pb::ContentKind::Event)?;
    Some(pb::MessageEvent { kind: event(number).into(), upstream_type: number })
}

/// How far the bytes of a file are. What has been stored stays, whatever the upstream says of it later.
#[must_use]
pub const fn fetch_state(file: &AttachmentRecord) -> pb::FetchState {
    match file.fetch {
        2 => pb::FetchState::Stored,
        5 => pb::FetchState::TooLarge,
        6 => pb::FetchState::LeftOut,
        _ if file.unavailable => pb::FetchState::Unavailable,
        3 => pb::FetchState::Retrying,
        4 => pb::FetchState::Unavailable,
        _ => pb::FetchState::Pending,
    }
}

/// A file of a message.
#[must_use]
pub fn attachment(file: &AttachmentRecord) -> pb::Attachment {
    pb::Attachment {
        attachment_id: file.id.clone(),
        kind: attachment_of(file.kind).into(),
        mime_type: file.mime.clone().unwrap_or_default(),
        size_bytes: file.size.unwrap_or_default(),
        file_name: file.name.clone().unwrap_or_default(),
        width: file.width.unwrap_or_default(),
        height: file.height.unwrap_or_default(),
        duration: file
            .duration_seconds
            .map(|seconds| prost_types::Duration { seconds: seconds.into(), nanos: 0 }),
        unavailable: file.unavailable,
        fetch_state: fetch_state(file).into(),
        fetch_reason: file.fetch_reason.clone().unwrap_or_default(),
        thumbnail: file.stored.as_ref().and_then(|stored| stored.small.as_ref()).map(thumbnail),
        thumbnail_reason: why_no_thumbnail(file).unwrap_or_default().to_owned(),
    }
}

fn thumbnail(small: &SmallRecord) -> pb::Thumbnail {
    pb::Thumbnail {
        width: small.width,
        height: small.height,
        size_bytes: small.size,
        mime_type: small.mime.clone(),
        original_width: small.full_width,
        original_height: small.full_height,
    }
}

/// Why a file that is stored will have no small picture; `None`: it has one, or may get one.
#[must_use]
pub fn why_no_thumbnail(file: &AttachmentRecord) -> Option<&str> {
    let stored = file.stored.as_ref()?;
    why_none(stored.mime.as_deref(), stored.no_small.as_deref())
}

fn mention(mention: &MentionRecord) -> pb::Mention {
    pb::Mention {
        attendee_id: mention.attendee.clone().unwrap_or_default(),
        provider_id: mention.provider_id.clone(),
        display_name: mention.name.clone(),
        range: Some(pb::TextRange { start: mention.start, end: mention.end }),
    }
}

fn quoted(quoted: &QuotedRecord) -> pb::QuotedMessage {
    pb::QuotedMessage {
        provider_id: quoted.provider_id.clone().unwrap_or_default(),
        sender_provider_id: quoted.sender_id.clone().unwrap_or_default(),
        text: quoted.text.clone().unwrap_or_default(),
        ..pb::QuotedMessage::default()
    }
}

fn reaction(reaction: &ReactionRecord) -> pb::Reaction {
    pb::Reaction {
        attendee_id: reaction.actor.clone(),
        emoji: reaction.emoji.clone(),
        at: None,
        is_self: reaction.is_self,
        ..pb::Reaction::default()
    }
}
