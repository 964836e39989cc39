//! Accounts, and attempts to connect one.

use super::{Odd, id, known};
use crate::upstream::{Account, Connecting, Source, Step};
use crate::v1::wire::json::{Node, Object};
use crate::v1::wire::{lenient, time};
use channel_domain::AccountId;
use channel_domain::fact::UpstreamStatus;
use secrecy::SecretString;

/// A WhatsApp account; other networks share the list.
pub(in super::super) fn account(root: &Object<'_>) -> Option<Account> {
    let network = root.pick(&["type"], lenient::name);
    if network.is_some_and(|network| !network.trim().eq_ignore_ascii_case("WHATSAPP")) {
        return None;
    }
    let messenger = root.object("connection_params").and_then(|params| params.object("im"));
    let sources = root.list("sources").unwrap_or_default();
    Some(Account {
        id: id(root)?.into(),
        name: root.pick(&["name"], lenient::phone),
        phone: messenger.and_then(|im| im.pick(&["phone_number"], lenient::phone)),
        created_at: root.pick(&["created_at"], time::instant),
        sources: sources.iter().filter_map(source).collect(),
    })
}

/// The account that was asked for.
pub(in super::super) fn this(root: &Object<'_>, asked: &AccountId) -> Result<Account, Odd> {
    let account = account(root).ok_or(Odd::Shape("the id"))?;
    if account.id == *asked { Ok(account) } else { Err(Odd::Foreign) }
}

fn source(node: &Node<'_>) -> Option<Source> {
    let Node::Object(object) = node else { return None };
    let status = object.pick(&["status"], lenient::name);
    Some(Source {
        id: object.pick(&["id"], lenient::id),
        status: status.and_then(|status| UpstreamStatus::from_wire(&status)),
    })
}

/// What an attempt to connect answers. `pairs`: a code to type was asked for; UniPile does not document the
/// field that holds it, so any text of the checkpoint is taken for it.
pub(in super::super) fn connecting(root: &Object<'_>, pairs: bool) -> Connecting {
    let object = root.pick(&["object"], lenient::name).unwrap_or_default();
    let checkpoint = root.object("checkpoint").unwrap_or(root);
    let step = match object.to_ascii_lowercase().as_str() {
        "accountcreated" => Step::Created,
        "accountreconnected" => Step::Reconnected,
        _ => checkpoint_step(checkpoint, pairs),
    };
    Connecting { account: known(root, "account_id"), step }
}

fn checkpoint_step(checkpoint: &Object<'_>, pairs: bool) -> Step {
    let kind = checkpoint.pick(&["type", "object"], lenient::name).unwrap_or_default();
    if let Some(code) = checkpoint.pick(&["qrcode"], lenient::text) {
        return Step::Qr(SecretString::from(code));
    }
    let is_code = |(key, _): &(&str, &Node<'_>)| !matches!(*key, "type" | "object" | "account_id");
    let code = checkpoint.entries().filter(is_code).find_map(|(_, node)| lenient::phone(node));
    match code {
        Some(code) if pairs => Step::PairingCode(SecretString::from(code)),
        _ => Step::Other(kind),
    }
}
