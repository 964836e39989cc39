//! What a stream holds of the process, given back when it is dropped.

use crate::live::core::Core;
use crate::live::streams::Entry;
use channel_runtime::identity::Identity;
use std::sync::Arc;

/// A caller's place among the streams, told of changes of access.
pub(in crate::live) struct Member {
    pub(in crate::live) core: Arc<Core>,
    pub(in crate::live) entry: Entry,
    pub(in crate::live) identity: Identity,
}

impl Member {
    pub(in crate::live) fn new(core: &Arc<Core>, entry: Entry, identity: Identity) -> Self {
        core.directory.listen(&identity.tenant, entry.id, &entry.signal);
        Self { core: Arc::clone(core), entry, identity }
    }
}

impl std::fmt::Debug for Member {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Member").field(&self.entry.id).finish()
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.core.directory.leave(&self.identity.tenant, self.entry.id);
    }
}
