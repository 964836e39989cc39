//! What UniPile reports after somebody used its sign-in page.
//!
//! It is neither signed nor does it carry a webhook's headers: put something hard to guess into the address
//! that it is sent to, and believe it only once the account itself says the same.

use super::wire::document;
use super::wire::json::{Node, Object};
use super::wire::lenient;
use channel_domain::AccountId;
use channel_domain::fact::UpstreamStatus;

/// A report of UniPile's sign-in page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The account.
    pub account: AccountId,
    /// What happened, if this program knows the word: created, reconnected, failed.
    pub status: Option<UpstreamStatus>,
    /// The name that was given when the link was made.
    pub name: Option<String>,
}

/// Reads a report; none if the body is no JSON object with an account.
#[must_use]
pub fn notice(body: &[u8]) -> Option<Notice> {
    document::read(body, |node| match node {
        Node::Object(root) => of(root),
        _ => None,
    })?
}

fn of(root: &Object<'_>) -> Option<Notice> {
    let status = root.pick(&["status", "message"], lenient::name);
    Some(Notice {
        account: lenient::required(root, "account_id").ok()?.into(),
        status: status.and_then(|status| UpstreamStatus::from_wire(&status)),
        name: root.pick(&["name"], lenient::text),
    })
}
