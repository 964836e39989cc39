//! A message and the rules by which facts merge into it.
//!
//! Order-free, field by field: the content is the richest one received, of equals the one stored first;
//! an edit is the one stored last; the status is a rank that only rises; times are the least of those
//! claimed; a deletion stays; a person's reaction is the one stored last. Only the place in the chat is
//! fixed at first sight.

use crate::attendee::Merged;
use crate::direction::Direction;
use crate::fact::{Attachment, Quoted, ReceiptKind, Received, SystemEvent};
use crate::ids::{AttendeeId, ChatId, MessageId, UpstreamMessageId};
use crate::mentions;
use crate::preview;
use crate::send::{Phase, Sending};
use crate::sort_key::SortKey;
use crate::time::{Micros, Stamp};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;

/// How far a message came. It never falls; a failure is a flag of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(i16)]
pub enum Status {
    /// Accepted by us, not yet by UniPile.
    Pending = 1,
    /// Accepted by WhatsApp.
    Sent = 2,
    /// On the other side's device.
    Delivered = 3,
    /// Read.
    Read = 4,
    /// A voice note was played.
    Played = 5,
}

impl Status {
    /// Reads the stored rank.
    #[must_use]
    pub const fn from_rank(rank: i16) -> Option<Self> {
        Some(match rank {
            1 => Self::Pending,
            2 => Self::Sent,
            3 => Self::Delivered,
            4 => Self::Read,
            5 => Self::Played,
            _ => return None,
        })
    }

    /// The rank to store.
    #[must_use]
    pub const fn rank(self) -> i16 {
        self as i16
    }
}

/// What a message is, for those who show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContentKind {
    /// Text only.
    Text,
    /// Files, with or without a caption.
    Media,
    /// A call or a system line.
    Event,
    /// Something that this channel cannot carry: a contact, a location, a poll arrive empty.
    Unsupported,
    /// Deleted for everyone.
    Deleted,
}

/// Where a message came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(i16)]
pub enum Origin {
    /// A webhook brought it.
    Webhook = 1,
    /// It was sent through us.
    Sent = 2,
    /// It was imported from history.
    Imported = 3,
    /// It was missed, and read after all.
    Repaired = 4,
}

impl Origin {
    /// Reads the stored number.
    #[must_use]
    pub const fn from_number(number: i16) -> Option<Self> {
        Some(match number {
            1 => Self::Webhook,
            2 => Self::Sent,
            3 => Self::Imported,
            4 => Self::Repaired,
            _ => return None,
        })
    }
}

/// What somebody wrote, as received. Edits are kept apart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// Text or caption.
    pub text: Option<String>,
    /// Files.
    pub attachments: Vec<Attachment>,
    /// A call or a system line.
    pub event: Option<SystemEvent>,
    /// Not to be shown in the conversation.
    pub hidden: bool,
    /// Forwarded from another chat.
    pub forwarded: bool,
    /// What it answers.
    pub quoted: Option<Quoted>,
}

impl Content {
    /// The content of a payload.
    #[must_use]
    pub fn of(message: &Received) -> Self {
        Self {
            text: message.text.clone().filter(|text| !text.is_empty()),
            attachments: message.attachments.clone(),
            event: message.event,
            hidden: message.hidden,
            forwarded: message.forwarded,
            quoted: message.quoted.clone(),
        }
    }

    /// The same, keeping how far the files are that another content had too.
    fn keeping(mut self, other: &Self) -> Self {
        for file in &mut self.attachments {
            let same = other.attachments.iter().find(|old| old.id == file.id);
            file.fetch = same.and_then(|old| old.fetch.clone());
        }
        self
    }

    /// How much there is to show. A contact, a location or a poll comes blank, and may be filled later.
    fn richness(&self) -> (bool, usize) {
        let files = self.attachments.iter().filter(|file| !file.unavailable).count();
        let anything = self.event.is_some() || !self.attachments.is_empty();
        (self.text.is_some() || anything, files)
    }
}

/// The latest edit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// The new text; `None` until the message has been read again.
    pub text: Option<String>,
    /// When it was stored.
    pub stamp: Stamp,
}

/// When something happened, from two clocks: the payload's, which may be the message's own time, and
/// ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// The least time claimed.
    pub claimed: Option<Micros>,
    /// The least time of arrival.
    pub arrived: Micros,
}

impl Moment {
    /// The earlier of both, field by field.
    #[must_use]
    pub fn earliest(self, other: Self) -> Self {
        let claimed = match (self.claimed, other.claimed) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        Self { claimed, arrived: self.arrived.min(other.arrived) }
    }

    /// The time to show: the claimed one if it is later than the sending, else the arrival. UniPile
    /// does not document which time a receipt carries.
    #[must_use]
    pub fn shown(self, sent_at: Micros) -> Micros {
        self.claimed.filter(|at| *at > sent_at).unwrap_or(self.arrived)
    }
}

/// One person's reaction; a removed one is remembered, so that an older fact cannot bring it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reaction {
    /// Key of the person.
    pub actor_key: i64,
    /// Public id of the person.
    pub actor: AttendeeId,
    /// The person is the account's owner.
    pub is_self: bool,
    /// The emoji; `None` when it was removed.
    pub emoji: Option<String>,
    /// When the fact was stored.
    pub stamp: Stamp,
}

/// The stored state of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Our key inside the account.
    pub key: i64,
    /// The public id.
    pub id: MessageId,
    /// UniPile's id, once known.
    pub upstream_id: Option<UpstreamMessageId>,
    /// WhatsApp's id.
    pub provider_id: Option<String>,
    /// Key of the chat.
    pub chat_key: i64,
    /// Public id of the chat.
    pub chat: ChatId,
    /// Key of the writer.
    pub sender_key: Option<i64>,
    /// Public id of the writer.
    pub sender: Option<AttendeeId>,
    /// In or out.
    pub direction: Direction,
    /// Webhook, sent by us, or imported.
    pub origin: Origin,
    /// What was written.
    pub content: Content,
    /// The fact that `content` came from.
    pub content_stamp: Stamp,
    /// Provider time.
    pub sent_at: Micros,
    /// The first arrival of the message itself.
    pub arrived: Stamp,
    /// How far it came.
    pub status: Status,
    /// When it was delivered.
    pub delivered: Option<Moment>,
    /// When it was read.
    pub read: Option<Moment>,
    /// The latest edit.
    pub edit: Option<Edit>,
    /// When it was deleted.
    pub deleted_at: Option<Micros>,
    /// Reactions, removed ones included.
    pub reactions: Vec<Reaction>,
    /// Where its own sending stands; only of a message sent through us.
    pub sending: Option<Sending>,
    /// Who is named in its texts, as far as the account knows them; not stored with it.
    pub mentioned: Vec<mentions::Known>,
    /// The sequence number of the last event about it.
    pub rev: u64,
}

impl Message {
    /// Takes in another description of the same message. Its place in the chat is fixed at first sight,
    /// so that a page being read does not shift.
    pub fn merge_received(&mut self, other: &Received, stamp: Stamp) -> Merged {
        let mut merged = Merged::NOTHING;
        let content = Content::of(other).keeping(&self.content);
        let rank = |content: &Content, stamp: Stamp| (content.richness(), Reverse(stamp));
        if rank(&content, stamp) > rank(&self.content, self.content_stamp) {
            merged = Merged { stored: true, shown: content != self.content };
            self.content = content;
            self.content_stamp = stamp;
        }
        // Of several ids the least counts, whichever came first.
        let least = self.provider_id.iter().chain(&other.provider_id).min().cloned();
        if self.provider_id != least {
            self.provider_id = least;
            merged = Merged::SHOWN;
        }
        merged.and(self.merge_echo(other, stamp))
    }

    /// Takes in whom a copy names as the writer. Of several ids the best counts, and of several as good ones the
    /// least, whichever came first.
    pub fn merge_sender(&mut self, key: i64, id: &AttendeeId) -> Merged {
        let place = |id: &AttendeeId| (id.rank(), id.clone());
        if self.sender.as_ref().is_some_and(|known| place(known) <= place(id)) {
            return Merged::NOTHING;
        }
        (self.sender_key, self.sender) = (Some(key), Some(id.clone()));
        Merged::SHOWN
    }

    /// The first account that WhatsApp gives of a message sent from here: what it says is what was sent, and
    /// its time is the provider's. A message never moves back in its chat.
    fn merge_echo(&mut self, other: &Received, stamp: Stamp) -> Merged {
        let Some(sending) = self.sending.as_mut().filter(|sending| !sending.echoed) else {
            return Merged::NOTHING;
        };
        sending.echoed = true;
        self.sent_at = self.sent_at.max(other.sent_at.unwrap_or(self.sent_at));
        let content = Content::of(other).keeping(&self.content);
        if content.richness() >= self.content.richness() {
            let quoted = content.quoted.or_else(|| self.content.quoted.take());
            self.content = Content { quoted, ..content };
            self.content_stamp = stamp;
        }
        Merged::SHOWN
    }

    /// UniPile's id of a message sent from here is known: it was sent.
    pub fn accepted(&mut self, upstream_id: UpstreamMessageId) {
        self.upstream_id = Some(upstream_id);
        self.status = self.status.max(Status::Sent);
        if let Some(sending) = &mut self.sending {
            sending.phase = Phase::Sent;
            sending.failure = None;
        }
    }

    /// Takes over all that became of a message that was stored as another one and is this one.
    pub fn absorb(&mut self, other: Self) {
        self.provider_id = other.provider_id.or_else(|| self.provider_id.take());
        if let (Some(key), Some(id)) = (other.sender_key, &other.sender) {
            self.merge_sender(key, id);
        }
        self.sent_at = self.sent_at.max(other.sent_at);
        self.content = other.content;
        self.content_stamp = other.content_stamp;
        self.status = self.status.max(other.status);
        self.delivered = earliest(self.delivered, other.delivered);
        self.read = earliest(self.read, other.read);
        self.edit = other.edit.or_else(|| self.edit.take());
        self.deleted_at = self.deleted_at.into_iter().chain(other.deleted_at).min();
        for reaction in other.reactions {
            self.merge_reaction(reaction);
        }
        if let Some(sending) = &mut self.sending {
            sending.echoed = true;
        }
    }

    /// Takes in a receipt.
    pub fn merge_receipt(
        &mut self,
        kind: ReceiptKind,
        claimed: Option<Micros>,
        at: Micros,
    ) -> Merged {
        let before = (self.status, self.delivered, self.read);
        let moment = Moment { claimed, arrived: at };
        let (status, slot) = match kind {
            ReceiptKind::Delivered => (Status::Delivered, &mut self.delivered),
            ReceiptKind::Read => (Status::Read, &mut self.read),
        };
        *slot = Some(slot.map_or(moment, |known| known.earliest(moment)));
        self.status = self.status.max(status);
        if before == (self.status, self.delivered, self.read) {
            Merged::NOTHING
        } else {
            Merged::SHOWN
        }
    }

    /// Takes in an edit; the one stored last wins.
    pub fn merge_edit(&mut self, text: Option<&str>, stamp: Stamp) -> Merged {
        if self.edit.as_ref().is_some_and(|edit| edit.stamp >= stamp) {
            return Merged::NOTHING;
        }
        self.edit = Some(Edit { text: text.map(ToOwned::to_owned), stamp });
        Merged::SHOWN
    }

    /// Takes in a deletion, which stays.
    pub fn merge_deleted(&mut self, at: Micros) -> Merged {
        let earliest = self.deleted_at.map_or(at, |known| known.min(at));
        let changed = self.deleted_at != Some(earliest);
        self.deleted_at = Some(earliest);
        if changed { Merged::SHOWN } else { Merged::NOTHING }
    }

    /// Takes in a reaction; WhatsApp keeps one for each person, and the one stored last wins.
    pub fn merge_reaction(&mut self, reaction: Reaction) -> Merged {
        match self.reactions.iter_mut().find(|known| known.actor_key == reaction.actor_key) {
            Some(known) if known.stamp >= reaction.stamp => Merged::NOTHING,
            Some(known) => {
                let shown = known.emoji != reaction.emoji;
                *known = reaction;
                Merged { stored: true, shown }
            }
            None => {
                let shown = reaction.emoji.is_some();
                self.reactions.push(reaction);
                Merged { stored: true, shown }
            }
        }
    }

    /// The text to show: the latest edit's, else the one received.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        let edited = self.edit.as_ref().and_then(|edit| edit.text.as_deref());
        edited.or(self.content.text.as_deref())
    }

    /// Notes people who may be named in its texts.
    pub fn mention(&mut self, people: Vec<mentions::Known>) {
        for person in people {
            if !self.mentioned.iter().any(|known| known.id == person.id) {
                self.mentioned.push(person);
            }
        }
    }

    /// The ids that stand in its texts in place of names.
    pub fn mentioned_ids(&self) -> impl Iterator<Item = &str> {
        let edited = self.edit.as_ref().and_then(|edit| edit.text.as_deref());
        let quoted = self.content.quoted.as_ref().and_then(|quoted| quoted.text.as_deref());
        let texts = [edited, self.content.text.as_deref(), quoted];
        texts.into_iter().flatten().flat_map(mentions::ids)
    }

    /// The text to show, with names in it.
    #[must_use]
    pub fn shown_text(&self) -> Option<mentions::Shown<'_>> {
        self.text().map(|text| mentions::shown(text, &self.mentioned))
    }

    /// What it is, for those who show it.
    #[must_use]
    pub fn kind(&self) -> ContentKind {
        if self.deleted_at.is_some() {
            ContentKind::Deleted
        } else if self.content.event.is_some() {
            ContentKind::Event
        } else if !self.content.attachments.is_empty() {
            ContentKind::Media
        } else if self.text().is_some() {
            ContentKind::Text
        } else {
            ContentKind::Unsupported
        }
    }

    /// The line for lists.
    #[must_use]
    pub fn preview(&self) -> String {
        let text = self.shown_text().map(|shown| shown.text);
        let file = self.content.attachments.first();
        preview::line(preview::Parts {
            kind: self.kind(),
            text: text.as_deref(),
            file: file.map(|file| (file.kind, file.name.as_deref())),
            event: self.content.event.and_then(|event| event.number),
        })
    }

    /// Where it stands in the chat.
    #[must_use]
    pub fn sort_key(&self) -> SortKey {
        let id;
        let identity = match &self.upstream_id {
            // One sent from here has its own id before UniPile's, and keeps its place.
            Some(upstream) if self.origin != Origin::Sent => upstream.as_str(),
            _ => {
                id = self.id.to_string();
                &id
            }
        };
        SortKey::new(self.sent_at, self.arrived.at, identity)
    }

    /// Whether it counts as unread while it is newer than the read marker.
    #[must_use]
    pub fn counts_as_unread(&self) -> bool {
        self.direction == Direction::In
            && self.origin != Origin::Imported
            && self.deleted_at.is_none()
            && !self.content.hidden
            && self.content.event.is_none()
    }

    /// Whether it may stand as the chat's last message.
    #[must_use]
    pub const fn is_visible(&self) -> bool {
        !self.content.hidden
    }
}

fn earliest(one: Option<Moment>, other: Option<Moment>) -> Option<Moment> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.earliest(other)),
        (one, other) => one.or(other),
    }
}
