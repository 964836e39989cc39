//! What was said before the run began: each message follows from the seed, its chat and its number.

use std::fmt::Write as _;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};

use super::{Attachment, ChatKey, Content, Media, Message, MessageKey, Quote, Receipt, Who};
use crate::dialogue::{Bank, Speaker};
use crate::dice::Dice;
use crate::ids;

/// Seconds between two messages of a chat, on average.
const GAP: u64 = 600;
/// Messages that belong to one conversation.
const CONVERSATION: u64 = 6;
/// One message in so many is a file; another one is a reply.
const FILE_EVERY: u64 = 37;
const REPLY_EVERY: u64 = 41;

/// The history that chats have before the run begins.
#[derive(Debug, Clone)]
pub(super) struct Before {
    pub(super) seed: u64,
    pub(super) per_chat: u64,
    pub(super) end: Timestamp,
    pub(super) bank: Arc<Bank>,
}

/// The history of one chat.
#[derive(Debug, Clone)]
pub(super) struct Past {
    before: Before,
    chat: u64,
    group: bool,
    /// Everybody but the owner, with their ids at WhatsApp.
    others: Vec<(Who, Arc<str>)>,
    owner: Arc<str>,
}

impl Before {
    pub(super) fn of(
        &self,
        chat: ChatKey,
        group: bool,
        others: Vec<(Who, Arc<str>)>,
        owner: Arc<str>,
    ) -> Past {
        Past { before: self.clone(), chat: chat.0 as u64, group, others, owner }
    }

    /// Which message of before an id belongs to.
    pub(super) fn find(&self, id: &str) -> Option<MessageKey> {
        let bytes = URL_SAFE_NO_PAD.decode(id).ok()?;
        let (place, proof) = bytes.split_at_checked(8)?;
        let proof = u64::from_be_bytes(proof.try_into().ok()?);
        let place = u64::from_be_bytes(place.try_into().ok()?) ^ mix(proof);
        let (chat, number) = (place >> 32, place & u64::from(u32::MAX));
        let real = number < self.per_chat && self.proof(chat, number) == proof;
        let chat = ChatKey(usize::try_from(chat).ok()?);
        real.then_some(MessageKey { chat, number })
    }

    fn proof(&self, chat: u64, number: u64) -> u64 {
        mix(self.seed ^ mix((chat << 32) | number))
    }
}

impl Past {
    pub(super) fn count(&self) -> u64 {
        self.before.per_chat
    }

    fn proof(&self, number: u64) -> u64 {
        self.before.proof(self.chat, number)
    }

    /// Rises with the number.
    pub(super) fn sent_at(&self, number: u64) -> Timestamp {
        let ago = (self.count() - number) * GAP - self.proof(number) % GAP;
        let ago = SignedDuration::from_secs(i64::try_from(ago).unwrap_or_default());
        self.before.end.checked_sub(ago).unwrap_or(Timestamp::MIN)
    }

    pub(super) fn message(&self, number: u64) -> Message {
        let dice = &mut self.dice(number / CONVERSATION);
        let line = usize::try_from(number % CONVERSATION).unwrap_or_default();
        let (speaker, text) = self.before.bank.recall(self.group, line, dice);
        let sender = match speaker {
            Speaker::Other(nth) if !self.others.is_empty() => {
                self.others[nth % self.others.len()].0
            }
            _ => Who::OWNER,
        };
        let content = match number % FILE_EVERY {
            11 => self.file(number, text),
            _ => Content::Text(text),
        };
        let id = self.id(number);
        let at = self.sent_at(number);
        let mut message = Message::new(id, self.provider_id(number), sender, at, content);
        if message.is_own() {
            message.receipt = Receipt::Read;
        }
        if number % REPLY_EVERY == 5 {
            message.quoted = Some(self.quote(number - 1));
        }
        message
    }

    /// The same dice for every message of a conversation.
    fn dice(&self, conversation: u64) -> Dice {
        Dice::new(self.before.seed, (1 << 63) | (self.chat << 32) | conversation)
    }

    fn id(&self, number: u64) -> Arc<str> {
        let proof = self.proof(number);
        let place = ((self.chat << 32) | number) ^ mix(proof);
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&place.to_be_bytes());
        bytes[8..].copy_from_slice(&proof.to_be_bytes());
        ids::encode::<16, 22>(&bytes)
    }

    fn provider_id(&self, number: u64) -> String {
        let random = mix(self.proof(number) ^ 3);
        let mut id = String::with_capacity(20);
        let _ = write!(id, "3A{random:016X}{:02X}", self.chat & 0xFF);
        id
    }

    fn file(&self, number: u64, caption: String) -> Content {
        let random = self.proof(number);
        let (media, name) = match random % 3 {
            0 => (Media::Image, None),
            1 => (Media::Voice, None),
            _ => (Media::Document, Some("receipt.pdf".into())),
        };
        let mut bytes = [0; 33];
        Dice::new(random, 7).fill(&mut bytes);
        let attachment = Attachment {
            id: ids::encode::<33, 44>(&bytes),
            media,
            bytes: 9_000 + random % 60_000,
            name,
            mimetype: None,
            unavailable: false,
        };
        let caption = (media == Media::Image).then_some(caption);
        Content::Media { attachments: vec![attachment], caption }
    }

    fn quote(&self, number: u64) -> Quote {
        let quoted = self.message(number);
        let sender = self.others.iter().find(|(who, _)| *who == quoted.sender);
        Quote {
            sender_id: sender.map_or(&self.owner, |(_, id)| id).to_string(),
            text: quoted.content.text().map(str::to_owned),
            provider_id: quoted.provider_id,
        }
    }
}

/// Scatters a number over all 64 bits; every number comes from exactly one.
const fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}
