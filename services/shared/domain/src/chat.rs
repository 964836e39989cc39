//! A chat: its own facts, and the summary that lists read without looking at messages.

use crate::attendee::{Attendee, Merged};
use crate::direction::Direction;
use crate::fact::{AttachmentKind, ChatClaim};
use crate::ids::{AttendeeId, ChatId, MessageId};
use crate::media::StoredFile;
use crate::message::{ContentKind, Message, Status};
use crate::names::{self, NameSource, TitleParts};
use crate::sort_key::SortKey;
use crate::time::{Micros, Stamp};
use serde::{Deserialize, Serialize};

/// Unread messages are counted up to this; the number itself means "this many or more".
pub const UNREAD_CAP: u32 = 1000;

/// What kind of chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(i16)]
pub enum ChatKind {
    /// One other person.
    Single = 0,
    /// A group.
    Group = 1,
    /// A channel.
    Channel = 2,
}

impl ChatKind {
    /// Reads the stored number.
    #[must_use]
    pub const fn from_number(number: i16) -> Option<Self> {
        Some(match number {
            0 => Self::Single,
            1 => Self::Group,
            2 => Self::Channel,
            _ => return None,
        })
    }
}

/// The other party of a one-to-one chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counterparty {
    /// Key of the person.
    pub key: i64,
    /// Public id of the person.
    pub id: AttendeeId,
    /// The earliest fact that named them; of several the first one counts.
    pub since: Stamp,
    /// Their name, as far as known.
    pub name: Option<String>,
    /// Their phone number, as far as known.
    pub phone: Option<String>,
    /// Their picture, once it is here.
    pub picture: Option<StoredFile>,
}

/// The last message as the chat's row keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastMessage {
    /// Its public id.
    pub id: MessageId,
    /// The line to show.
    pub preview: String,
    /// In or out.
    pub direction: Direction,
    /// What it is.
    pub kind: ContentKind,
    /// Its provider time.
    pub sent_at: Micros,
    /// How far it came.
    #[serde(default)]
    pub status: Option<Status>,
    /// What its first file is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<AttachmentKind>,
    /// Who wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<AttendeeId>,
}

/// The stored state of a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chat {
    /// Our key inside the account.
    pub key: i64,
    /// The public id.
    pub id: ChatId,
    /// WhatsApp's id.
    pub provider_id: Option<String>,
    /// Single, group or channel.
    pub kind: ChatKind,
    /// The name that the team gave it.
    pub own_name: Option<String>,
    /// The labels that the team gave it, sorted.
    pub labels: Vec<String>,
    /// The group's subject, and as of when.
    pub subject: Option<(String, Stamp)>,
    /// The other party.
    pub counterparty: Option<Counterparty>,
    /// Whether it is pinned, and as of when.
    pub pinned: (bool, Stamp),
    /// Whether it is archived.
    pub archived: bool,
    /// Until when it is muted; `Micros(i64::MAX)` is for ever.
    pub muted_until: Option<Micros>,
    /// WhatsApp lets nobody write here.
    pub read_only: bool,
    /// Messages sent at or before this are read.
    pub read_up_to: Micros,
    /// Unread messages, up to [`UNREAD_CAP`].
    pub unread: u32,
    /// The last visible message.
    pub last: Option<LastMessage>,
    /// Where it stands in the list: the last visible message's place.
    pub order: SortKey,
    /// A group's own picture, once it is here.
    pub picture: Option<StoredFile>,
    /// All its messages up to this time are here, as far as that was found out for it alone.
    pub complete_up_to: Option<Micros>,
    /// The sequence number of the event with which its members last changed; 0: none is known.
    pub members_rev: u64,
    /// The sequence number of the last event about it.
    pub rev: u64,
}

impl Chat {
    /// A chat of which only the id is known.
    #[must_use]
    pub fn new(key: i64, id: ChatId) -> Self {
        Self {
            key,
            id,
            provider_id: None,
            kind: ChatKind::Single,
            own_name: None,
            labels: Vec::new(),
            subject: None,
            counterparty: None,
            pinned: (false, Stamp::default()),
            archived: false,
            muted_until: None,
            read_only: false,
            read_up_to: Micros(i64::MIN),
            unread: 0,
            last: None,
            order: SortKey::MIN,
            picture: None,
            complete_up_to: None,
            members_rev: 0,
            rev: 0,
        }
    }

    /// All its messages up to this time are here; the latest such time counts.
    pub fn merge_complete(&mut self, up_to: Micros) -> Merged {
        if self.complete_up_to.is_some_and(|known| known >= up_to) {
            return Merged::NOTHING;
        }
        self.complete_up_to = Some(up_to);
        Merged::SHOWN
    }

    /// Takes in what a payload says about the chat. Subject and pin: the latest message's word counts.
    pub fn merge_claim(&mut self, claim: &ChatClaim, group: bool, as_of: Stamp) -> Merged {
        let before = self.clone();
        // Of several ids the least counts, whichever came first.
        self.provider_id = self.provider_id.iter().chain(&claim.provider_id).min().cloned();
        if group {
            self.kind = ChatKind::Group;
        }
        let subject = claim.subject.as_deref().map(names::clean).filter(|s| !s.is_empty());
        if let Some(subject) = subject {
            let latest = self.subject.take().map(|(known, since)| (since, known));
            self.subject =
                latest.max(Some((as_of, subject))).map(|(since, subject)| (subject, since));
        }
        if let Some(pinned) = claim.pinned {
            let (since, pinned) = (as_of, pinned).max((self.pinned.1, self.pinned.0));
            self.pinned = (pinned, since);
        }
        let shown = before.pinned.0 != self.pinned.0
            || before.subject.as_ref().map(|s| &s.0) != self.subject.as_ref().map(|s| &s.0)
            || (before.kind, &before.provider_id) != (self.kind, &self.provider_id);
        Merged { stored: before != *self, shown }
    }

    /// Notes who the other party is; the earliest fact counts.
    pub fn merge_counterparty(&mut self, person: Counterparty) -> Merged {
        let known = self.counterparty.as_ref();
        if known.is_some_and(|known| known.since <= person.since) {
            return Merged::NOTHING;
        }
        let shown = known.map(|known| known.key) != Some(person.key);
        self.counterparty = Some(person);
        Merged { stored: true, shown }
    }

    /// Takes over how the counterparty is shown now: name, number and picture.
    pub fn show_counterparty(&mut self, person: &Attendee) -> Merged {
        let before = (self.title(), self.picture().cloned());
        if let Some(known) = &mut self.counterparty {
            known.name = person.name().map(ToOwned::to_owned);
            known.phone = person.phone().map(ToOwned::to_owned);
            known.picture = person.shown_picture().cloned();
        }
        let after = (self.title(), self.picture().cloned());
        if before == after { Merged::NOTHING } else { Merged::SHOWN }
    }

    /// The picture to show: a group's own, in a chat of two the other party's.
    #[must_use]
    pub fn picture(&self) -> Option<&StoredFile> {
        match self.kind {
            ChatKind::Single => self.counterparty.as_ref()?.picture.as_ref(),
            ChatKind::Group | ChatKind::Channel => self.picture.as_ref(),
        }
    }

    /// Takes a new or changed message into the summary's last line.
    pub fn merge_last(&mut self, message: &Message) -> Merged {
        let order = message.sort_key();
        if !message.is_visible() || order < self.order {
            return Merged::NOTHING;
        }
        let last = Some(LastMessage {
            id: message.id,
            preview: message.preview(),
            direction: message.direction,
            kind: message.kind(),
            sent_at: message.sent_at,
            status: Some(message.status),
            file: message.content.attachments.first().map(|file| file.kind),
            sender: message.sender.clone(),
        });
        let changed = self.last != last || self.order != order;
        self.last = last;
        self.order = order;
        if changed { Merged::SHOWN } else { Merged::NOTHING }
    }

    /// Whether a message is unread here.
    #[must_use]
    pub fn is_unread(&self, message: &Message) -> bool {
        message.counts_as_unread() && message.sent_at > self.read_up_to
    }

    /// The name to show and where it came from.
    #[must_use]
    pub fn title(&self) -> (String, NameSource) {
        let person = self.counterparty.as_ref();
        names::title(TitleParts {
            own: self.own_name.as_deref(),
            group: self.kind != ChatKind::Single,
            subject: self.subject.as_ref().map(|(subject, _)| subject.as_str()),
            contact: person.and_then(|person| person.name.as_deref()),
            phone: person.and_then(|person| person.phone.as_deref()),
        })
    }
}
