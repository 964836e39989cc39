//! The rows that the projection reads and writes. This is all that a backend knows of it.

mod members;
mod work;

pub use members::{Member, Shown, Standing, Unsettled};
pub use work::{Work, WorkKind};

use crate::erase::Shelf;
use crate::error::StoreError;
use crate::intake::{Adoption, Digest, Outcome};
use crate::log::{LogRow, Position};
use crate::media::{FetchEnd, FetchRow, FileId};
use crate::pictures::{LookEnd, PictureWanted};
use async_trait::async_trait;
use bytes::Bytes;
use channel_domain::account::Account;
use channel_domain::attendee::{Attendee, ClaimKind, ClaimSource};
use channel_domain::chat::Chat;
use channel_domain::fact::Fact;
use channel_domain::ids::{AccountId, AttendeeId, ChatId, MessageId, UpstreamMessageId};
use channel_domain::message::Message;
use channel_domain::search;
use channel_domain::send::{Action, Ahead, Job, Pacing};
use channel_domain::sync::{Sync, SyncChat};
use channel_domain::time::{Micros, Stamp};
use uuid::Uuid;

/// An account opened for writing: its row is locked until the transaction ends.
#[derive(Debug, Clone)]
pub struct OpenAccount {
    /// Its state.
    pub account: Account,
    /// The end of its log.
    pub head: Position,
    /// The next key for its rows.
    pub next_key: i64,
    /// It has messages in its outbox that an own message may turn out to be.
    pub has_sent: bool,
    /// Something of it was erased that may not come back.
    pub has_marks: bool,
}

/// A fact that waits for its message.
#[derive(Debug, Clone)]
pub struct Parked {
    /// The account.
    pub account_key: i64,
    /// The message it waits for.
    pub message: UpstreamMessageId,
    /// When it was stored.
    pub stamp: Stamp,
    /// The fact.
    pub fact: Fact,
}

/// What a batch needs to know before anything else. Nothing is asked for twice.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Digests to note.
    pub digests: Vec<(i64, Digest)>,
    /// How many ids are needed for new payloads.
    pub inbox_ids: usize,
    /// Messages, by UniPile's id.
    pub messages: Vec<(i64, UpstreamMessageId)>,
    /// Messages whose waiting facts are wanted.
    pub parked: Vec<(i64, UpstreamMessageId)>,
    /// People.
    pub attendees: Vec<(i64, AttendeeId)>,
}

/// What is known of it.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// For each digest whether it is new, in the order in which they were asked for.
    pub fresh: Vec<bool>,
    /// Ids for new payloads, ascending.
    pub inbox_ids: Vec<i64>,
    /// The messages that are stored.
    pub messages: Vec<Owned<Message>>,
    /// The facts that wait.
    pub parked: Vec<Parked>,
    /// The people who are stored.
    pub attendees: Vec<Owned<Attendee>>,
}

/// Which chats to load. All pairs begin with the account's key.
#[derive(Debug, Clone, Default)]
pub struct ChatsWanted {
    /// By public id.
    pub ids: Vec<(i64, ChatId)>,
    /// By key.
    pub keys: Vec<(i64, i64)>,
    /// By the key of their counterparty.
    pub counterparties: Vec<(i64, i64)>,
}

/// An own message that turned up while a message like it was being sent. It is not shown until that request
/// has ended, which tells whether it is the same.
#[derive(Debug, Clone)]
pub struct Held {
    /// The message that is being sent.
    pub message_key: i64,
    /// What turned up.
    pub fact: Parked,
}

/// Which messages of the outbox to load. All pairs begin with the account's key.
#[derive(Debug, Clone, Default)]
pub struct JobsWanted {
    /// By the message's public id.
    pub ids: Vec<(i64, MessageId)>,
    /// Of these chats, those that may have left.
    pub chats: Vec<(i64, ChatId)>,
    /// Of these accounts, those that may have left and start a chat.
    pub starts: Vec<i64>,
    /// Of these chats, by key, all.
    pub all_of: Vec<(i64, i64)>,
}

/// What a command needs to know of its account.
#[derive(Debug, Clone, Default)]
pub struct Desk {
    /// The account's owner as a person, if they are known.
    pub owner: Option<Attendee>,
    /// What waits to be sent.
    pub waiting: Ahead,
    /// How fast it may send.
    pub pacing: Pacing,
}

/// A row that goes: it turned out to be another one.
#[derive(Debug, Clone)]
pub struct Gone {
    /// The message.
    pub message: Message,
}

/// An id that a chat had until it turned out to be another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatAlias {
    /// The id.
    pub id: ChatId,
    /// The chat's key.
    pub chat_key: i64,
}

/// A chat that goes: its messages are another one's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoneChat {
    /// Its key.
    pub chat_key: i64,
    /// The key of the other one.
    pub into: i64,
}

/// What to load or write of a row that belongs to an account.
#[derive(Debug, Clone)]
pub struct Owned<T> {
    /// The account.
    pub account_key: i64,
    /// The row.
    pub row: T,
}

/// A message to write.
#[derive(Debug, Clone)]
pub struct MessageWrite {
    /// The message.
    pub message: Message,
    /// Its text as it is to be searched; `None` leaves the index as it is.
    pub indexed: Option<String>,
    /// Its files are new or changed.
    pub files: bool,
    /// Its reactions are new or changed.
    pub reactions: bool,
    /// It had this time before, and so another place.
    pub moved_from: Option<Micros>,
}

/// The text of a message as it is to be searched: its words, and the names of its files. Deleted messages and
/// system lines are not found.
#[must_use]
pub fn words_of(message: &Message) -> String {
    let visible = message.deleted_at.is_none() && message.content.event.is_none();
    let text = message.shown_text().map(|shown| shown.text).filter(|_| visible);
    let names = message.content.attachments.iter().filter(|_| visible);
    let names = names.filter_map(|file| file.name.as_deref());
    search::indexed(&text.as_deref().into_iter().chain(names).collect::<Vec<_>>().join(" "))
}

/// A past text of a message.
#[derive(Debug, Clone)]
pub struct Version {
    /// The message.
    pub message_key: i64,
    /// When the edit was stored.
    pub stamp: Stamp,
    /// The text it gave the message.
    pub text: Option<String>,
}

/// A dated claim that an identifier names a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// What kind of identifier.
    pub kind: ClaimKind,
    /// The identifier.
    pub value: String,
    /// The person.
    pub attendee_key: i64,
    /// The fact that said so first, as far as known.
    pub since: Stamp,
    /// Who said so; of several the greatest.
    pub source: ClaimSource,
}

/// A payload to store.
#[derive(Debug, Clone)]
pub struct InboxRow {
    /// When, and its id.
    pub stamp: Stamp,
    /// The account, if it is one of ours.
    pub account_key: Option<i64>,
    /// The account as the payload names it.
    pub account: Option<AccountId>,
    /// Headers worth keeping, as a JSON object.
    pub headers: String,
    /// The exact bytes.
    pub body: Bytes,
    /// What became of it.
    pub outcome: Outcome,
    /// Why, as a stable reason.
    pub reason: Option<&'static str>,
    /// For people.
    pub detail: Option<String>,
    /// When it is due, if it is pending.
    pub next_at: Option<Micros>,
    /// W3C trace context of the request.
    pub trace: Option<String>,
}

/// A stored payload's new state.
#[derive(Debug, Clone)]
pub struct InboxUpdate {
    /// Its id.
    pub inbox: i64,
    /// What became of it.
    pub outcome: Outcome,
    /// Why, as a stable reason.
    pub reason: Option<&'static str>,
    /// For people.
    pub detail: Option<String>,
    /// The account, once it is one of ours.
    pub account_key: Option<i64>,
}

/// An account's log end to write.
#[derive(Debug, Clone, Copy)]
pub struct HeadWrite {
    /// The account.
    pub account_key: i64,
    /// The end of its log.
    pub head: Position,
    /// The next key for its rows.
    pub next_key: i64,
    /// The latest payload about it.
    pub heard_at: Micros,
}

/// Everything that one transaction writes.
#[derive(Debug, Clone, Default)]
pub struct Writes {
    /// Payloads to store.
    pub inbox: Vec<InboxRow>,
    /// Stored payloads with a new state.
    pub inbox_updates: Vec<InboxUpdate>,
    /// Accounts.
    pub accounts: Vec<Account>,
    /// Log ends, by ascending account key.
    pub heads: Vec<HeadWrite>,
    /// Chats.
    pub chats: Vec<Owned<Chat>>,
    /// People.
    pub attendees: Vec<Owned<Attendee>>,
    /// Identifiers of people.
    pub links: Vec<Owned<Link>>,
    /// Who is in which chat.
    pub members: Vec<Owned<Member>>,
    /// Messages.
    pub messages: Vec<Owned<MessageWrite>>,
    /// Past texts.
    pub versions: Vec<Owned<Version>>,
    /// Facts that wait for their message.
    pub parked: Vec<Parked>,
    /// Messages whose waiting facts are done.
    pub unparked: Vec<Owned<UpstreamMessageId>>,
    /// Work for those who may call UniPile.
    pub work: Vec<Owned<Work>>,
    /// Messages that go; before anything else is written.
    pub gone: Vec<Owned<Gone>>,
    /// Chats that go; before anything else is written.
    pub gone_chats: Vec<Owned<GoneChat>>,
    /// Former ids of chats.
    pub aliases: Vec<Owned<ChatAlias>>,
    /// The outbox.
    pub jobs: Vec<Owned<Job>>,
    /// Own messages that wait until a request has ended.
    pub held: Vec<Owned<Held>>,
    /// Messages whose request has ended.
    pub unheld: Vec<Owned<i64>>,
    /// How fast accounts may send.
    pub pacing: Vec<Owned<Pacing>>,
    /// What is to be done to messages and chats.
    pub actions: Vec<Owned<Action>>,
    /// Synchronisations.
    pub syncs: Vec<Owned<Sync>>,
    /// Chats of synchronisations.
    pub sync_chats: Vec<Owned<SyncChat>>,
    /// Up to when everything of an account is here.
    pub complete: Vec<Owned<Micros>>,
    /// Up to when everything of a chat is here: its key, and the time.
    pub complete_chats: Vec<Owned<(i64, Micros)>>,
    /// Chats whose members changed: the key, and the sequence number of the event that tells.
    pub members_told: Vec<Owned<(i64, u64)>>,
    /// Ends of tries to fetch files; only of rows that were loaded as open.
    pub fetched: Vec<Owned<FetchEnd>>,
    /// Files that are not to be looked at any more for a small picture.
    pub looked_at: Vec<Owned<FileId>>,
    /// Pictures that are wanted.
    pub pictures: Vec<Owned<PictureWanted>>,
    /// Ends of looks for pictures; only of rows that were loaded as open.
    pub looked: Vec<Owned<LookEnd>>,
    /// Changes, by account and number.
    pub log: Vec<LogRow>,
}

impl Writes {
    /// Whether there is nothing to write but log ends that did not move.
    #[must_use]
    pub fn changes_nothing(&self) -> bool {
        let Self { log, jobs, pacing, actions, held, unheld, work, parked, messages, .. } = self;
        let Self { chats, attendees, links, members, accounts, versions, unparked, .. } = self;
        let Self { syncs, sync_chats, .. } = self;
        log.is_empty()
            && self.fetched.is_empty()
            && self.looked_at.is_empty()
            && self.pictures.is_empty()
            && self.looked.is_empty()
            && jobs.is_empty()
            && pacing.is_empty()
            && actions.is_empty()
            && held.is_empty()
            && unheld.is_empty()
            && work.is_empty()
            && parked.is_empty()
            && messages.is_empty()
            && chats.is_empty()
            && attendees.is_empty()
            && links.is_empty()
            && members.is_empty()
            && accounts.is_empty()
            && versions.is_empty()
            && unparked.is_empty()
            && syncs.is_empty()
            && sync_chats.is_empty()
    }
}

/// The rows of one open transaction.
#[async_trait]
pub trait Rows: Shelf {
    /// Opens accounts for writing, locking them in the order of their keys before anything else is
    /// touched. Unknown ones are created for the adopting tenant, or left out.
    async fn open(
        &mut self,
        ids: &[AccountId],
        adoption: &Adoption,
        now: Micros,
    ) -> Result<Vec<OpenAccount>, StoreError>;

    /// Looks up what a batch needs before anything else.
    async fn look_up(&mut self, asked: &Asked, now: Micros) -> Result<Known, StoreError>;

    /// Loads people.
    async fn attendees(
        &mut self,
        wanted: &[(i64, AttendeeId)],
    ) -> Result<Vec<Owned<Attendee>>, StoreError>;

    /// Loads people by identifiers that name them: of each at most
    /// [`channel_domain::attendee::joining::MOST`] and one. One that is wanted twice may come twice.
    async fn named(
        &mut self,
        wanted: &[(i64, ClaimKind, String)],
    ) -> Result<Vec<Owned<Attendee>>, StoreError>;

    /// Loads who is in a chat, and has not left it: by their keys.
    async fn members(&mut self, account: i64, chat: i64) -> Result<Vec<i64>, StoreError>;

    /// Loads whoever of these is not simply there: who never was, who has left, and who was there earlier than the
    /// fact at hand. Most of a group's people are there, so this is few of many.
    async fn unsettled(
        &mut self,
        shown: &[Owned<Shown>],
    ) -> Result<Vec<Owned<Unsettled>>, StoreError>;

    /// Loads which chats had these ids once.
    async fn aliases(
        &mut self,
        wanted: &[(i64, ChatId)],
    ) -> Result<Vec<Owned<ChatAlias>>, StoreError>;

    /// Loads the messages that people reacted to: (account, person).
    async fn reacted_to(
        &mut self,
        people: &[(i64, i64)],
    ) -> Result<Vec<Owned<Message>>, StoreError>;

    /// Loads messages by their public ids.
    async fn messages_by_id(
        &mut self,
        wanted: &[(i64, MessageId)],
    ) -> Result<Vec<Owned<Message>>, StoreError>;

    /// Loads messages of the outbox; one that is wanted twice may come twice.
    async fn jobs(&mut self, wanted: &JobsWanted) -> Result<Vec<Owned<Job>>, StoreError>;

    /// Loads actions by their ids.
    async fn actions(&mut self, wanted: &[(i64, Uuid)]) -> Result<Vec<Owned<Action>>, StoreError>;

    /// Loads the own messages that wait for a message's request to end.
    async fn held(&mut self, account: i64, message: i64) -> Result<Vec<Held>, StoreError>;

    /// Loads where the fetching of a file stands.
    async fn fetch_row(
        &mut self,
        account: i64,
        file: &FileId,
    ) -> Result<Option<FetchRow>, StoreError>;

    /// Loads where the look for a picture stands, by its subject's key.
    async fn picture_row(
        &mut self,
        account: i64,
        subject: i64,
    ) -> Result<Option<FetchRow>, StoreError>;

    /// Loads how fast an account may send.
    async fn pacing(&mut self, account: i64) -> Result<Pacing, StoreError>;

    /// Loads what taking a command needs to know of its account.
    async fn desk(&mut self, account: i64) -> Result<Desk, StoreError>;

    /// Loads chats; one that is wanted twice may come twice.
    async fn chats(&mut self, wanted: &ChatsWanted) -> Result<Vec<Owned<Chat>>, StoreError>;

    /// Loads the times of the newest messages of chats that are unread after a time, at most
    /// [`channel_domain::chat::UNREAD_CAP`] and one for each chat: (account, chat, time).
    async fn unread(
        &mut self,
        wanted: &[(i64, i64, Micros)],
    ) -> Result<Vec<(i64, i64, Micros)>, StoreError>;

    /// Loads the synchronisations of an account that go on, and the one of this id.
    async fn syncs(&mut self, account: i64, id: Option<Uuid>) -> Result<Vec<Sync>, StoreError>;

    /// Loads chats of a synchronisation.
    async fn sync_chats(
        &mut self,
        account: i64,
        sync: i64,
        chats: &[i64],
    ) -> Result<Vec<SyncChat>, StoreError>;

    /// Writes everything.
    async fn write(&mut self, writes: &Writes) -> Result<(), StoreError>;
}
