//! What can become of a webhook body.

use channel_domain::AccountId;
use channel_domain::fact::Statement;
use std::fmt;

/// What a webhook body turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed {
    /// It says something about an account.
    Statement(Statement),
    /// It is well-formed and not for this program: store it, count it, do nothing.
    Ignored {
        /// The account, if it names one.
        account: Option<AccountId>,
        /// Why there is nothing to do.
        reason: IgnoreReason,
        /// The event's or status's name as the sender gave it, cut to 64 characters of `A-Z a-z 0-9 _ . -`,
        /// any other shown as `_`. For people to read; as a metric label it would be unbounded.
        kind: String,
    },
    /// It cannot be understood: keep it for a person, or for a newer parser.
    Rejected(Rejection),
}

/// Why a well-formed body means nothing here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IgnoreReason {
    /// An event that this program does not know.
    UnknownEvent,
    /// An account status that this program does not know.
    UnknownStatus,
    /// It is about another network than WhatsApp; one webhook may serve several.
    OtherChannel,
}

impl IgnoreReason {
    /// The stable name, for storage and metrics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::UnknownEvent => "UNKNOWN_EVENT",
            Self::UnknownStatus => "UNKNOWN_STATUS",
            Self::OtherChannel => "OTHER_CHANNEL",
        }
    }
}

/// A body that cannot be understood. Neither the display nor any field holds content of the body,
/// apart from the account's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// What is wrong.
    pub reason: RejectReason,
    /// The field that is wrong, where one is.
    pub field: Option<&'static str>,
    /// The account, where the body names one.
    pub account: Option<AccountId>,
    /// One sentence for a person.
    pub detail: String,
}

impl Rejection {
    pub(super) fn new(reason: RejectReason, detail: impl Into<String>) -> Self {
        Self { reason, field: None, account: None, detail: detail.into() }
    }

    pub(super) fn field(reason: RejectReason, field: &'static str, problem: &str) -> Self {
        Self { field: Some(field), ..Self::new(reason, format!("field {field} {problem}")) }
    }

    pub(super) fn about(self, account: &AccountId) -> Self {
        Self { account: Some(account.clone()), ..self }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason.code(), self.detail)
    }
}

impl std::error::Error for Rejection {}

/// Why a body cannot be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RejectReason {
    /// There is no body.
    Empty,
    /// The bytes are no UTF-8. Reading them lossily could turn two ids into one, so they wait.
    NotUtf8,
    /// The JSON ends too early.
    Truncated,
    /// A form, as the webhook setting `format: form` sends it.
    FormEncoded,
    /// It is no JSON.
    NotJson,
    /// Containers are nested more than 100 deep.
    TooDeep,
    /// JSON, but not an object.
    NotAnObject,
    /// An event of API v2: a dotted `type`, and neither `event` nor `AccountStatus`.
    V2Event,
    /// A required field is missing, null or blank.
    MissingField,
    /// A required field has another type.
    WrongType,
    /// A required id is longer than 512 bytes or has control characters.
    BadId,
}

impl RejectReason {
    /// The stable name, for storage, metrics and the command line.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Empty => "EMPTY",
            Self::NotUtf8 => "NOT_UTF8",
            Self::Truncated => "TRUNCATED",
            Self::FormEncoded => "FORM_ENCODED",
            Self::NotJson => "NOT_JSON",
            Self::TooDeep => "TOO_DEEP",
            Self::NotAnObject => "NOT_AN_OBJECT",
            Self::V2Event => "V2_EVENT",
            Self::MissingField => "MISSING_FIELD",
            Self::WrongType => "WRONG_TYPE",
            Self::BadId => "BAD_ID",
        }
    }
}
