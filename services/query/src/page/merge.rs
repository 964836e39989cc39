//! Merging the lists of several accounts into one.

use std::cmp::Reverse;

/// The first `limit` rows over all lists, each with its account's key: the greatest `order` first, and of
/// equal ones the greater account's first. Each list is one account's own first `limit` rows or all of
/// them, sorted by `order` falling; rows of one account keep their sequence.
pub(crate) fn merged<O: Ord, T>(
    lists: impl IntoIterator<Item = (i64, Vec<T>)>,
    order: impl Fn(&T) -> O,
    limit: usize,
) -> Vec<(i64, T)> {
    let own = |(account, rows): (i64, Vec<T>)| rows.into_iter().map(move |row| (account, row));
    let mut all: Vec<(i64, T)> = lists.into_iter().flat_map(own).collect();
    // A stable sort, so that rows of one account and one order stay as the store gave them.
    all.sort_by_key(|(account, row)| Reverse((order(row), *account)));
    all.truncate(limit);
    all
}
