//! Account status: nested under `AccountStatus` as documented, or flat.

use super::event;
use super::outcome::{IgnoreReason, Parsed, RejectReason, Rejection};
use super::required_id;
use crate::v1::wire::json::{Node, Object};
use crate::v1::wire::lenient;
use channel_domain::AccountId;
use channel_domain::fact::{Fact, Statement, Status, UpstreamStatus};

/// The documented key, and the one that the same webhook's settings use for it.
const KEYS: [&str; 2] = ["AccountStatus", "account_status"];

/// Reads an account status, if the body is one.
pub(super) fn read(root: &Object<'_>) -> Option<Result<Parsed, Rejection>> {
    let report = KEYS.into_iter().find_map(|key| root.get(key))?;
    Some(match report {
        Node::Object(nested) => nested_report(nested, root),
        Node::Text(name) => judge(root, root, name),
        _ => Err(Rejection::field(
            RejectReason::WrongType,
            "AccountStatus",
            "is neither an object nor a string",
        )),
    })
}

fn nested_report(nested: &Object<'_>, root: &Object<'_>) -> Result<Parsed, Rejection> {
    let names_account = nested.get("account_id").is_some();
    let owner = if names_account { nested } else { root };
    match ["message", "status"].into_iter().find_map(|key| nested.get(key)) {
        Some(Node::Text(name)) if !name.trim().is_empty() => judge(owner, nested, name),
        Some(Node::Text(_)) | None => Err(wrong(owner, RejectReason::MissingField, "is missing")),
        Some(_) => Err(wrong(owner, RejectReason::WrongType, "is no string")),
    }
}

fn wrong(owner: &Object<'_>, reason: RejectReason, problem: &str) -> Rejection {
    let rejection = Rejection::field(reason, "AccountStatus.message", problem);
    match required_id(owner, "account_id") {
        Ok(account) => rejection.about(&account),
        Err(_) => rejection,
    }
}

/// `owner` names the account, `part` its network.
fn judge(owner: &Object<'_>, part: &Object<'_>, name: &str) -> Result<Parsed, Rejection> {
    let ignored = |reason| Parsed::Ignored {
        account: owner.pick(&["account_id"], lenient::id).map(AccountId::new),
        reason,
        kind: event::label(name),
    };
    if event::is_other_channel(part) {
        return Ok(ignored(IgnoreReason::OtherChannel));
    }
    let Some(status) = UpstreamStatus::from_wire(name) else {
        return Ok(ignored(IgnoreReason::UnknownStatus));
    };
    Ok(Parsed::Statement(Statement {
        account: required_id(owner, "account_id")?,
        fact: Fact::Status(Status { status }),
    }))
}
