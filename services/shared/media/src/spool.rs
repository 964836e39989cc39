//! A file on its way in: on disk, without a name, so that nothing is left of it when the process dies.

use channel_domain::media::StoredFile;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use tokio::fs::File;
use tokio::io::{AsyncWriteExt as _, BufWriter};

/// How many of the first bytes tell what a file is.
const HEAD: usize = 8 * 1024;

/// A folder for files on their way in.
#[derive(Debug, Clone)]
pub struct Spool(PathBuf);

impl Spool {
    /// In a folder.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn new(folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        Ok(Self(folder.to_owned()))
    }

    /// Begins a file.
    ///
    /// # Errors
    ///
    /// When the disk does not answer.
    pub async fn begin(&self) -> io::Result<Received> {
        let folder = self.0.clone();
        let file = tokio::task::spawn_blocking(move || tempfile::tempfile_in(folder)).await;
        let file = File::from_std(file.map_err(io::Error::other)??);
        let file = BufWriter::with_capacity(HEAD, file);
        Ok(Received { file, hash: Sha256::new(), head: Vec::new(), size: 0 })
    }
}

/// What has come of a file.
#[derive(Debug)]
pub struct Received {
    file: BufWriter<File>,
    hash: Sha256,
    head: Vec<u8>,
    size: u64,
}

impl Received {
    /// How many bytes have come.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The first bytes, which tell what it is.
    #[must_use]
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    ///
    /// When the disk does not answer.
    pub async fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hash.update(bytes);
        let missing = HEAD.saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..missing]);
        self.size += bytes.len() as u64;
        self.file.write_all(bytes).await
    }

    /// Ends the file: its bytes, and what they are called.
    ///
    /// # Errors
    ///
    /// When the disk does not answer.
    pub async fn finish(mut self, mime: Option<String>) -> io::Result<(File, StoredFile)> {
        self.file.flush().await?;
        let mut sha256 = String::with_capacity(64);
        for byte in self.hash.finalize() {
            // Writing into a string cannot fail.
            let _ = write!(sha256, "{byte:02x}");
        }
        Ok((self.file.into_inner(), StoredFile { sha256, size: self.size, mime, thumbnail: None }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MediaError, Objects, Put};
    use channel_domain::media::Small;
    use futures::TryStreamExt as _;

    async fn received(spool: &Spool, pieces: &[&[u8]]) -> (File, StoredFile) {
        let mut file = spool.begin().await.unwrap();
        for piece in pieces {
            file.take(piece).await.unwrap();
        }
        file.finish(None).await.unwrap()
    }

    async fn read(objects: &Objects, stored: &StoredFile, from: u64, to: u64) -> Vec<u8> {
        let pieces = objects.read(stored, from..to).await.unwrap();
        pieces.try_collect::<Vec<_>>().await.unwrap().concat()
    }

    #[tokio::test]
    async fn the_same_bytes_lie_there_once_and_are_read_in_any_part() {
        let folder = tempfile::tempdir().unwrap();
        let objects = Objects::folder(&folder.path().join("media")).unwrap();
        let spool = Spool::new(&folder.path().join("incoming")).unwrap();
        let large = vec![7; 700_000];
        let (mut file, stored) = received(&spool, &[b"begin", &large, b"end"]).await;
        assert_eq!(stored.size, 700_008);
        assert_eq!(objects.put(&mut file, &stored).await.unwrap(), Put::Written);
        let (mut again, same) =
            received(&spool, &[b"begin", &large[..9], &large[9..], b"end"]).await;
        assert_eq!(same, stored);
        assert_eq!(objects.put(&mut again, &same).await.unwrap(), Put::Known);
        assert_eq!(read(&objects, &stored, 0, 5).await, b"begin");
        assert_eq!(read(&objects, &stored, 700_004, 700_008).await, b"\x07end");
        assert_eq!(read(&objects, &stored, 0, 700_008).await.len(), 700_008);
        assert_eq!(read(&objects, &stored, 9, 9).await, b"");
    }

    #[tokio::test]
    async fn what_is_missing_or_damaged_is_not_served() {
        let folder = tempfile::tempdir().unwrap();
        let objects = Objects::folder(folder.path()).unwrap();
        let spool = Spool::new(folder.path()).unwrap();
        let (mut file, stored) = received(&spool, &[b"whole"]).await;
        let missing = objects.read(&stored, 0..5).await.err().unwrap();
        assert!(matches!(missing, MediaError::Missing), "{missing:?}");
        objects.put(&mut file, &stored).await.unwrap();
        let path = folder.path().join("sha256").join(&stored.sha256[..2]).join(&stored.sha256);
        std::fs::write(&path, b"who").unwrap();
        let damaged = objects.read(&stored, 0..3).await.err().unwrap();
        assert!(matches!(damaged, MediaError::Damaged), "{damaged:?}");
        // Fetched once more, it is whole again.
        assert_eq!(objects.put(&mut file, &stored).await.unwrap(), Put::Written);
        assert_eq!(read(&objects, &stored, 0, 5).await, b"whole");
    }

    #[tokio::test]
    async fn what_a_crash_left_of_a_file_goes_once_it_is_old() {
        let folder = tempfile::tempdir().unwrap();
        let objects = Objects::folder(folder.path()).unwrap();
        let spool = Spool::new(folder.path()).unwrap();
        let (mut file, stored) = received(&spool, &[b"whole"]).await;
        objects.put(&mut file, &stored).await.unwrap();
        let lies = folder.path().join("sha256").join(&stored.sha256[..2]);
        for (left, minutes) in [("#1", 11), (".thumbnail#1", 11), ("#2", 1)] {
            let path = lies.join(format!("{}{left}", stored.sha256));
            let old = std::time::SystemTime::now() - std::time::Duration::from_mins(minutes);
            std::fs::File::create(&path).unwrap().set_modified(old).unwrap();
        }
        objects.tidy(&stored.sha256).await;
        assert_eq!(std::fs::read_dir(&lies).unwrap().count(), 2, "the file and the young one");
        objects.delete(&stored.sha256).await.unwrap();
        objects.delete(&stored.sha256).await.unwrap();
        let missing = objects.read(&stored, 0..5).await.err().unwrap();
        assert!(matches!(missing, MediaError::Missing), "{missing:?}");
    }

    #[tokio::test]
    async fn a_small_picture_lies_beside_its_image_and_goes_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let objects = Objects::folder(folder.path()).unwrap();
        let small = Small {
            sha256: String::new(),
            size: 5,
            mime: "image/png".into(),
            width: 1,
            height: 1,
            full_width: 1,
            full_height: 1,
        };
        let of = "ab".repeat(32);
        let read = |range| objects.read_small(&of, &small, range);
        assert!(matches!(read(0..5).await.err().unwrap(), MediaError::Missing));
        for bytes in ["another", "small"] {
            objects.put_small(&of, bytes.into()).await.unwrap();
        }
        let part = read(1..3).await.unwrap().try_collect::<Vec<_>>().await.unwrap();
        assert_eq!(part.concat(), b"ma");
        objects.put_small(&of, b"smal".to_vec()).await.unwrap();
        assert!(matches!(read(0..3).await.err().unwrap(), MediaError::Damaged));
        objects.delete(&of).await.unwrap();
        assert!(matches!(read(0..5).await.err().unwrap(), MediaError::Missing));
    }

    #[test]
    fn nothing_of_a_file_on_its_way_has_a_name() {
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let spool = Spool::new(folder.path()).unwrap();
            let mut file = spool.begin().await.unwrap();
            file.take(&vec![1; 20_000]).await.unwrap();
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        });
    }
}
