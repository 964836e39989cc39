//! A contact is erased while people look on, and stays so.

mod export;

use crate::world::{World, on_both};
use anyhow::{Context, Result, ensure};
use channel_proto::messaging::v1::{
    EraseContactRequest, Erasure, GetErasureRequest, SyncAccountRequest,
};
use channel_proto::query::v1::watch_response::Frame;
use channel_proto::query::v1::{
    GetAttendeeRequest, ListChatsRequest, ListMessagesRequest, SearchMessagesRequest,
};
use channel_proto::types::v1::{
    Change, ChangeKind, Chat, EntityKind, FetchState, Message, SyncKind, SyncState,
};
use channel_tests::client;
use channel_tests::history::History;
use channel_tests::program::{Program, Setup};
use channel_tests::until::until;
use channel_tests::upstream::{Place, Upstream};
use channel_tests::watcher::Watcher;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use tempfile::TempDir;
use tonic::Code;

on_both!(
    an_erased_contact_is_forgotten_by_everybody_and_does_not_come_back,
    an_erasure_that_was_interrupted_goes_on,
    an_erasure_is_for_those_who_manage_accounts,
    messages_past_their_age_go_and_history_does_not_bring_them_back,
);

/// A program with two chats of two, the first of which is erased.
struct Stage {
    program: Program,
    upstream: Upstream,
    account: String,
    chats: Vec<String>,
    files: TempDir,
}

impl Stage {
    async fn new(world: &World, past: usize) -> Result<Self> {
        let files = tempfile::tempdir()?;
        let setup = Setup::whole(&world.backend)?
            .with("MEDIA__PATH", &files.path().display().to_string())
            .with("MESSAGING__IMPORT_WAIT_SECONDS", "0")
            .with("MESSAGING__POLL_INTERVAL_MS", "50")
            .with("MEDIA__PICTURES__PER_MINUTE", "0");
        let place = Place::beside(&setup)?.with_chats(2).with_past(past);
        let program = place.known_to(setup).start().await?;
        let upstream = place.start().await?;
        let (account, chats) = (upstream.account().await?, upstream.chats().await?);
        let stage = Self { program, upstream, account, chats, files };
        for chat in &stage.chats {
            stage.upstream.contact_writes(chat, "a walrus").await?;
        }
        until("both chats are known, with their past", || async {
            for chat in &stage.chats {
                let messages = stage.messages(chat).await.ok()?;
                (messages.len() > past).then_some(())?;
            }
            Some(())
        })
        .await?;
        Ok(stage)
    }

    async fn messages(&self, chat: &str) -> Result<Vec<Message>> {
        let request = ListMessagesRequest {
            account_id: self.account.clone(),
            chat_id: chat.to_owned(),
            page_size: 200,
            ..ListMessagesRequest::default()
        };
        Ok(self.program.query()?.list_messages(request).await?.into_inner().messages)
    }

    async fn listed(&self) -> Result<Vec<Chat>> {
        let request = ListChatsRequest::default();
        Ok(self.program.query()?.list_chats(request).await?.into_inner().chats)
    }

    /// Whom the chat is with.
    async fn person(&self, chat: &str) -> Result<String> {
        let chats = self.listed().await?;
        let chat = chats.into_iter().find(|it| it.chat_id == chat).context("the chat")?;
        Ok(chat.counterparty_attendee_id)
    }

    fn managing(&self) -> Result<client::Messaging> {
        client::managing(&self.program.url(), "default")
    }

    async fn erase(&self, attendee: &str) -> Result<Erasure> {
        let request = EraseContactRequest {
            account_id: self.account.clone(),
            attendee_ids: vec![attendee.to_owned()],
            request_id: String::new(),
        };
        let answer = self.managing()?.erase_contact(request).await?.into_inner();
        answer.erasure.context("an erasure")
    }

    async fn until_erased(&self, id: &str) -> Result<Erasure> {
        until("the contact is erased", || async {
            let request = GetErasureRequest { erasure_id: id.to_owned() };
            let answer = self.managing().ok()?.get_erasure(request).await.ok()?.into_inner();
            answer.erasure.filter(|erasure| erasure.ended_at.is_some())
        })
        .await
    }

    /// Sends a picture from a contact and waits until it is here.
    async fn picture(&self, chat: &str, bytes: &[u8]) -> Result<()> {
        let id = self.upstream.contact_sends(chat, "image/png", bytes, json!({})).await?;
        until("the picture is stored", || async {
            let messages = self.messages(chat).await.ok()?;
            let message = messages.into_iter().find(|it| it.upstream_id == id)?;
            let file = message.attachments.first()?;
            (file.fetch_state() == FetchState::Stored).then_some(())
        })
        .await
    }

    /// The person is not there, and of what all wrote only the other one's message is found.
    async fn nothing_is_found_of(&self, person: &str) -> Result<()> {
        let request = GetAttendeeRequest {
            account_id: self.account.clone(),
            attendee_id: person.to_owned(),
            ..GetAttendeeRequest::default()
        };
        let gone = self.program.query()?.get_attendee(request).await;
        assert_eq!(gone.err().context("they are there")?.code(), Code::NotFound);
        let query = "walrus".to_owned();
        let search = SearchMessagesRequest { query, ..SearchMessagesRequest::default() };
        let found = self.program.query()?.search_messages(search).await?.into_inner();
        assert_eq!(found.hits.len(), 1);
        Ok(())
    }

    /// Reads the whole history in once more.
    async fn read_history(&self) -> Result<()> {
        let request = SyncAccountRequest {
            account_id: self.account.clone(),
            kind: SyncKind::History.into(),
            request_id: uuid::Uuid::now_v7().to_string(),
            ..SyncAccountRequest::default()
        };
        until("the history was read", || async {
            let answer = self.managing().ok()?.sync_account(request.clone()).await.ok()?;
            let state = answer.into_inner().progress?.state();
            (state == SyncState::Done).then_some(())
        })
        .await
    }
}

/// Waits until the second of an erasure is over.
async fn until_after(erasure: &Erasure) -> Result<()> {
    let asked = erasure.requested_at.context("a time")?.seconds;
    until("the second of the erasure is over", || async {
        let now = std::time::UNIX_EPOCH.elapsed().ok()?.as_secs().cast_signed();
        (now > asked + 1).then_some(())
    })
    .await
}

/// How many files lie there.
fn files(folder: &Path) -> Result<usize> {
    let mut count = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        count += if entry.file_type()?.is_dir() { files(&entry.path())? } else { 1 };
    }
    Ok(count)
}

fn changes(history: &History) -> Vec<Change> {
    let frames = history.frames.iter().filter_map(|frame| frame.frame.as_ref());
    let changes = frames.filter_map(|frame| match frame {
        Frame::Changes(changes) => Some(changes.changes.clone()),
        _ => None,
    });
    changes.flatten().collect()
}

fn is_told(history: &History, kind: EntityKind, id: &str) -> bool {
    changes(history).iter().any(|change| {
        change.op() == ChangeKind::Delete && change.entity_kind() == kind && change.entity_id == id
    })
}

async fn an_erased_contact_is_forgotten_by_everybody_and_does_not_come_back(
    world: World,
) -> Result<()> {
    let stage = Stage::new(&world, 3).await?;
    let (erased, other) = (stage.chats[0].clone(), stage.chats[1].clone());
    let shared = b"\x89PNG\r\n\x1a\n the same".to_vec();
    stage.picture(&erased, &shared).await?;
    stage.picture(&other, &shared).await?;
    stage.picture(&erased, b"\x89PNG\r\n\x1a\n of one").await?;
    assert_eq!(files(stage.files.path())?, 2);
    let person = stage.person(&erased).await?;
    let before = stage.messages(&other).await?;
    let mut watcher = Watcher::start(stage.program.query()?, BTreeMap::new());
    watcher.until("the stream is open", |history| !history.frames.is_empty()).await?;

    let erasure = stage.erase(&person).await?;
    let done = stage.until_erased(&erasure.erasure_id).await?;
    let counts = done.counts.context("counts")?;
    // Lists of chats name people by WhatsApp's id alone, which is another id of the same person.
    assert_eq!((counts.attendees, counts.chats, counts.messages), (2, 1, 6));
    watcher
        .until("the stream is told to forget", |history| {
            is_told(history, EntityKind::Chat, &erased)
                && is_told(history, EntityKind::Attendee, &person)
        })
        .await?;
    let seen = watcher.history().check().map_err(|broken| anyhow::anyhow!("{broken}"))?;
    let cursor = seen.get(&stage.account).context("the account")?.cursor.clone();
    until("the bytes of one file are gone", || async {
        (files(stage.files.path()).ok()? == 1).then_some(())
    })
    .await?;

    stage.read_history().await?;
    let chats = stage.listed().await?;
    assert_eq!(chats.iter().map(|chat| &chat.chat_id).collect::<Vec<_>>(), [&other]);
    let same: Vec<_> = before.iter().map(|message| &message.message_id).collect();
    let now = stage.messages(&other).await?;
    assert_eq!(now.iter().map(|message| &message.message_id).collect::<Vec<_>>(), same);
    stage.nothing_is_found_of(&person).await?;
    // WhatsApp tells times in whole seconds, and all of the second of an erasure counts as before it.
    until_after(&done).await?;

    // A cursor from before is good, and whoever writes again is somebody new.
    stage.upstream.contact_writes(&erased, "me again").await?;
    let cursors = BTreeMap::from([(stage.account.clone(), cursor)]);
    let mut later = Watcher::start(stage.program.query()?, cursors);
    later
        .until("the new message is told", |history| {
            history.messages().iter().any(|message| message.text == "me again")
        })
        .await?;
    let seen = later.stop().check().map_err(|broken| anyhow::anyhow!("{broken}"))?;
    ensure!(seen.values().all(|it| it.resets.is_empty()), "the cursor was void");
    assert_eq!(stage.messages(&erased).await?.len(), 1);
    stage.program.stop().await.map(drop)
}

async fn an_erasure_that_was_interrupted_goes_on(world: World) -> Result<()> {
    let stage = Stage::new(&world, 150).await?;
    let erased = stage.chats[0].clone();
    let person = stage.person(&erased).await?;
    let mut watcher = Watcher::start(stage.program.query()?, BTreeMap::new());
    watcher.until("the stream is open", |history| !history.frames.is_empty()).await?;
    let erasure = stage.erase(&person).await?;
    let told = |history: &History| is_told(history, EntityKind::Chat, &erased);
    watcher.until("the first piece is done", told).await?;
    let Stage { program, upstream, account, chats, files } = stage;
    let program = program.kill().await?.start().await?;
    let stage = Stage { program, upstream, account, chats, files };
    let counts = stage.until_erased(&erasure.erasure_id).await?.counts.context("counts")?;
    assert_eq!(counts.messages, 151, "each was erased once");
    stage.read_history().await?;
    assert_eq!(stage.listed().await?.len(), 1);
    stage.program.stop().await.map(drop)
}

async fn an_erasure_is_for_those_who_manage_accounts(world: World) -> Result<()> {
    let stage = Stage::new(&world, 0).await?;
    let person = stage.person(&stage.chats[0]).await?;
    let request = EraseContactRequest {
        account_id: stage.account.clone(),
        attendee_ids: vec![person.clone()],
        request_id: String::new(),
    };
    let agent = stage.program.messaging()?.erase_contact(request.clone()).await;
    assert_eq!(agent.err().context("an agent may")?.code(), Code::PermissionDenied);
    let mut acme = client::managing(&stage.program.url(), "acme")?;
    let status = acme.erase_contact(request).await.err().context("somebody else may")?;
    assert_eq!(status.code(), Code::NotFound);
    let erasure = stage.erase(&person).await?;
    stage.until_erased(&erasure.erasure_id).await?;
    let request = GetErasureRequest { erasure_id: erasure.erasure_id };
    let status = acme.get_erasure(request).await.err().context("somebody else sees it")?;
    assert_eq!(status.code(), Code::NotFound);
    stage.program.stop().await.map(drop)
}

async fn messages_past_their_age_go_and_history_does_not_bring_them_back(
    world: World,
) -> Result<()> {
    let stage = Stage::new(&world, 190).await?;
    let chat = stage.chats[0].clone();
    let day_ago = std::time::UNIX_EPOCH.elapsed()?.as_secs().cast_signed() - 86_400;
    let is_old = |message: &Message| message.sent_at.is_none_or(|at| at.seconds < day_ago);
    let old = stage.messages(&chat).await?.iter().filter(|it| is_old(it)).count();
    ensure!(old > 10, "only {old} messages are old");
    let Stage { program, upstream, account, chats, files } = stage;
    let setup = program.stop().await?.with("RETENTION__MESSAGES_DAYS", "1");
    let program = setup.with("RETENTION__EVERY_SECONDS", "1").start().await?;
    let stage = Stage { program, upstream, account, chats, files };
    until("what is old is gone", || async {
        let messages = stage.messages(&chat).await.ok()?;
        (!messages.iter().any(is_old)).then_some(())
    })
    .await?;
    stage.read_history().await?;
    let messages = stage.messages(&chat).await?;
    ensure!(!messages.iter().any(is_old), "history brought it back");
    ensure!(messages.iter().any(|it| it.text == "a walrus"), "what is new is gone");
    stage.program.stop().await.map(drop)
}
