//! Facts to feed a store with.

use super::Fresh;
use crate::intake::{Delivery, Digest, Reading, Verdict};
use crate::reads::{AccountRow, ChatQuery, MessageQuery};
use crate::record::{ChatRecord, MessageRecord};
use bytes::Bytes;
use channel_domain::fact::{
    ChatClaim, Deleted, Edited, Fact, OwnerClaim, Person, Reacted, Receipt, ReceiptKind, Received,
    Statement, Status, UpstreamStatus,
};
use channel_domain::{Micros, search};
use sha2::{Digest as _, Sha256};

/// A round second to begin with.
pub(super) const NOON: i64 = 1_769_940_000_000_000;

/// `seconds` after noon.
pub(super) const fn at(seconds: i64) -> Micros {
    Micros(NOON + seconds * 1_000_000)
}

pub(super) fn person(name: &str, phone: &str) -> Person {
    Person {
        id: Some(format!("att-{phone}").into()),
        provider_id: Some(format!("9{phone}@lid")),
        name: Some(name.into()),
        phone: Some(phone.into()),
        public_identifier: Some(format!("{phone}@s.whatsapp.net")),
        ..Person::default()
    }
}

pub(super) fn owner() -> OwnerClaim {
    OwnerClaim { phone: Some("+15550100001".into()), user_id: None }
}

/// A text from a contact in a chat of two.
pub(super) fn incoming(message: &str, chat: &str, text: &str, second: i64) -> Received {
    Received {
        message: message.into(),
        provider_id: Some(format!("3A{message}")),
        chat: ChatClaim {
            id: chat.into(),
            provider_id: Some(format!("{chat}@lid")),
            is_group: Some(false),
            subject: None,
            pinned: Some(false),
        },
        owner: owner(),
        is_sender: Some(false),
        sender: Some(person("Ana", "15550100002")),
        attendees: vec![person("Ana", "15550100002")],
        text: Some(text.into()),
        attachments: vec![],
        sent_at: Some(at(second)),
        event: None,
        hidden: false,
        forwarded: false,
        quoted: None,
    }
}

/// A text typed on the owner's phone.
pub(super) fn outgoing(message: &str, chat: &str, text: &str, second: i64) -> Received {
    let contact = person("Ana", "15550100002");
    Received {
        is_sender: Some(true),
        sender: Some(person("Owner", "15550100001")),
        attendees: vec![contact],
        ..incoming(message, chat, text, second)
    }
}

pub(super) fn read(message: &str) -> Fact {
    Fact::Receipt(Receipt { message: message.into(), kind: ReceiptKind::Read, claimed_at: None })
}

pub(super) fn edited(message: &str, text: &str) -> Fact {
    Fact::Edited(Edited { message: message.into(), text: Some(text.into()) })
}

pub(super) fn deleted(message: &str) -> Fact {
    Fact::Deleted(Deleted { message: message.into() })
}

pub(super) fn reacted(message: &str, emoji: Option<&str>) -> Fact {
    Fact::Reacted(Box::new(Reacted {
        message: message.into(),
        actor: person("Ana", "15550100002"),
        owner: owner(),
        emoji: emoji.map(Into::into),
    }))
}

/// The owner reacts, and the payload does not tell that it is the owner.
pub(super) fn owner_reacted(message: &str, emoji: Option<&str>) -> Fact {
    Fact::Reacted(Box::new(Reacted {
        message: message.into(),
        actor: person("Owner", "15550100001"),
        owner: OwnerClaim::default(),
        emoji: emoji.map(Into::into),
    }))
}

pub(super) const fn status(status: UpstreamStatus) -> Fact {
    Fact::Status(Status { status })
}

pub(super) fn received(received: Received) -> Fact {
    Fact::Received(Box::new(received))
}

/// What a parser would make of the fact.
pub(super) fn reading(account: &str, fact: Fact) -> Reading {
    let mut digest: Digest = [0; 16];
    digest.copy_from_slice(&Sha256::digest(format!("{account} {fact:?}"))[..16]);
    Reading::Statement { statement: Box::new(Statement { account: account.into(), fact }), digest }
}

/// A delivery of a reading.
pub(super) fn delivery(reading: Reading, received_at: Micros) -> Delivery {
    Delivery {
        received_at,
        body: Bytes::from_static(b"{}"),
        headers: "{}".into(),
        reading,
        trace: Some("00-0123456789abcdef0123456789abcdef-0123456789abcdef-01".into()),
    }
}

impl Fresh {
    /// Takes facts as one batch, received a second apart from `second` on.
    pub(super) async fn take(&self, account: &str, facts: Vec<Fact>, second: i64) -> Vec<Verdict> {
        let stamped = facts.into_iter().zip(second..);
        let batch = stamped.map(|(fact, second)| delivery(reading(account, fact), at(second)));
        self.store.take(batch.collect()).await.expect("a batch is taken").verdicts
    }

    /// Takes readings as one batch, received at noon.
    pub(super) async fn take_readings(&self, readings: Vec<Reading>) -> Vec<Verdict> {
        let batch = readings.into_iter().map(|reading| delivery(reading, at(0))).collect();
        self.store.take(batch).await.expect("a batch is taken").verdicts
    }

    pub(super) async fn account(&self, id: &str) -> AccountRow {
        self.store.account(&id.into()).await.expect("an answer").expect("the account")
    }

    pub(super) async fn chats(&self, account: &str) -> Vec<ChatRecord> {
        let key = self.account(account).await.key;
        let query = ChatQuery { limit: 100, ..ChatQuery::default() };
        let chats = self.store.chats(key, &query).await.expect("an answer");
        chats.into_iter().map(|(_, chat)| chat).collect()
    }

    pub(super) async fn chat(&self, account: &str, id: &str) -> ChatRecord {
        let key = self.account(account).await.key;
        self.store.chat(key, &id.into()).await.expect("an answer").expect("the chat")
    }

    /// Newest first.
    pub(super) async fn messages(&self, account: &str, chat: &str) -> Vec<MessageRecord> {
        let key = self.account(account).await.key;
        let query = MessageQuery { before: None, after: None, inclusive: false, limit: 1000 };
        self.store.messages(key, &chat.into(), &query).await.expect("an answer")
    }

    pub(super) async fn found(&self, account: &str, words: &str) -> Vec<String> {
        let key = self.account(account).await.key;
        let words = search::query(words);
        let query = crate::reads::SearchQuery { words, chat: None, before: None, limit: 100 };
        let found = self.store.search(key, &query).await.expect("an answer");
        found.into_iter().map(|message| message.text.unwrap_or_default()).collect()
    }
}
