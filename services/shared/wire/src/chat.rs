//! Chats.

use super::kinds::{attachment_of, chat_kind_of, content_of, status_of, title_source_of};
use super::sort_key;
use super::time::{optional, timestamp};
use channel_domain::SortKey;
use channel_domain::time::Micros;
use channel_proto::types::v1 as pb;
use channel_store::record::{ChatRecord, LastRecord};

/// A chat as it is at `now`, which only decides whether its muting has ended.
#[must_use]
pub fn chat(account_id: &str, chat: &ChatRecord, now: Micros) -> pb::Chat {
    let source = title_source_of(chat.title_source);
    let muted = chat.muted_until.filter(|until| *until > now.0);
    let active = SortKey::from_bytes(&chat.order).filter(|order| *order != SortKey::MIN);
    pb::Chat {
        account_id: account_id.to_owned(),
        chat_id: chat.id.clone(),
        provider_id: chat.provider_id.clone().unwrap_or_default(),
        kind: chat_kind_of(chat.kind).into(),
        title: chat.title.clone(),
        title_source: source.into(),
        subject: chat.subject.clone().unwrap_or_default(),
        counterparty_attendee_id: chat.counterparty.clone().unwrap_or_default(),
        last_message: chat.last.as_ref().map(summary),
        unread_count: chat.unread,
        archived: chat.archived,
        pinned: chat.pinned,
        muted: muted.is_some(),
        muted_until: optional(muted.filter(|until| *until != i64::MAX)),
        read_only: chat.read_only,
        last_activity_at: active.map(|order| timestamp(order.sent_at())),
        sort_key: sort_key(&chat.order),
        local_name: chat.own_name.clone().unwrap_or_default(),
        labels: chat.labels.clone(),
        complete_up_to: optional(chat.complete_up_to),
        revision: chat.rev,
        picture_etag: super::picture_etag(chat.picture.as_ref()),
        members_revision: chat.members_rev,
    }
}

fn summary(last: &LastRecord) -> pb::MessageSummary {
    let (kind, deleted) = content_of(last.kind);
    pb::MessageSummary {
        message_id: last.id.clone(),
        preview: last.preview.clone(),
        sent_at: Some(timestamp(Micros(last.sent_at))),
        direction: super::message::direction(last.outgoing).into(),
        content_kind: kind.into(),
        deleted,
        status: status_of(last.status).into(),
        attachment_kind: match last.file {
            0 => pb::AttachmentKind::Unspecified,
            file => attachment_of(file),
        }
        .into(),
        sender_attendee_id: last.sender.clone().unwrap_or_default(),
    }
}
