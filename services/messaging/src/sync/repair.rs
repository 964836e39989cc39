//! What the account's chats got since a time.

use channel_domain::Micros;
use channel_store::record::SyncRecord;

use super::pages::{Listed, Source};
use super::run::{Halt, Run};

impl Run {
    /// Reads the account's messages back to where everything is here.
    pub(super) async fn repair(&mut self, sync: SyncRecord) -> Result<(), Halt> {
        if sync.listed {
            return Ok(());
        }
        let since = sync.since.map(Micros);
        let read = self.messages(&Source::Account, sync.cursor.as_deref(), sync.pages, since);
        match read.await? {
            Ok(Listed::Whole) => Ok(()),
            Ok(Listed::Circles) => Err(Halt::Fail("UPSTREAM_CURSOR_LOOP")),
            Err(error) => Err(self.halt(&error)),
        }
    }
}
