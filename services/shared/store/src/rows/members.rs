//! Who is in which chat.

use channel_domain::attendee::Merged;
use channel_domain::time::{Micros, Stamp};

/// Somebody is in a chat.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Member {
    /// The chat.
    pub chat_key: i64,
    /// The person.
    pub attendee_key: i64,
    /// The earliest fact that showed them there.
    pub since: Stamp,
    /// The latest time at which a fact of this transaction showed them there.
    pub seen: Micros,
    /// They were not there any more at this time. Whatever shows them there later takes it back.
    pub left: Option<Micros>,
}

/// Where somebody stands in a chat whom a fact shows there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The earliest fact that showed them there.
    pub since: Stamp,
    /// They were not there any more at this time.
    pub left: Option<Micros>,
}

impl Standing {
    /// A fact shows them there: they may be there again, or have been there for longer.
    pub fn see(&mut self, since: Stamp, seen: Micros) -> Merged {
        let returns = self.left.is_some_and(|left| left < seen);
        let earlier = since < self.since;
        self.since = self.since.min(since);
        if returns {
            self.left = None;
        }
        Merged { stored: returns || earlier, shown: returns }
    }
}

/// Who is to be looked for in which chat.
#[derive(Debug, Clone, Copy)]
pub struct Shown {
    /// The chat.
    pub chat_key: i64,
    /// The person.
    pub attendee_key: i64,
    /// The earliest fact at hand that shows them there.
    pub since: Stamp,
}

/// Somebody who is not simply where a fact shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsettled {
    /// The chat.
    pub chat_key: i64,
    /// The person.
    pub attendee_key: i64,
    /// Where they stand; `None`: they were never there.
    pub standing: Option<Standing>,
}
