//! The account's chats, and of each its people and messages.

use std::collections::HashSet;
use std::time::Duration;

use channel_domain::{ChatId, Micros};
use channel_store::outbox::ChatNews;
use channel_store::record::SyncRecord;
use channel_store::sync::{ListedChat, NextChat, SyncStep};
use channel_unipile::upstream::{Attendee, Chat, ChatQuery, Cursor, PAGE_MAX, Paging, SyncState};

use super::pages::{Listed, MOST_PAGES, Source};
use super::run::{Halt, Run};

/// How often it is asked how far UniPile came with reading a chat anew, and for how long.
const ASK_EVERY: Duration = Duration::from_secs(5);
const MOST_ASKED: usize = 60;

impl Run {
    /// Reads the list of chats to its end.
    pub(super) async fn list(&mut self, mut sync: SyncRecord) -> Result<(), Halt> {
        let mut seen = HashSet::new();
        while !sync.listed {
            let cursor = sync.cursor.as_deref().and_then(Cursor::new);
            let is_new = cursor.as_ref().is_none_or(|cursor| seen.insert(cursor.clone()));
            if !is_new || sync.pages >= MOST_PAGES {
                return Err(Halt::Fail("UPSTREAM_CURSOR_LOOP"));
            }
            let query =
                ChatQuery { paging: Paging { cursor, limit: PAGE_MAX }, ..ChatQuery::default() };
            let page = self.ask(self.shared.upstream.chats(&self.account, &query)).await?;
            let page = page.map_err(|error| self.halt(&error))?;
            let next = page.next.map(|next| next.as_str().to_owned());
            let chats = page.items.into_iter().map(listed).collect();
            sync = self.stands(SyncStep::Chats(self.id, self.taken, chats, next)).await?;
        }
        Ok(())
    }

    /// Reads every chat that is left.
    pub(super) async fn chats(&mut self, since: Option<i64>) -> Result<(), Halt> {
        while let Some(next) = self.shared.store.next_chat(&self.account, self.id).await? {
            if self.is_stopped() {
                return Err(Halt::Lost);
            }
            self.chat(&next, since.map(Micros)).await?;
        }
        Ok(())
    }

    async fn chat(&self, next: &NextChat, since: Option<Micros>) -> Result<(), Halt> {
        let chat = &next.chat;
        let people = self.ask(self.shared.upstream.chat_attendees(&self.account, chat)).await?;
        let people = match people {
            Ok(page) => page.items,
            // The chat is gone: its messages tell.
            Err(error) if error.is_not_found() => vec![],
            Err(error) => return Err(self.halt(&error)),
        };
        if !next.people {
            let step = SyncStep::People(self.id, self.taken, chat.clone(), known(&people));
            self.step(step).await?;
        }
        let source = Source::Chat(chat, &people);
        let read = self.messages(&source, next.cursor.as_deref(), next.pages, since).await?;
        match read {
            Ok(Listed::Whole) => Ok(()),
            Ok(Listed::Circles) => self.give_up(chat).await,
            Err(error) => match self.halt(&error) {
                // This chat cannot be read; the others can.
                Halt::Fail(_) => self.give_up(chat).await,
                halt => Err(halt),
            },
        }
    }

    async fn give_up(&self, chat: &ChatId) -> Result<(), Halt> {
        tracing::warn!(account = %self.account, %chat, "a chat cannot be read to its end");
        self.step(SyncStep::GiveUp(self.id, self.taken, chat.clone())).await
    }

    /// Has UniPile read the chat from the phone again, where it can.
    pub(super) async fn fetch_anew(&self, sync: &SyncRecord) -> Result<(), Halt> {
        let Some(chat) = sync.chat.as_deref().filter(|_| sync.deep).map(ChatId::new) else {
            return Ok(());
        };
        for _ in 0..MOST_ASKED {
            match self.ask(self.shared.upstream.sync_chat(&self.account, &chat)).await? {
                Ok(state) if state.is_final() => {
                    if state != SyncState::Done {
                        tracing::info!(account = %self.account, %chat, ?state, "it was not read anew");
                    }
                    return Ok(());
                }
                Ok(_) => {}
                Err(error) => match self.halt(&error) {
                    // UniPile documents it for others than WhatsApp: what it has is read all the same.
                    Halt::Fail(_) => return Ok(()),
                    halt => return Err(halt),
                },
            }
            self.ask(async {
                tokio::time::sleep(ASK_EVERY).await;
                Ok(())
            })
            .await?
            .map_err(|error| self.halt(&error))?;
        }
        Ok(())
    }
}

fn listed(chat: Chat) -> ListedChat {
    let Chat { claim, counterparty, active_at, archived, muted_until, read_only, .. } = chat;
    let news = ChatNews { claim, active_at, archived, muted_until, read_only };
    ListedChat { news, counterparty }
}

fn known(people: &[Attendee]) -> Vec<(channel_domain::fact::Person, bool)> {
    people.iter().map(|it| (it.person.clone(), it.is_self == Some(true))).collect()
}
