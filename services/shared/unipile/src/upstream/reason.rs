//! Why UniPile refused: its error types, what each means for us, and a sentence for people.

use super::class::Kind;
use std::fmt;

/// UniPile's own name of an error (`errors/<name>` in the field `type` of its error bodies), or
/// [`Reason::UNKNOWN`]. Stable: the names are UniPile's documented ones.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Reason(&'static Row);

#[derive(PartialEq, Eq)]
struct Row {
    name: &'static str,
    /// None: the status decides.
    kind: Option<Kind>,
    /// None: the kind's sentence.
    text: Option<&'static str>,
}

impl Reason {
    /// A refusal without a type, or with one that this program does not know.
    pub const UNKNOWN: Self = Self(&Row { name: "unknown", kind: None, text: None });

    /// Reads the field `type`, with or without `errors/` before it, in any case.
    #[must_use]
    pub fn from_wire(kind: &str) -> Self {
        let kind = kind.trim();
        let name = kind.rsplit_once('/').map_or(kind, |(_, name)| name);
        let row = TABLE.iter().find(|row| row.name.eq_ignore_ascii_case(name));
        row.map_or(Self::UNKNOWN, Self)
    }

    /// The stable name, such as `disconnected_account`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.0.name
    }

    pub(super) const fn kind(self) -> Option<Kind> {
        self.0.kind
    }

    pub(super) const fn text(self) -> Option<&'static str> {
        self.0.text
    }

    /// All known reasons.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(Self)
    }
}

impl fmt::Debug for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

const fn row(name: &'static str, kind: Kind) -> Row {
    Row { name, kind: Some(kind), text: None }
}

const fn told(name: &'static str, kind: Kind, text: &'static str) -> Row {
    Row { name, kind: Some(kind), text: Some(text) }
}

const LIMITED: Kind = Kind::RateLimited { retry_after: None };

/// The types of UniPile's published schema and of newer pages of its reference that can concern
/// WhatsApp or that any account can bring.
static TABLE: &[Row] = &[
    // 400: what we sent is wrong.
    told("content_too_large", Kind::Permanent, "The message or a file is too large for WhatsApp."),
    told("too_many_characters", Kind::Permanent, "The text is too long for WhatsApp."),
    row("invalid_parameters", Kind::Permanent),
    row("invalid_url", Kind::Permanent),
    row("malformed_request", Kind::Permanent),
    row("missing_parameters", Kind::Permanent),
    row("unescaped_characters", Kind::Permanent),
    row("invalid_request", Kind::Permanent),
    told("invalid_action", Kind::Permanent, "WhatsApp does not know this action."),
    told("invalid_label", Kind::Permanent, "WhatsApp does not know this label."),
    // 401: the key, or the account's session.
    told(
        "missing_credentials",
        Kind::Configuration,
        "UniPile does not accept the API key. An administrator has to check it.",
    ),
    row("wrong_account", Kind::Reconnect),
    row("insufficient_privileges", Kind::Configuration),
    row("invalid_proxy_credentials", Kind::Configuration),
    row("multiple_sessions", Kind::Reconnect),
    row("invalid_credentials", Kind::Reconnect),
    row("expired_credentials", Kind::Reconnect),
    row("disconnected_account", Kind::Reconnect),
    row("disconnected_feature", Kind::Reconnect),
    row("checkpoint_error", Kind::Reconnect),
    row("invalid_checkpoint_solution", Kind::Reconnect),
    told("expired_link", Kind::Permanent, "The sign-in link has expired. Ask for a new one."),
    // 403: not allowed.
    told(
        "account_restricted",
        Kind::Restricted,
        "WhatsApp has restricted this number. Nothing can be sent until WhatsApp lifts it.",
    ),
    row("action_required", Kind::Reconnect),
    row("session_mismatch", Kind::Reconnect),
    row("unknown_authentication_context", Kind::Reconnect),
    row("account_mismatch", Kind::Permanent),
    told("insufficient_permissions", Kind::Permanent, "This number may not do that in this chat."),
    row("resource_access_restricted", Kind::Permanent),
    row("feature_not_subscribed", Kind::Configuration),
    row("subscription_required", Kind::Configuration),
    row("insufficient_credits", Kind::Configuration),
    // 404
    told("resource_not_found", Kind::Permanent, "It does not exist at UniPile (any more)."),
    row("invalid_resource_identifier", Kind::Permanent),
    // 407, 408, 409, 425
    row("proxy_auth_error", Kind::Configuration),
    row("request_timeout", Kind::Temporary),
    row("already_exists", Kind::Permanent),
    row("operation_canceled", Kind::Temporary),
    row("auth_in_progress", Kind::Temporary),
    // 415
    told("unsupported_media_type", Kind::Permanent, "WhatsApp does not take files of this type."),
    // 422: WhatsApp's own word.
    told("invalid_recipient", Kind::Permanent, "This person cannot be reached on WhatsApp."),
    told("user_unreachable", Kind::Permanent, "This person cannot be reached on WhatsApp."),
    told("no_connection_with_recipient", Kind::Permanent, "This person cannot be written to."),
    told("recipient_rejected", Kind::Permanent, "WhatsApp does not deliver to this person."),
    told(
        "blocked_recipient",
        Kind::Permanent,
        "This person is blocked, or has blocked the number.",
    ),
    told(
        "sender_rejected",
        Kind::Permanent,
        "WhatsApp does not take messages from this number here.",
    ),
    told("cant_send_message", Kind::Permanent, "WhatsApp does not take this message."),
    told("invalid_message", Kind::Permanent, "WhatsApp does not take this message."),
    told("invalid_thread", Kind::Permanent, "The chat does not exist at WhatsApp (any more)."),
    told("action_already_performed", Kind::Permanent, "It was done already."),
    row("cannot_invite_attendee", Kind::Permanent),
    row("unprocessable_entity", Kind::Permanent),
    row("unauthorized", Kind::Permanent),
    row("invalid_account", Kind::Configuration),
    row("account_configuration_error", Kind::Configuration),
    row("provider_unreachable", Kind::Temporary),
    row("realtime_client_not_initialized", Kind::Temporary),
    row("limit_exceeded", LIMITED),
    row("limit_too_high", Kind::Permanent),
    row("cannot_resend_yet", LIMITED),
    row("cannot_resend_within_24hrs", LIMITED),
    // 429
    row("too_many_requests", LIMITED),
    // 5xx: on a send the outcome is unknown, whatever the type.
    row("unexpected_error", Kind::Temporary),
    row("provider_error", Kind::Temporary),
    row("authentication_intent_error", Kind::Temporary),
    told("feature_not_implemented", Kind::Permanent, "UniPile cannot do this for WhatsApp."),
    row("proxy_error", Kind::Temporary),
    row("no_client_session", Kind::Temporary),
    row("no_channel", Kind::Temporary),
    row("no_handler", Kind::Temporary),
    row("network_down", Kind::Temporary),
    row("service_unavailable", Kind::Temporary),
];
