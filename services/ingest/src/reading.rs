//! From bytes to what the store takes.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use channel_domain::fact::Fact;
use channel_store::intake::{Digest, Reading};
use channel_unipile::v1::webhook::{self, IgnoreReason, Parsed};
use serde::Deserialize;
use serde::de::IgnoredAny;
use sha2::{Digest as _, Sha256};

/// Reads webhook bodies. A value, so that a replay can be tried with another parser.
#[derive(Clone)]
pub struct Parser(Arc<Parse>);

type Parse = dyn Fn(&[u8]) -> Parsed + Send + Sync;

impl fmt::Debug for Parser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Parser")
    }
}

impl Default for Parser {
    /// UniPile's API v1.
    fn default() -> Self {
        Self::new(webhook::parse)
    }
}

/// A body as it was understood.
#[derive(Debug, Clone)]
pub(crate) struct Read {
    /// For the store.
    pub(crate) reading: Reading,
    /// What kind of thing it is; from a short fixed list, so fit for a metric.
    pub(crate) kind: &'static str,
    /// The name of an event that this version does not know.
    pub(crate) unknown_event: Option<String>,
}

impl Parser {
    /// Takes the function that reads.
    pub fn new(parse: impl Fn(&[u8]) -> Parsed + Send + Sync + 'static) -> Self {
        Self(Arc::new(parse))
    }

    /// Reads a body. A parser that panics must not cost the sender its webhook, so that is one more
    /// way of not understanding: the body is kept and can be replayed after a fix.
    pub(crate) fn read(&self, body: &[u8]) -> Read {
        match catch_unwind(AssertUnwindSafe(|| (self.0)(body))) {
            Ok(parsed) => read(parsed, body),
            Err(_) => rejected("PARSER_PANICKED", "the parser failed on it".to_owned()),
        }
    }
}

fn read(parsed: Parsed, body: &[u8]) -> Read {
    match parsed {
        Parsed::Statement(statement) => Read {
            kind: kind(&statement.fact),
            unknown_event: None,
            reading: Reading::Statement {
                digest: channel_unipile::digest(&statement).unwrap_or_else(|| of_bytes(body)),
                statement: Box::new(statement),
            },
        },
        Parsed::Ignored { account, reason, kind } => Read {
            kind: "ignored",
            unknown_event: (reason == IgnoreReason::UnknownEvent).then_some(kind),
            reading: Reading::Ignored { account, reason: reason.code() },
        },
        Parsed::Rejected(rejection) => rejected(rejection.reason.code(), rejection.detail),
    }
}

fn rejected(reason: &'static str, detail: String) -> Read {
    Read { reading: Reading::Rejected { reason, detail }, kind: "rejected", unknown_event: None }
}

/// Of facts that may truly repeat: equal bytes are a retry or a repetition, and the store asks upstream.
fn of_bytes(body: &[u8]) -> Digest {
    let mut digest = Digest::default();
    digest.copy_from_slice(&Sha256::digest(body)[..16]);
    digest
}

const fn kind(fact: &Fact) -> &'static str {
    match fact {
        Fact::Received(_) => "received",
        Fact::Receipt(_) => "receipt",
        Fact::Edited(_) => "edited",
        Fact::Deleted(_) => "deleted",
        Fact::Reacted(_) => "reacted",
        Fact::Status(_) => "status",
    }
}

/// The event's name as a body gives it, for people: cut to 64 harmless characters.
pub(crate) fn event_name(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        event: Option<Value>,
        #[serde(rename = "AccountStatus")]
        status: Option<IgnoredAny>,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Value {
        Text(String),
        Other(IgnoredAny),
    }
    let named: Named = serde_json::from_slice(body).ok()?;
    let event = match named.event {
        Some(Value::Text(name)) => Some(name),
        Some(Value::Other(IgnoredAny)) | None => None,
    };
    let name = event.or_else(|| named.status.map(|_| "AccountStatus".to_owned()))?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    let shown = name.trim().chars().take(64);
    Some(shown.map(|c| if plain(c) { c } else { '_' }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(body: &str) -> Digest {
        match Parser::default().read(body.as_bytes()).reading {
            Reading::Statement { digest, .. } => digest,
            other => panic!("expected a statement, got {other:?}"),
        }
    }

    #[test]
    fn a_monotone_fact_has_one_digest_however_it_is_written() {
        let one = r#"{"event":"message_deleted","account_id":"a","message_id":"m"}"#;
        let two = r#"{"message_id":"m", "account_id":"a", "event":"message.deleted", "x":1}"#;
        assert_eq!(digest(one), digest(two));
    }

    #[test]
    fn a_fact_that_may_repeat_is_known_by_its_bytes() {
        let one = r#"{"event":"message_edited","account_id":"a","message_id":"m","message":"t"}"#;
        let two = format!("{one} ");
        assert_eq!(digest(one), digest(one));
        assert_ne!(digest(one), digest(&two));
    }

    #[test]
    fn a_parser_that_panics_rejects() {
        let read = Parser::new(|_| panic!("as the test asks")).read(b"{}");
        assert!(matches!(read.reading, Reading::Rejected { reason: "PARSER_PANICKED", .. }));
    }

    #[test]
    fn an_events_name_is_shown_without_harm() {
        let name = |body: &str| event_name(body.as_bytes());
        assert_eq!(name(r#"{"event":"a b\u0000c"}"#).as_deref(), Some("a_b_c"));
        assert_eq!(name(r#"{"AccountStatus":{}}"#).as_deref(), Some("AccountStatus"));
        assert_eq!(name(r#"{"event":5}"#), None);
        assert_eq!(name("{"), None);
        let long = format!(r#"{{"event":"{}"}}"#, "x".repeat(100));
        assert_eq!(name(&long).unwrap().len(), 64);
    }
}
