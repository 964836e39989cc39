//! Webhooks.

use super::{id, texts};
use crate::upstream::{Webhook, WebhookHeader};
use crate::v1::wire::json::{Node, Object};
use crate::v1::wire::lenient;
use channel_domain::AccountId;
use secrecy::SecretString;

pub(in super::super) fn webhook(root: &Object<'_>) -> Option<Webhook> {
    let accounts = root.list("account_ids").unwrap_or_default();
    let headers = root.list("headers").unwrap_or_default();
    Some(Webhook {
        id: id(root)?,
        name: root.pick(&["name"], lenient::name),
        url: root.pick(&["request_url"], lenient::url),
        enabled: root.pick(&["enabled"], lenient::flag),
        accounts: accounts.iter().filter_map(account).collect(),
        events: texts(root, "events"),
        headers: headers.iter().filter_map(header).collect(),
    })
}

/// Made with plain ids, listed as objects.
fn account(node: &Node<'_>) -> Option<AccountId> {
    let id = match node {
        Node::Object(object) => object.pick(&["id"], lenient::id),
        _ => lenient::id(node),
    };
    id.map(AccountId::new)
}

fn header(node: &Node<'_>) -> Option<WebhookHeader> {
    let Node::Object(object) = node else { return None };
    let value = object.pick(&["value"], lenient::text).unwrap_or_default();
    Some(WebhookHeader {
        name: object.pick(&["key"], lenient::name)?,
        value: SecretString::from(value),
    })
}
