use std::sync::Arc;

use super::{AccountKey, Timeline, Who};

/// Who is in a chat beside the account's owner.
#[derive(Debug, Clone)]
pub(crate) enum Party {
    Direct(Who),
    Group { subject: String, members: Vec<Who> },
}

/// A conversation of one account.
#[derive(Debug, Clone)]
pub(crate) struct Chat {
    pub(crate) id: Arc<str>,
    pub(crate) provider_id: String,
    pub(crate) account: AccountKey,
    pub(crate) party: Party,
    pub(crate) timeline: Timeline,
}

impl Chat {
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
}
