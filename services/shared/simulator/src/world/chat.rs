use std::sync::Arc;

use jiff::Timestamp;

use super::{AccountKey, Message, Timeline, Who};

/// Who is in a chat beside the account's owner.
#[derive(Debug, Clone)]
pub(crate) enum Party {
    Direct(Who),
    Group { subject: String, members: Vec<Who> },
}

/// Whether a chat makes a noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Muted {
    #[default]
    No,
    Forever,
    Until(Timestamp),
}

/// A conversation of one account.
#[derive(Debug, Clone)]
pub(crate) struct Chat {
    pub(crate) id: Arc<str>,
    pub(crate) provider_id: String,
    pub(crate) account: AccountKey,
    pub(crate) party: Party,
    pub(crate) timeline: Timeline,
    pub(crate) archived: bool,
    pub(crate) pinned: bool,
    pub(crate) muted: Muted,
    /// As in UniPile's `read_only`: 0 can be written to.
    pub(crate) read_only: u8,
    /// Messages of others that the owner has not read.
    pub(crate) unread: u64,
    /// The owner has read the messages with numbers below this one.
    pub(crate) seen_below: u64,
    /// Calls of the chat's history synchronisation since it last ended.
    pub(crate) sync_calls: u8,
}

impl Chat {
    pub(crate) fn new(
        id: Arc<str>,
        provider_id: String,
        account: AccountKey,
        party: Party,
    ) -> Self {
        Self {
            id,
            provider_id,
            account,
            party,
            timeline: Timeline::default(),
            seen_below: 0,
            archived: false,
            pinned: false,
            muted: Muted::No,
            read_only: 0,
            unread: 0,
            sync_calls: 0,
        }
    }

    /// Everybody but the owner.
    pub(crate) fn others(&self) -> &[Who] {
        match &self.party {
            Party::Direct(who) => std::slice::from_ref(who),
            Party::Group { members, .. } => members,
        }
    }

    pub(crate) fn is_group(&self) -> bool {
        matches!(self.party, Party::Group { .. })
    }

    pub(crate) fn subject(&self) -> Option<&str> {
        match &self.party {
            Party::Direct(_) => None,
            Party::Group { subject, .. } => Some(subject),
        }
    }

    /// Takes a message that is about to be added into account: whoever writes has read.
    pub(super) fn count_unread(&mut self, message: &Message) {
        if message.is_own() {
            self.mark_read();
        } else if !message.is_notice() {
            self.unread += 1;
        }
    }

    pub(super) fn mark_read(&mut self) {
        self.unread = 0;
        self.seen_below = self.timeline.next();
    }

    /// Marked as unread by hand.
    pub(crate) fn mark_unread(&mut self) {
        self.unread = self.unread.max(1);
    }
}
