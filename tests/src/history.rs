//! What a watcher saw, and whether the stream kept its promises.
//!
//! The names are those of the promises: complete, ordered, unique, atomic, bookmarkable.

use channel_proto::query::v1::watch_response::Frame;
use channel_proto::query::v1::{Changes, Reset, WatchResponse};
use channel_proto::types::v1::change::Entity;
use channel_proto::types::v1::{Change, Message};
use std::collections::BTreeMap;
use std::fmt;

/// Frames of one stream, or of several that continued each other.
#[derive(Debug, Default, Clone)]
pub struct History {
    /// In the order in which they came.
    pub frames: Vec<WatchResponse>,
}

/// A promise that was broken.
#[derive(Debug, PartialEq, Eq)]
pub struct Broken {
    /// Which promise.
    pub promise: &'static str,
    /// Where.
    pub account: String,
    /// How.
    pub how: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} broken for {}: {}", self.promise, self.account, self.how)
    }
}

impl std::error::Error for Broken {}

/// What a history comes to for one account.
#[derive(Debug, Default, Clone)]
pub struct Seen {
    /// The last number seen.
    pub seq: u64,
    /// The number that the account began at, or was last reset to.
    pub from: u64,
    /// The cursor to go on from.
    pub cursor: Vec<u8>,
    /// The changes since `from`.
    pub changes: Vec<Change>,
    /// A unit is under way.
    open: bool,
    /// How often the account was reset.
    pub resets: Vec<i32>,
}

impl History {
    /// Checks every frame and gives what they come to.
    pub fn check(&self) -> Result<BTreeMap<String, Seen>, Broken> {
        let mut seen = BTreeMap::new();
        for frame in self.frames.iter().filter_map(|frame| frame.frame.as_ref()) {
            match frame {
                Frame::Hello(hello) => {
                    for position in &hello.accounts {
                        begin(&mut seen, &position.account_id, position.seq, &position.cursor)?;
                    }
                }
                Frame::Changes(changes) => take(&mut seen, changes)?,
                Frame::Bookmark(bookmark) => {
                    for position in &bookmark.accounts {
                        bookmarked(&seen, &position.account_id, position.seq)?;
                    }
                }
                Frame::Reset(reset) => start_over(&mut seen, reset),
                Frame::CaughtUp(_) | Frame::Goodbye(_) => {}
            }
        }
        Ok(seen)
    }

    /// Every state of a message that was told, in order.
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        let frames = self.frames.iter().filter_map(|frame| frame.frame.as_ref());
        let changes = frames.filter_map(|frame| match frame {
            Frame::Changes(changes) => Some(&changes.changes),
            _ => None,
        });
        let entities = changes.flatten().filter_map(|change| change.entity.as_ref());
        let messages = entities.filter_map(|entity| match entity {
            Entity::Message(message) => Some(message.clone()),
            _ => None,
        });
        messages.collect()
    }

    /// How many frames fulfil a condition.
    #[must_use]
    pub fn count(&self, wanted: impl Fn(&Frame) -> bool) -> usize {
        self.frames.iter().filter_map(|frame| frame.frame.as_ref()).filter(|f| wanted(f)).count()
    }
}

type All = BTreeMap<String, Seen>;

fn begin(seen: &mut All, account: &str, seq: u64, cursor: &[u8]) -> Result<(), Broken> {
    if let Some(known) = seen.get(account) {
        if known.seq != seq {
            let how = format!("went on from {seq} after {}", known.seq);
            return Err(Broken { promise: "resumable", account: account.into(), how });
        }
        return Ok(());
    }
    let fresh = Seen { seq, from: seq, cursor: cursor.to_vec(), ..Seen::default() };
    seen.insert(account.to_owned(), fresh);
    Ok(())
}

fn take(all: &mut All, changes: &Changes) -> Result<(), Broken> {
    let account = &changes.account_id;
    let broken = |promise, how| Broken { promise, account: account.clone(), how };
    let Some(seen) = all.get_mut(account) else {
        return Err(broken("complete", "changes came before a position".into()));
    };
    if changes.prev_seq != seen.seq {
        let promise = if changes.prev_seq < seen.seq { "unique" } else { "complete" };
        return Err(broken(promise, format!("{} follows {}", changes.prev_seq, seen.seq)));
    }
    for change in &changes.changes {
        if change.seq != seen.seq + 1 {
            let promise = if change.seq <= seen.seq { "unique" } else { "complete" };
            return Err(broken(promise, format!("{} follows {}", change.seq, seen.seq)));
        }
        seen.seq = change.seq;
        seen.open = !change.unit_end;
        seen.changes.push(change.clone());
    }
    if seen.open != changes.more {
        return Err(broken("atomic", format!("a frame ends inside a unit at {}", seen.seq)));
    }
    if !changes.more {
        seen.cursor = changes.cursor.to_vec();
    }
    Ok(())
}

fn bookmarked(all: &All, account: &str, seq: u64) -> Result<(), Broken> {
    let seen = all.get(account).map_or(0, |seen| seen.seq);
    if seq <= seen {
        return Ok(());
    }
    let how = format!("a bookmark says {seq}, {seen} was sent");
    Err(Broken { promise: "bookmarkable", account: account.into(), how })
}

fn start_over(all: &mut All, reset: &Reset) {
    let mut resets = all.remove(&reset.account_id).map(|seen| seen.resets).unwrap_or_default();
    resets.push(reset.reason);
    let (seq, cursor) = (reset.seq, reset.cursor.to_vec());
    let fresh = Seen { seq, from: seq, cursor, resets, ..Seen::default() };
    all.insert(reset.account_id.clone(), fresh);
}

#[cfg(test)]
mod tests {
    use super::*;
    use channel_proto::query::v1::{AccountPosition, Bookmark, Hello};

    fn frame(frame: Frame) -> WatchResponse {
        WatchResponse { frame: Some(frame) }
    }

    fn position(seq: u64) -> AccountPosition {
        AccountPosition { account_id: "a".into(), seq, ..AccountPosition::default() }
    }

    fn hello(seq: u64) -> WatchResponse {
        frame(Frame::Hello(Hello { accounts: vec![position(seq)], ..Hello::default() }))
    }

    fn bookmark(seq: u64) -> WatchResponse {
        frame(Frame::Bookmark(Bookmark { accounts: vec![position(seq)], ..Bookmark::default() }))
    }

    fn changes(prev: u64, seqs: &[(u64, bool)], more: bool) -> WatchResponse {
        let change = |(seq, unit_end): &(u64, bool)| Change {
            seq: *seq,
            unit_end: *unit_end,
            ..Change::default()
        };
        frame(Frame::Changes(Changes {
            account_id: "a".into(),
            prev_seq: prev,
            changes: seqs.iter().map(change).collect(),
            more,
            ..Changes::default()
        }))
    }

    fn verdict(frames: Vec<WatchResponse>) -> Result<u64, &'static str> {
        let seen = History { frames }.check().map_err(|broken| broken.promise)?;
        Ok(seen["a"].seq)
    }

    #[test]
    fn a_true_history_passes() {
        let frames = vec![hello(3), changes(3, &[(4, false), (5, true)], false), bookmark(5)];
        assert_eq!(verdict(frames), Ok(5));
        let cut = vec![hello(0), changes(0, &[(1, false)], true), changes(1, &[(2, true)], false)];
        assert_eq!(verdict(cut), Ok(2));
    }

    #[test]
    fn every_broken_promise_is_named() {
        let gap = vec![hello(3), changes(3, &[(5, true)], false)];
        assert_eq!(verdict(gap), Err("complete"));
        let lost = vec![hello(3), changes(4, &[(5, true)], false)];
        assert_eq!(verdict(lost), Err("complete"));
        let twice =
            vec![hello(3), changes(3, &[(4, true)], false), changes(3, &[(4, true)], false)];
        assert_eq!(verdict(twice), Err("unique"));
        let back = vec![hello(3), changes(3, &[(4, true), (4, true)], false)];
        assert_eq!(verdict(back), Err("unique"));
        let split = vec![hello(3), changes(3, &[(4, false)], false)];
        assert_eq!(verdict(split), Err("atomic"));
        assert_eq!(verdict(vec![hello(3), bookmark(4)]), Err("bookmarkable"));
        assert_eq!(verdict(vec![hello(3), hello(4)]), Err("resumable"));
    }
}
