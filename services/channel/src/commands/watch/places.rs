//! How far the printing got in each account, kept in a file so that the next run goes on there.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// How often the file is written at most; what was printed since then is printed again after a crash.
const SAVE_EVERY: Duration = Duration::from_millis(200);

/// A place in one account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// Where the server goes on. Covers everything up to `seq`.
    pub(super) cursor: Bytes,
    pub(super) seq: u64,
    /// The last change that was printed; beyond `seq` while a unit of changes is under way.
    pub(super) printed: u64,
}

/// The places of all accounts.
#[derive(Debug)]
pub(super) struct Places {
    file: PathBuf,
    accounts: BTreeMap<String, Place>,
    changed: bool,
    saved_at: Instant,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    cursor: String,
    seq: u64,
}

impl Places {
    /// Reads the file, if there is one and it is wanted.
    pub(super) fn open(file: PathBuf, from_now: bool) -> anyhow::Result<Self> {
        let accounts = if from_now { BTreeMap::new() } else { read(&file)? };
        Ok(Self { file, accounts, changed: false, saved_at: Instant::now() })
    }

    pub(super) fn get(&self, account: &str) -> Option<&Place> {
        self.accounts.get(account)
    }

    /// The accounts that have a place.
    pub(super) fn accounts(&self) -> impl Iterator<Item = &str> {
        self.accounts.keys().map(String::as_str)
    }

    /// The place of an account, made when it is new: at `seq`, with no cursor yet.
    pub(super) fn enter(&mut self, account: &str, seq: u64) -> &mut Place {
        let place = || Place { cursor: Bytes::new(), seq, printed: seq };
        self.accounts.entry(account.to_owned()).or_insert_with(place)
    }

    /// Notes that everything up to `seq` was printed, and that `cursor` is there.
    pub(super) fn reach(&mut self, account: &str, cursor: Bytes, seq: u64) {
        let place = self.enter(account, seq);
        if cursor.is_empty() || seq < place.seq {
            return;
        }
        place.printed = place.printed.max(seq);
        (place.cursor, place.seq) = (cursor, seq);
        self.changed = true;
    }

    /// Goes to a place that the server chose, forward or back.
    pub(super) fn jump(&mut self, account: &str, cursor: Bytes, seq: u64) {
        self.accounts.insert(account.to_owned(), Place { cursor, seq, printed: seq });
        self.changed = true;
    }

    /// Forgets an account.
    pub(super) fn leave(&mut self, account: &str) {
        self.changed |= self.accounts.remove(account).is_some();
    }

    /// When the file has to be written, if it has to.
    pub(super) fn due(&self) -> Option<Instant> {
        self.changed.then(|| self.saved_at + SAVE_EVERY)
    }

    /// Writes the file when that is due.
    pub(super) fn save_if_due(&mut self) -> anyhow::Result<()> {
        match self.due() {
            Some(due) if due <= Instant::now() => self.save(),
            _ => Ok(()),
        }
    }

    /// Writes the file when something has changed.
    pub(super) fn save(&mut self) -> anyhow::Result<()> {
        if !self.changed {
            return Ok(());
        }
        write(&self.file, &self.accounts)
            .with_context(|| format!("cannot write {}", self.file.display()))?;
        self.changed = false;
        self.saved_at = Instant::now();
        Ok(())
    }
}

/// What was printed is noted also when the program is asked to end.
impl Drop for Places {
    fn drop(&mut self) {
        // There is nobody left to tell; the worst is that some lines are printed twice.
        let _ = self.save();
    }
}

fn read(file: &Path) -> anyhow::Result<BTreeMap<String, Place>> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", file.display())),
    };
    let unusable =
        || format!("{} is not a file of cursors; delete it, or use --from-now", file.display());
    let kept: BTreeMap<String, Kept> = serde_json::from_str(&text).with_context(unusable)?;
    let place = |(account, kept): (String, Kept)| {
        let cursor = STANDARD.decode(kept.cursor).with_context(unusable)?;
        Ok((account, Place { cursor: cursor.into(), seq: kept.seq, printed: kept.seq }))
    };
    kept.into_iter().map(place).collect()
}

/// All of the new file or all of the old one, also when the machine stops in between.
fn write(file: &Path, accounts: &BTreeMap<String, Place>) -> anyhow::Result<()> {
    let kept = |(account, place): (&String, &Place)| {
        let cursor = STANDARD.encode(&place.cursor);
        (account.clone(), Kept { cursor, seq: place.seq })
    };
    let known = accounts.iter().filter(|(_, place)| !place.cursor.is_empty());
    let kept: BTreeMap<String, Kept> = known.map(kept).collect();
    let beside = file.with_extension("cursor.new");
    fs::write(&beside, serde_json::to_vec_pretty(&kept)?)?;
    Ok(fs::rename(beside, file)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("watch.cursor");
        (folder, file)
    }

    #[tokio::test]
    async fn the_next_run_goes_on_where_this_one_stopped() {
        let (_folder, file) = file();
        let mut places = Places::open(file.clone(), false).unwrap();
        places.reach("a", Bytes::from_static(&[1, 2, 3]), 7);
        places.enter("b", 5);
        drop(places);
        let again = Places::open(file.clone(), false).unwrap();
        let place = Place { cursor: Bytes::from_static(&[1, 2, 3]), seq: 7, printed: 7 };
        assert_eq!(again.get("a"), Some(&place));
        assert_eq!(again.get("b"), None, "a place without a cursor is of no use later");
        assert!(Places::open(file, true).unwrap().get("a").is_none());
    }

    #[tokio::test]
    async fn a_place_only_moves_forward_unless_the_server_resets_it() {
        let (_folder, file) = file();
        let mut places = Places::open(file, false).unwrap();
        places.reach("a", Bytes::from_static(&[9]), 9);
        places.reach("a", Bytes::from_static(&[4]), 4);
        places.reach("a", Bytes::new(), 12);
        assert_eq!(places.get("a").unwrap().seq, 9);
        places.jump("a", Bytes::from_static(&[2]), 2);
        assert_eq!(places.get("a").unwrap().printed, 2);
        places.leave("a");
        assert!(places.get("a").is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_busy_stream_writes_the_file_a_few_times_a_second_and_a_quiet_one_soon() {
        let (_folder, file) = file();
        let mut places = Places::open(file.clone(), false).unwrap();
        places.reach("a", Bytes::from_static(&[1]), 1);
        places.save_if_due().unwrap();
        assert!(!file.exists(), "not at once");
        tokio::time::advance(SAVE_EVERY).await;
        places.save_if_due().unwrap();
        assert!(file.exists());
        assert_eq!(places.due(), None);
    }

    #[tokio::test]
    async fn a_file_that_is_something_else_is_named() {
        let (_folder, file) = file();
        fs::write(&file, "no json").unwrap();
        let error = Places::open(file, false).unwrap_err().to_string();
        assert!(error.contains("watch.cursor") && error.contains("--from-now"), "{error}");
    }
}
