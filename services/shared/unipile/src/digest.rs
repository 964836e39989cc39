//! An early filter for repeated webhooks.

use channel_domain::fact::{
    Attachment, ChatClaim, Deleted, Fact, OwnerClaim, Person, Quoted, Receipt, Received, Statement,
};
use sha2::{Digest as _, Sha256};

/// Rises with every change of the encoding below, so that two encodings are never compared.
const VERSION: u8 = 1;

/// A digest that is equal for two statements only if they say the same, so that the second may be
/// dropped unapplied. `None` for what may truly repeat (an edit, a reaction, a status; see
/// [`Fact::is_monotone`]).
///
/// It is taken over every claim, not over the bytes: a retry with other spacing or key order is
/// filtered, and the same message with more content, another name or an earlier time is not.
#[must_use]
pub fn digest(statement: &Statement) -> Option<[u8; 16]> {
    let mut encoder = Encoder::default();
    encoder.number(VERSION.into());
    encoder.text(statement.account.as_str());
    match &statement.fact {
        Fact::Received(fact) => encoder.received(fact),
        Fact::Receipt(fact) => encoder.receipt(fact),
        Fact::Deleted(Deleted { message }) => {
            encoder.number(3);
            encoder.text(message.as_str());
        }
        Fact::Edited(_) | Fact::Reacted(_) | Fact::Status(_) => return None,
    }
    Some(encoder.finish())
}

/// Writes each value with its length or presence before it, so that no two sequences of values give the
/// same bytes. Every struct is taken apart by name: a new field does not compile until it is encoded.
#[derive(Default)]
struct Encoder(Vec<u8>);

impl Encoder {
    fn finish(self) -> [u8; 16] {
        let hash = Sha256::digest(&self.0);
        let mut digest = [0; 16];
        digest.copy_from_slice(&hash[..16]);
        digest
    }

    fn number(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }

    fn length(&mut self, length: usize) {
        self.number(length as u64);
    }

    fn text(&mut self, value: &str) {
        self.length(value.len());
        self.0.extend_from_slice(value.as_bytes());
    }

    fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.0.push(value.is_some().into());
        if let Some(value) = value {
            write(self, value);
        }
    }

    fn texts<const N: usize>(&mut self, values: [Option<&str>; N]) {
        for value in values {
            self.option(value, Self::text);
        }
    }

    fn flag(&mut self, value: Option<bool>) {
        self.option(value, |encoder, value| encoder.0.push(value.into()));
    }

    fn signed(&mut self, value: Option<i64>) {
        self.option(value.map(i64::cast_unsigned), Self::number);
    }

    fn receipt(&mut self, receipt: &Receipt) {
        let Receipt { message, kind, claimed_at } = receipt;
        self.number(2);
        self.text(message.as_str());
        self.number(*kind as u64);
        self.signed(claimed_at.map(|at| at.0));
    }

    fn received(&mut self, fact: &Received) {
        let Received {
            message,
            provider_id,
            chat,
            owner,
            is_sender,
            sender,
            attendees,
            text,
            attachments,
            sent_at,
            event,
            hidden,
            forwarded,
            quoted,
        } = fact;
        self.number(1);
        self.text(message.as_str());
        self.texts([provider_id.as_deref(), text.as_deref()]);
        self.chat(chat);
        self.owner(owner);
        for value in [*is_sender, Some(*hidden), Some(*forwarded)] {
            self.flag(value);
        }
        self.option(sender.as_ref(), Self::person);
        self.length(attendees.len());
        for person in attendees {
            self.person(person);
        }
        self.length(attachments.len());
        for file in attachments {
            self.attachment(file);
        }
        self.signed(sent_at.map(|at| at.0));
        self.option(event.as_ref(), |encoder, event| {
            encoder.signed(event.number.map(i64::from));
        });
        self.option(quoted.as_ref(), Self::quoted);
    }

    fn chat(&mut self, chat: &ChatClaim) {
        let ChatClaim { id, provider_id, is_group, subject, pinned } = chat;
        self.text(id.as_str());
        self.texts([provider_id.as_deref(), subject.as_deref()]);
        self.flag(*is_group);
        self.flag(*pinned);
    }

    fn owner(&mut self, owner: &OwnerClaim) {
        let OwnerClaim { phone, user_id } = owner;
        self.texts([phone.as_deref(), user_id.as_deref()]);
    }

    fn person(&mut self, person: &Person) {
        let Person {
            id,
            provider_id,
            name,
            phone,
            lid,
            public_identifier,
            profile_url,
            picture_url,
        } = person;
        self.texts([
            id.as_ref().map(AsRef::as_ref),
            provider_id.as_deref(),
            name.as_deref(),
            phone.as_deref(),
            lid.as_deref(),
            public_identifier.as_deref(),
            profile_url.as_deref(),
            picture_url.as_deref(),
        ]);
    }

    fn attachment(&mut self, file: &Attachment) {
        let Attachment { id, kind, mime, size, name, width, height, duration_seconds, .. } = file;
        let Attachment { unavailable, fetch: _, .. } = file;
        self.texts([Some(id), mime.as_deref(), name.as_deref()]);
        self.number(*kind as u64);
        self.option(*size, Self::number);
        for value in [*width, *height, *duration_seconds] {
            self.option(value.map(u64::from), Self::number);
        }
        self.flag(Some(*unavailable));
    }

    fn quoted(&mut self, quoted: &Quoted) {
        let Quoted { provider_id, message, sender_id, text } = quoted;
        self.texts([
            provider_id.as_deref(),
            message.as_ref().map(AsRef::as_ref),
            sender_id.as_deref(),
            text.as_deref(),
        ]);
    }
}
