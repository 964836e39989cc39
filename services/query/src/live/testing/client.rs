//! A client that believes nothing: it checks every guarantee on every frame.

use crate::live::cursor::Cursor;
use channel_proto::query::v1::watch_response::Frame;
use channel_proto::query::v1::{
    AccountCursor, Bookmark, Changes, Goodbye, Hello, Reset, ResetReason, WatchResponse,
};
use std::collections::BTreeMap;

/// What a client keeps of one account.
#[derive(Debug, Clone, Default)]
pub(in crate::live) struct Kept {
    /// The last event that arrived.
    seq: u64,
    /// The cursor that is stored.
    cursor: Vec<u8>,
    /// The events of an incomplete unit.
    part: Vec<(u64, String)>,
    /// Everything shown, since the last reset.
    pub(in crate::live) shown: Vec<(u64, String)>,
    /// Where `shown` begins.
    pub(in crate::live) from: u64,
    /// The last numbers of all runs that were shown at once.
    pub(in crate::live) run_ends: Vec<u64>,
}

/// A client that believes nothing.
#[derive(Debug, Clone, Default)]
pub(in crate::live) struct Client {
    pub(in crate::live) accounts: BTreeMap<String, Kept>,
    pub(in crate::live) resets: Vec<(String, ResetReason)>,
    pub(in crate::live) hello: Option<Hello>,
    pub(in crate::live) caught_up: Option<Vec<String>>,
    pub(in crate::live) bookmarks: u32,
    pub(in crate::live) goodbye: Option<Goodbye>,
    pub(in crate::live) frames: u32,
}

impl Client {
    /// The cursors to come back with. What was shown is kept; what is incomplete is not.
    pub(in crate::live) fn cursors(&self) -> Vec<AccountCursor> {
        let cursor = |(id, kept): (&String, &Kept)| AccountCursor {
            account_id: id.clone(),
            cursor: kept.cursor.clone().into(),
        };
        self.accounts.iter().map(cursor).collect()
    }

    /// A stream of its own begins.
    pub(in crate::live) fn reconnect(&mut self) {
        self.hello = None;
        self.caught_up = None;
        self.goodbye = None;
        for kept in self.accounts.values_mut() {
            kept.part.clear();
            kept.seq = Cursor::from_bytes(&kept.cursor).map_or(0, |cursor| cursor.at.seq);
        }
    }

    /// Takes a frame, or tells which guarantee it breaks.
    pub(in crate::live) fn take(&mut self, response: WatchResponse) -> Result<(), String> {
        self.frames += 1;
        let frame = response.frame.ok_or("an empty frame")?;
        if self.goodbye.is_some() {
            return Err(format!("a frame after Goodbye: {frame:?}"));
        }
        if self.hello.is_none() != matches!(frame, Frame::Hello(_)) {
            return Err(format!("Hello is not the first frame: {frame:?}"));
        }
        match frame {
            Frame::Hello(hello) => self.hello(hello),
            Frame::Changes(changes) => self.changes(changes),
            Frame::Bookmark(bookmark) => self.bookmark(&bookmark),
            Frame::Reset(reset) => self.reset(reset),
            Frame::CaughtUp(caught_up) => {
                let twice = self.caught_up.replace(caught_up.account_ids);
                twice.map_or(Ok(()), |_| Err("CaughtUp twice".to_owned()))
            }
            Frame::Goodbye(goodbye) => {
                self.goodbye = Some(goodbye);
                Ok(())
            }
        }
    }

    fn hello(&mut self, hello: Hello) -> Result<(), String> {
        for position in &hello.accounts {
            let kept = self.accounts.entry(position.account_id.clone()).or_default();
            if kept.cursor.is_empty() {
                kept.cursor = position.cursor.to_vec();
                (kept.seq, kept.from) = (position.seq, position.seq);
            } else if kept.cursor != position.cursor {
                return Err("L5: the stream does not go on from the cursor".to_owned());
            }
        }
        self.hello = Some(hello);
        Ok(())
    }

    fn changes(&mut self, changes: Changes) -> Result<(), String> {
        let id = &changes.account_id;
        let kept = self.accounts.get_mut(id).ok_or("changes of a foreign account")?;
        if changes.prev_seq != kept.seq {
            return Err(format!(
                "L1/L3: {id} is at {}, the frame begins after {}",
                kept.seq, changes.prev_seq
            ));
        }
        for change in changes.changes {
            if change.seq != kept.seq + 1 {
                return Err(format!("L1/L2: {} follows {}", change.seq, kept.seq));
            }
            kept.seq = change.seq;
            kept.part.push((change.seq, change.entity_id));
        }
        if changes.more != changes.cursor.is_empty() {
            return Err("a cursor within a unit, or none at its end".to_owned());
        }
        if !changes.more {
            kept.cursor = changes.cursor.to_vec();
            kept.run_ends.push(kept.seq);
            kept.shown.append(&mut kept.part);
            let at = Cursor::from_bytes(&kept.cursor).ok_or("no cursor of ours")?;
            if at.at.seq != kept.seq {
                return Err("the cursor is elsewhere".to_owned());
            }
        }
        Ok(())
    }

    fn bookmark(&mut self, bookmark: &Bookmark) -> Result<(), String> {
        self.bookmarks += 1;
        for position in &bookmark.accounts {
            let id = &position.account_id;
            let kept = self.accounts.get_mut(id).ok_or("a bookmark of a foreign account")?;
            let stored = kept.seq - kept.part.len() as u64;
            if position.seq != stored {
                return Err(format!("L6: {id}: {} promised, {stored} sent", position.seq));
            }
            kept.cursor = position.cursor.to_vec();
        }
        Ok(())
    }

    fn reset(&mut self, reset: Reset) -> Result<(), String> {
        self.resets.push((reset.account_id.clone(), reset.reason()));
        if reset.cursor.is_empty() {
            self.accounts.remove(&reset.account_id);
            return Ok(());
        }
        let at = Cursor::from_bytes(&reset.cursor).ok_or("no cursor of ours")?;
        if at.at.seq != reset.seq {
            return Err("the reset is elsewhere".to_owned());
        }
        let kept = Kept {
            seq: reset.seq,
            from: reset.seq,
            cursor: reset.cursor.to_vec(),
            ..Kept::default()
        };
        self.accounts.insert(reset.account_id, kept);
        Ok(())
    }
}
