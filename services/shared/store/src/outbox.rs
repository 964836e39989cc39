//! Commands of people and programs: what is to be sent, and how that ends.

use crate::error::StoreError;
use crate::log::Moved;
use crate::media::FetchEnd;
use crate::pictures::LookEnd;
use crate::record::{AttendeeRecord, ChatRecord, MessageRecord, SendRecord};
use crate::rows::WorkKind;
use crate::thumbnails::ThumbnailShown;
use async_trait::async_trait;
use channel_domain::fact::{ChatClaim, Fact, UpstreamStatus};
use channel_domain::ids::{AccountId, AttendeeId, ChatId, MessageId, UpstreamMessageId};
use channel_domain::send::{Act, Action, Job, Limits, Pace, Recipient, Refusal, Request, Verdict};
use channel_domain::time::Micros;
use std::time::Duration;
use uuid::Uuid;

/// A command about one account. Each is one transaction.
#[derive(Debug, Clone)]
pub enum Command {
    /// Put a message into the outbox. Safe to repeat.
    Submit(Submit),
    /// Begin the request of a message whose turn it is.
    Begin(MessageId),
    /// The request is still under way.
    Renew(MessageId, u32),
    /// The request with this number has ended.
    Finish {
        /// The message.
        message: MessageId,
        /// The number of the request.
        attempt: u32,
        /// How it ended.
        verdict: Verdict,
        /// Set when UniPile asks the whole account to slow down.
        slow_down: Option<SlowDown>,
        /// A random number between 0 and 1 for the wait.
        jitter: f64,
    },
    /// Nobody renewed a request in time: whoever made it is gone.
    Abandon(MessageId),
    /// The chat of an uncertain message was looked into; what was found there is applied before.
    Looked(MessageId),
    /// The chat of an uncertain message could not be looked into.
    LookAgain(MessageId, Duration),
    /// Only tell where a message stands.
    Read(MessageId),
    /// Cancel a message that waits.
    Cancel(MessageId),
    /// Leave a message that was not sent.
    Discard {
        /// The message.
        message: MessageId,
        /// Stable reason: left, or sent again as another one.
        reason: &'static str,
    },
    /// What UniPile answered about messages or the account.
    Learn(Vec<Fact>),
    /// What UniPile answered about the account itself.
    LearnAccount(AccountNews),
    /// Name the account, if it has no name and was first heard of since then.
    CallAccount(String, Micros),
    /// What UniPile answered about a chat.
    LearnChat(Box<ChatNews>),
    /// Do something to a message or chat that exists. Safe to repeat.
    Act(Acting),
    /// Begin a try of an action.
    BeginAct(Uuid),
    /// A try of an action has ended.
    EndAct {
        /// The action.
        id: Uuid,
        /// How.
        end: ActEnd,
        /// A random number between 0 and 1 for the wait.
        jitter: f64,
    },
    /// A try to fetch a file has ended.
    EndFetch(Box<FetchEnd>),
    /// The making of a small picture has ended: a message is told.
    ShowThumbnail(Box<ThumbnailShown>),
    /// A look for a picture has ended.
    EndLook(Box<LookEnd>),
    /// Name or label a chat, here only. What is `None` stays.
    Describe {
        /// The chat.
        chat: ChatId,
        /// The name; empty: none.
        name: Option<String>,
        /// The labels.
        labels: Option<Vec<String>>,
    },
    /// What the team says of a person, here only.
    Person(PersonChange),
}

impl Command {
    /// Whether nobody waits for it: it ends what is fetched or made in the background.
    #[must_use]
    pub const fn can_wait(&self) -> bool {
        matches!(self, Self::EndFetch(_) | Self::ShowThumbnail(_) | Self::EndLook(_))
    }
}

/// What the team says of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PersonChange {
    /// These two ids are one person.
    Join(AttendeeId, AttendeeId),
    /// This id is nobody else, whatever else is said; until somebody joins it again.
    Part(AttendeeId),
    /// A name for the person, kept with this id; `None`: none.
    Call(AttendeeId, Option<String>),
}

impl PersonChange {
    /// Whom it names.
    #[must_use]
    pub fn ids(&self) -> Vec<&AttendeeId> {
        match self {
            Self::Join(one, other) => vec![one, other],
            Self::Part(id) | Self::Call(id, _) => vec![id],
        }
    }
}

/// An account as UniPile describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountNews {
    /// When it was asked: what a webhook told since then is newer.
    pub asked_at: Micros,
    /// The state of its connection, if it was told.
    pub status: Option<UpstreamStatus>,
    /// Its phone number as written.
    pub phone: Option<String>,
}

/// A chat as UniPile describes it.
#[derive(Debug, Clone)]
pub struct ChatNews {
    /// What a message's payload would say about it too.
    pub claim: ChatClaim,
    /// The last activity, as of which it is described.
    pub active_at: Option<Micros>,
    /// Whether it is archived.
    pub archived: Option<bool>,
    /// Until when it is muted; `None` is not muted.
    pub muted_until: Option<Micros>,
    /// Whether nothing can be sent here.
    pub read_only: Option<bool>,
}

/// Something that a fact left to be asked of UniPile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueWork {
    /// The account.
    pub account: AccountId,
    /// Key of the account.
    pub account_key: i64,
    /// What to ask.
    pub kind: WorkKind,
    /// About which object, by its id upstream.
    pub subject: String,
    /// When it was asked for last.
    pub asked_at: Micros,
    /// Tries so far.
    pub attempts: u32,
    /// When it is due.
    pub at: Micros,
}

/// What to do to a message or chat.
#[derive(Debug, Clone)]
pub struct Acting {
    /// The id that makes asking twice the same as once.
    pub id: Uuid,
    /// What is done.
    pub act: Act,
    /// The hash of what the client asked for.
    pub hash: [u8; 32],
    /// When it is given up.
    pub expires_at: Micros,
}

/// How a try of an action ended.
#[derive(Debug, Clone)]
pub enum ActEnd {
    /// UniPile did it.
    Applied,
    /// It was refused, had no effect, or nothing is known.
    Refused(Refusal),
}

/// Too many messages left: the account has to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SlowDown {
    /// At least so long, if UniPile says so.
    pub at_least: Option<Duration>,
}

/// Where a message goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum To {
    /// Into a chat that exists.
    Chat(ChatId),
    /// To people with whom there may be no chat yet.
    People {
        /// One for a chat of two, several for a group.
        recipients: Vec<Recipient>,
        /// The group's subject.
        subject: Option<String>,
        /// The id of the chat until UniPile names it.
        provisional: ChatId,
    },
}

/// What to put into the outbox.
#[derive(Debug, Clone)]
pub struct Submit {
    /// The message's id, made by the client.
    pub message: MessageId,
    /// Where to.
    pub to: To,
    /// What to send.
    pub request: Request,
    /// The hash of what the client asked for.
    pub hash: [u8; 32],
    /// When it is given up.
    pub expires_at: Micros,
    /// A message that this one replaces: it is left.
    pub instead_of: Option<MessageId>,
}

/// What all commands go by.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rules {
    /// How fast accounts may send.
    pub pace: Pace,
    /// How long and how often things are tried.
    pub limits: Limits,
    /// How many messages of an account may wait.
    pub most_waiting: u32,
    /// How long after sending a text may be changed.
    pub edit_window: Duration,
}

/// How a command ended.
#[derive(Debug, Clone)]
pub enum Done {
    /// It was done, or had been before.
    Sent(Box<Written>),
    /// The request may begin: what to send, and the number of the request.
    Begun(Box<Begun>),
    /// Not before this time.
    NotBefore(Micros),
    /// The message or chat as it is shown now.
    Shown(Box<Shown>),
    /// A try of an action may begin.
    ActBegun(Box<ActBegun>),
    /// A person under all the ids that they have now, the one that was asked for first.
    Person(Vec<AttendeeRecord>),
    /// Nothing was left to do: somebody else was faster, or it does not apply any more.
    Nothing,
    /// It cannot be done.
    Refused(Refused),
}

/// A message and where its sending stands.
#[derive(Debug, Clone)]
pub struct Written {
    /// The message.
    pub message: MessageRecord,
    /// Where its sending stands.
    pub send: SendRecord,
    /// Its chat.
    pub chat: Option<ChatRecord>,
    /// What was to be sent.
    pub request: Request,
    /// The hash of what was asked for.
    pub hash: [u8; 32],
}

/// A message or chat.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    /// The message.
    pub message: Option<MessageRecord>,
    /// The chat.
    pub chat: Option<ChatRecord>,
}

/// A try of an action.
#[derive(Debug, Clone)]
pub struct ActBegun {
    /// The action.
    pub action: Action,
    /// UniPile's id of its message.
    pub message: Option<UpstreamMessageId>,
    /// UniPile's id of its chat.
    pub chat: ChatId,
}

/// An action that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueAct {
    /// The account.
    pub account: AccountId,
    /// The action.
    pub id: Uuid,
    /// When it is due.
    pub at: Micros,
}

/// A request that has begun.
#[derive(Debug, Clone)]
pub struct Begun {
    /// Key of the account.
    pub account_key: i64,
    /// The message in the outbox.
    pub job: Job,
    /// UniPile's id of the message that it answers or forwards.
    pub about: Option<UpstreamMessageId>,
}

/// Why a command cannot be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// There is no such account.
    AccountUnknown,
    /// The account is not connected; somebody has to do something first.
    AccountDisconnected,
    /// There is no such chat.
    ChatUnknown,
    /// There is no such message.
    MessageUnknown,
    /// Nobody may write in this chat.
    ChatReadOnly,
    /// The same id was used for something else.
    IdReused,
    /// The message that is answered or forwarded is not at UniPile.
    MessageNotSent,
    /// The message that is answered or forwarded is in another chat, or deleted.
    MessageDeleted,
    /// Somebody else wrote the message.
    MessageNotOwn,
    /// The message is too old to be changed.
    EditWindowClosed,
    /// It is under way or finished.
    NotQueued,
    /// It is under way, or was sent after all.
    NotResolvable,
    /// Too many messages wait; there is room at about this time.
    Full(Micros),
    /// There is no such person.
    AttendeeUnknown,
    /// No WhatsApp id of a person is known.
    Unreachable,
    /// Of the people of a group only one is left.
    SamePerson,
    /// One of the two is the account's owner and the other is not.
    AttendeeIsSelf,
    /// The chat is not at UniPile yet.
    ChatNotStarted,
    /// No more chats may be started before about this time.
    NewChatsExhausted(Micros),
}

/// Something that is due in the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The account.
    pub account: AccountId,
    /// The message.
    pub message: MessageId,
    /// Where it stands.
    pub phase: channel_domain::send::Phase,
    /// UniPile's id of its chat.
    pub chat: ChatId,
    /// When its last request began.
    pub started_at: Option<Micros>,
    /// When it is due.
    pub at: Micros,
    /// Whether its time ran out before it left.
    pub is_expired: bool,
}

/// How many messages stand where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// Wait for their turn.
    pub queued: u64,
    /// A request is under way.
    pub sending: u64,
    /// May have been sent; they are being looked for.
    pub uncertain: u64,
    /// May have been sent; a person has to decide.
    pub unconfirmed: u64,
}

/// The outbox.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Carries a command out.
    ///
    /// # Errors
    ///
    /// When nothing was written.
    async fn command(
        &self,
        account: &AccountId,
        command: Command,
        rules: &Rules,
        now: Micros,
        trace: Option<String>,
    ) -> Result<Done, StoreError>;

    /// The oldest open message of each chat that is due by `until`, the longest due first, of accounts that
    /// are connected as far as is known. Accounts in `but` are left out.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    async fn due(
        &self,
        until: Micros,
        but: &[AccountId],
        limit: usize,
    ) -> Result<Vec<Due>, StoreError>;

    /// The oldest open action of each chat, the longest due first, of accounts that are connected as far as is
    /// known. Accounts in `but` are left out.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    async fn due_acts(&self, but: &[AccountId], limit: usize) -> Result<Vec<DueAct>, StoreError>;

    /// What facts left to be asked of UniPile, the longest due first. Accounts in `but` are left out.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    async fn due_work(&self, but: &[AccountId], limit: usize) -> Result<Vec<DueWork>, StoreError>;

    /// Puts a piece of work off until `at`, and counts a try. False if somebody else was faster.
    ///
    /// # Errors
    ///
    /// When nothing was written.
    async fn put_off(&self, work: &DueWork, at: Micros) -> Result<bool, StoreError>;

    /// Forgets a piece of work, unless it was asked for again since.
    ///
    /// # Errors
    ///
    /// When nothing was written.
    async fn work_done(&self, work: &DueWork) -> Result<(), StoreError>;

    /// How many messages of all accounts wait, are under way, are uncertain, or wait for a person's word.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    async fn standing(&self) -> Result<Standing, StoreError>;

    /// Where the sending of a message stands.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    async fn sending(
        &self,
        account_key: i64,
        message: &MessageId,
    ) -> Result<Option<SendRecord>, StoreError>;
}

/// A command with what it runs by, for a backend to carry out.
#[derive(Debug, Clone)]
pub struct Order {
    /// The account.
    pub account: AccountId,
    /// The command.
    pub command: Command,
    /// What it goes by.
    pub rules: Rules,
    /// The time.
    pub now: Micros,
    /// W3C trace context.
    pub trace: Option<String>,
}

/// How a command ended, and the accounts whose logs grew.
pub type Carried = (Done, Vec<Moved>);
