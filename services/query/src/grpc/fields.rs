//! Reading the fields of requests; every bad one is noted.

use crate::page::Paging;
use crate::read::{AtLeast, Target};
use channel_domain::time::Micros;
use channel_domain::{AccountId, MessageId};
use channel_proto::types::v1 as pb;
use channel_runtime::fault::FieldErrors;
use channel_wire as wire;
use prost_types::Timestamp;
use uuid::Uuid;

/// Most accounts that one request names.
const MOST_ACCOUNTS: usize = 200;
/// Most characters of a text to look for.
const MOST_TEXT: usize = 256;
/// Most bytes of an id: far more than any that UniPile makes.
const MOST_ID: usize = 256;

/// The bounds of a page's size.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    pub(super) usual: usize,
    pub(super) most: usize,
}

/// As the contract has it for lists.
pub(super) const LISTS: Sizes = Sizes { usual: 50, most: 200 };
/// As the contract has it for searching.
pub(super) const HITS: Sizes = Sizes { usual: 20, most: 100 };

/// An id that must be there.
pub(super) fn id<T: From<String>>(bad: &mut FieldErrors, field: &str, text: String) -> Option<T> {
    bad.ensure(field, !text.is_empty(), "must be set");
    optional_id(bad, field, text)
}

/// An id that may be left out.
pub(super) fn optional_id<T: From<String>>(
    bad: &mut FieldErrors,
    field: &str,
    text: String,
) -> Option<T> {
    let good = text.len() <= MOST_ID && !text.chars().any(char::is_control);
    bad.ensure(field, good, "is not an id");
    (good && !text.is_empty()).then(|| T::from(text))
}

/// The accounts that a list is asked of.
pub(super) fn accounts(bad: &mut FieldErrors, ids: Vec<String>) -> Vec<AccountId> {
    bad.ensure("account_ids", ids.len() <= MOST_ACCOUNTS, "must be at most 200");
    let read = |(at, text)| id(bad, &format!("account_ids[{at}]"), text);
    ids.into_iter().take(MOST_ACCOUNTS).enumerate().filter_map(read).collect()
}

/// A message's id.
pub(super) fn message_id(bad: &mut FieldErrors, field: &str, text: &str) -> Option<MessageId> {
    let id = Uuid::parse_str(text).ok();
    bad.ensure(field, id.is_some(), "must be a UUID");
    id.map(MessageId)
}

/// The account of one object, and how new the answer must be.
pub(super) fn target(bad: &mut FieldErrors, account: String, at_least: u64) -> Target {
    let account = optional_id(bad, "account_id", account);
    Target { account, at_least }
}

/// How many rows, from where.
pub(super) fn paging(bad: &mut FieldErrors, sizes: Sizes, size: i32, token: String) -> Paging {
    Paging { size: page_size(bad, sizes, size), token }
}

/// How many rows.
pub(super) fn page_size(bad: &mut FieldErrors, sizes: Sizes, size: i32) -> usize {
    if size == 0 {
        return sizes.usual;
    }
    let good = usize::try_from(size).ok().filter(|size| *size <= sizes.most);
    if good.is_none() {
        bad.add("page_size", format!("must be 0 to {}", sizes.most));
    }
    good.unwrap_or(sizes.usual)
}

/// A text to look for.
pub(super) fn text(bad: &mut FieldErrors, field: &str, text: String) -> String {
    let good = text.chars().nth(MOST_TEXT).is_none();
    bad.ensure(field, good, "must be at most 256 characters");
    text
}

/// A time that may be left out.
pub(super) fn time(bad: &mut FieldErrors, field: &str, at: Option<Timestamp>) -> Option<Micros> {
    let at = at?;
    let read = wire::micros(&at);
    bad.ensure(field, read.is_some(), "is not a time");
    read
}

/// What the answer must include.
pub(super) fn at_least(bad: &mut FieldErrors, asked: Vec<pb::AccountSeq>) -> AtLeast {
    bad.ensure("min_as_of", asked.len() <= MOST_ACCOUNTS, "must be at most 200");
    let mut read = |(at, it): (usize, pb::AccountSeq)| {
        let account = id(bad, &format!("min_as_of[{at}].account_id"), it.account_id)?;
        Some((account, it.seq))
    };
    asked.into_iter().take(MOST_ACCOUNTS).enumerate().filter_map(&mut read).collect()
}
