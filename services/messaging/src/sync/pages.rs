//! Writes what was read, piece by piece, and reads on meanwhile.

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use channel_domain::fact::Fact;
use channel_domain::{ChatId, Micros};
use channel_store::sync::{MessagesRead, PageEnd, SyncStep};
use channel_unipile::upstream::{
    Answer, Attendee, Cursor, MessageQuery, MessageState, PAGE_MAX, Page, Paging,
};

use super::run::{Halt, Run};

/// Pieces are made so large that writing one takes about so long: the first of whatever else is to be written waits
/// for no more than one. While more of it comes, pieces are as small as they get, and after each history rests as long
/// as it took.
const PIECE_TAKES: Duration = Duration::from_millis(10);
const SMALLEST: usize = 16;
/// No list is longer; one that is leads in circles.
pub(super) const MOST_PAGES: u32 = 100_000;

/// Where pages of messages come from.
pub(super) enum Source<'s> {
    /// The messages of a chat, with its people.
    Chat(&'s ChatId, &'s [Attendee]),
    /// Those of the account.
    Account,
}

/// A page, and when it was asked for.
struct Read {
    page: Page<MessageState>,
    at: Micros,
}

/// How a list ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listed {
    /// It was read to its end.
    Whole,
    /// A cursor came twice, or there were too many.
    Circles,
}

impl Run {
    /// Reads all pages from a cursor on. An answer that is no page is given back, for what it means depends on
    /// the list.
    pub(super) async fn messages(
        &self,
        source: &Source<'_>,
        cursor: Option<&str>,
        pages: u32,
        since: Option<Micros>,
    ) -> Result<Answer<Listed>, Halt> {
        let mut seen: HashSet<Cursor> = HashSet::new();
        let mut left = MOST_PAGES.saturating_sub(pages);
        let from = cursor.and_then(Cursor::new);
        let mut read = match self.page(source, from, since).await? {
            Ok(read) => read,
            Err(error) => return Ok(Err(error)),
        };
        loop {
            left = left.saturating_sub(1);
            let next = read.page.next.clone();
            if next.as_ref().is_some_and(|next| left == 0 || !seen.insert(next.clone())) {
                self.write(source, read).await?;
                return Ok(Ok(Listed::Circles));
            }
            let Some(next) = next else {
                self.write(source, read).await?;
                return Ok(Ok(Listed::Whole));
            };
            if self.is_stopped() {
                self.write(source, read).await?;
                return Err(Halt::Lost);
            }
            let (written, following) =
                tokio::join!(self.write(source, read), self.page(source, Some(next), since));
            written?;
            read = match following? {
                Ok(read) => read,
                Err(error) => return Ok(Err(error)),
            };
        }
    }

    async fn page(
        &self,
        source: &Source<'_>,
        cursor: Option<Cursor>,
        since: Option<Micros>,
    ) -> Result<Answer<Read>, Halt> {
        let (upstream, account) = (&self.shared.upstream, &self.account);
        loop {
            let at = self.shared.now();
            let limit = self.page_size.load(Ordering::Relaxed);
            let paging = Paging { cursor: cursor.clone(), limit };
            let query = MessageQuery { after: since, paging, ..MessageQuery::default() };
            let answer = match source {
                Source::Chat(chat, _) => {
                    self.ask(upstream.chat_messages(account, chat, &query)).await?
                }
                Source::Account => self.ask(upstream.messages(account, &query)).await?,
            };
            match answer {
                // Raw messages of some megabytes come along with each: fewer of them fit.
                Err(error) if error.is_too_long() && limit > 1 => {
                    self.page_size.store(limit.div_ceil(4), Ordering::Relaxed);
                }
                answer => return Ok(answer.map(|page| Read { page, at })),
            }
        }
    }

    async fn write(&self, source: &Source<'_>, read: Read) -> Result<(), Halt> {
        let count = read.page.items.len() as u64;
        let end =
            PageEnd { read: count, next: read.page.next.map(|next| next.as_str().to_owned()) };
        // Oldest first, as webhooks would have told it.
        let mut messages = Vec::with_capacity(read.page.items.len());
        for state in read.page.items.iter().rev() {
            messages.push(self.facts(source, state).await?);
        }
        let chat = match source {
            Source::Chat(chat, _) => Some((*chat).clone()),
            Source::Account => None,
        };
        let count_of = |facts: usize| i64::try_from(facts).unwrap_or_default();
        // The last fact is as old as the request.
        let mut read_at = Micros(read.at.0 - count_of(messages.iter().map(Vec::len).sum()));
        let mut piece = Piece::default();
        loop {
            let traffic = &self.shared.traffic;
            let facts = piece.cut(&mut messages, traffic.is_live());
            let end = messages.is_empty().then(|| end.clone());
            let is_last = end.is_some();
            let began = Instant::now();
            let next_at = Micros(read_at.0 + count_of(facts.len()));
            let read = MessagesRead { chat: chat.clone(), facts, read_at, end };
            read_at = next_at;
            self.step(SyncStep::Messages(self.id, self.taken, Box::new(read))).await?;
            let took = began.elapsed();
            piece.took(took);
            if traffic.is_live() {
                tokio::time::sleep(took).await;
            }
            if is_last {
                metrics::counter!("channel_messaging_sync_messages_total").increment(count);
                return Ok(());
            }
        }
    }

    /// REST names who reacted by WhatsApp's id alone; the chat's people tell who that is.
    async fn facts(&self, source: &Source<'_>, state: &MessageState) -> Result<Vec<Fact>, Halt> {
        let has_reactions = state.reactions.as_ref().is_some_and(|reactions| !reactions.is_empty());
        match source {
            Source::Chat(_, people) => Ok(state.facts(people)),
            Source::Account if has_reactions => {
                let chat = &state.received.chat.id;
                let upstream = &self.shared.upstream;
                let people = self.ask(upstream.chat_attendees(&self.account, chat)).await?;
                Ok(state.facts(&people.map_err(|error| self.halt(&error))?.items))
            }
            Source::Account => Ok(state.facts(&[])),
        }
    }
}

/// How much is written at a time.
struct Piece {
    messages: usize,
}

impl Default for Piece {
    fn default() -> Self {
        Self { messages: 4 * SMALLEST }
    }
}

impl Piece {
    fn cut(&self, messages: &mut Vec<Vec<Fact>>, is_live: bool) -> Vec<Fact> {
        let most = if is_live { SMALLEST } else { self.messages };
        let count = most.min(messages.len());
        messages.drain(..count).flatten().collect()
    }

    fn took(&mut self, time: Duration) {
        let fits = PIECE_TAKES.as_secs_f64() / time.as_secs_f64().max(1e-6);
        let factor = fits.clamp(0.5, 2.0);
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a few hundred at the most"
        )]
        let messages = (self.messages as f64 * factor) as usize;
        self.messages = messages.clamp(SMALLEST, PAGE_MAX.into());
    }
}
