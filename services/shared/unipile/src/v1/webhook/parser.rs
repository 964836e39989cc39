//! From the bytes to the outcome.

use super::event::{self, Event};
use super::outcome::{IgnoreReason, Parsed, RejectReason, Rejection};
use super::{message, required_id, status};
use crate::v1::wire::json::{self, DEPTH_MAX, Node, Object};
use crate::v1::wire::{lenient, repair};
use channel_domain::AccountId;
use channel_domain::fact::Statement;
use serde_json::error::Category;

/// Rises when the same body may be read differently, so that stored bodies can be told apart by the
/// parser that read them.
pub const PARSER_VERSION: i16 = 1;

/// Reads the raw body of a webhook, whatever its content type says: UniPile labels JSON as a form.
///
/// Never panics and never fails: what cannot be understood is [`Parsed::Rejected`] with a reason.
///
/// # Examples
///
/// ```
/// use channel_unipile::v1::webhook::{Parsed, parse};
///
/// let body = br#"{"event":"message_deleted","account_id":"a1","message_id":"m1"}"#;
/// let Parsed::Statement(statement) = parse(body) else { unreachable!() };
/// assert_eq!(statement.account.as_str(), "a1");
/// ```
#[must_use]
pub fn parse(body: &[u8]) -> Parsed {
    let Ok(text) = str::from_utf8(body) else {
        return rejected(RejectReason::NotUtf8, "the body is no UTF-8");
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return rejected(RejectReason::Empty, "the body is empty");
    }
    json::tree(text).map_or_else(|error| second_try(text, &error), |root| judge(&root))
}

fn second_try(text: &str, error: &serde_json::Error) -> Parsed {
    let Some(repaired) = repair::repaired(text).filter(|_| error.is_syntax()) else {
        return broken(text, error);
    };
    json::tree(&repaired).map_or_else(|error| broken(text, &error), |root| judge(&root))
}

fn broken(text: &str, error: &serde_json::Error) -> Parsed {
    let place = format!("at line {} column {}", error.line(), error.column());
    match error.classify() {
        Category::Data => {
            let detail = format!("the JSON is nested more than {DEPTH_MAX} deep {place}");
            rejected(RejectReason::TooDeep, detail)
        }
        _ if looks_like_a_form(text) => {
            let detail = "the body is a form: set the webhook's format to json";
            rejected(RejectReason::FormEncoded, detail)
        }
        Category::Eof => rejected(RejectReason::Truncated, format!("the JSON ends {place}")),
        Category::Syntax | Category::Io => {
            rejected(RejectReason::NotJson, format!("the body is no JSON {place}"))
        }
    }
}

fn rejected(reason: RejectReason, detail: impl Into<String>) -> Parsed {
    Parsed::Rejected(Rejection::new(reason, detail))
}

fn looks_like_a_form(text: &str) -> bool {
    let encoded = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.*+%[]".contains(&byte);
    text.split_once('=').is_some_and(|(key, _)| !key.is_empty() && key.bytes().all(encoded))
}

fn judge(root: &Node<'_>) -> Parsed {
    let Node::Object(root) = root else {
        return rejected(RejectReason::NotAnObject, "the JSON is not an object");
    };
    let parsed = match Event::of(root) {
        Some(event) => about_message(event, root),
        None => status::read(root).unwrap_or_else(|| unknown(root)),
    };
    parsed.unwrap_or_else(Parsed::Rejected)
}

fn about_message(event: Event, root: &Object<'_>) -> Result<Parsed, Rejection> {
    if event::is_other_channel(root) {
        return unknown(root);
    }
    let account: AccountId = required_id(root, "account_id")?;
    let fact = message::fact(event, root).map_err(|wrong| wrong.about(&account))?;
    Ok(Parsed::Statement(Statement { account, fact }))
}

/// Neither an event about a message of WhatsApp nor an account's status.
fn unknown(root: &Object<'_>) -> Result<Parsed, Rejection> {
    let account = || root.pick(&["account_id"], lenient::id).map(AccountId::new);
    let Some(name) = event::name(root) else {
        let wrong = without_event(root);
        return Err(account().map_or(wrong.clone(), |account| wrong.about(&account)));
    };
    let reason = if event::is_other_channel(root) {
        IgnoreReason::OtherChannel
    } else {
        IgnoreReason::UnknownEvent
    };
    Ok(Parsed::Ignored { account: account(), reason, kind: event::label(name) })
}

fn without_event(root: &Object<'_>) -> Rejection {
    match (root.get("event"), root.get("type")) {
        (None, Some(Node::Text(kind))) if kind.contains('.') => Rejection::new(
            RejectReason::V2Event,
            "the event is of API v2, whose webhooks are not supported",
        ),
        (None | Some(Node::Text(_)), _) => {
            Rejection::field(RejectReason::MissingField, "event", "is missing")
        }
        _ => Rejection::field(RejectReason::WrongType, "event", "is no string"),
    }
}
