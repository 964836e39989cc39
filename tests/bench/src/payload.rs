//! Webhook bodies, as UniPile sends them.

use anyhow::Context as _;
use channel_simulator::{Event, Kind, SimulatorConfig, bodies};
use serde_json::{Map, Value};
use std::collections::HashMap;

/// An ordinary day of `accounts` accounts: messages, receipts, reactions, edits.
pub(crate) fn day(accounts: usize, seed: u64) -> impl Iterator<Item = Event> {
    let config = SimulatorConfig {
        accounts,
        total: None,
        messages_kept_per_chat: Some(500),
        ..SimulatorConfig::load(seed, 0)
    };
    bodies(&config)
}

/// A whole HTTP request with a body.
pub(crate) fn request(secret: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /api/v1/webhooks/unipile/ HTTP/1.1\r\nhost: bench\r\ncontent-type: \
         application/json\r\nunipile-auth: {secret}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// Texts that can be known again where they come out: one template for each account.
#[derive(Debug)]
pub(crate) struct Numbered {
    accounts: Vec<(String, Map<String, Value>)>,
}

impl Numbered {
    pub(crate) fn new(accounts: usize) -> anyhow::Result<Self> {
        let mut found: HashMap<String, Map<String, Value>> = HashMap::new();
        let texts = day(accounts, 5).filter(|event| event.kind == Kind::Text).take(10_000);
        for event in texts {
            if found.len() == accounts {
                break;
            }
            let body: Map<String, Value> = serde_json::from_slice(&event.body)?;
            // A chat with one person: a group's size would decide about the number.
            if body.get("is_group") == Some(&Value::Bool(false)) {
                found.entry(event.account_id.to_string()).or_insert(body);
            }
        }
        let mut accounts: Vec<_> = found.into_iter().collect();
        accounts.sort_by(|one, other| one.0.cmp(&other.0));
        Ok(Self { accounts })
    }

    pub(crate) fn account(&self, at: usize) -> anyhow::Result<&str> {
        let account = self.accounts.get(at).context("too few accounts have texts")?;
        Ok(&account.0)
    }

    /// The body of text number `number`, in account `at`.
    pub(crate) fn body(&self, at: usize, number: usize) -> anyhow::Result<Vec<u8>> {
        let (_, template) = self.accounts.get(at).context("too few accounts have texts")?;
        let mut body = template.clone();
        body.insert("message".into(), format!("#{number} how are you today?").into());
        body.insert("message_id".into(), format!("bench-{number}").into());
        body.insert("provider_message_id".into(), format!("3EB0{number:016X}").into());
        Ok(serde_json::to_vec(&body)?)
    }

    /// The number in a text, if it is one of ours.
    pub(crate) fn number(text: &str) -> Option<usize> {
        text.strip_prefix('#')?.split(' ').next()?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use channel_unipile::v1::webhook::{Parsed, parse};

    #[test]
    fn a_numbered_text_is_understood_and_known_again() {
        let texts = Numbered::new(3).unwrap();
        let Parsed::Statement(statement) = parse(&texts.body(2, 41).unwrap()) else {
            panic!("not understood");
        };
        assert_eq!(statement.account.as_str(), texts.account(2).unwrap());
        let channel_domain::fact::Fact::Received(message) = statement.fact else {
            panic!("not a message");
        };
        assert_eq!(Numbered::number(&message.text.unwrap()), Some(41));
    }
}
