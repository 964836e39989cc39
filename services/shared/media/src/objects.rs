//! Storing and reading objects.

use crate::config::{MediaConfig, MediaStoreKind, S3Config};
use crate::error::MediaError;
use bytes::{Bytes, BytesMut};
use channel_domain::media::{Small, StoredFile};
use futures::stream::{BoxStream, StreamExt as _};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use object_store::prefix::PrefixStore;
use object_store::{
    ClientConfigKey, GetOptions, GetRange, ObjectStore, ObjectStoreExt as _, RetryConfig,
    WriteMultipart,
};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

/// How much is read at a time from a file that is stored.
const READ: usize = 64 * 1024;
/// The least size of a part that every S3 service takes.
const PART_OF_BUCKET: usize = 5 * 1024 * 1024;
/// For how long a request to a bucket is tried again.
const RETRIED: Duration = Duration::from_secs(10);
/// The size of a part in a folder.
const PART_OF_FOLDER: usize = 256 * 1024;

/// After how long nobody is putting a file any more that was not written to.
const LEFT: Duration = Duration::from_mins(10);

/// What came of storing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// The bytes were written.
    Written,
    /// They were there.
    Known,
}

/// Bytes on their way out, in pieces.
pub type Reading = BoxStream<'static, Result<Bytes, MediaError>>;

/// A folder or a bucket. Clones share it.
#[derive(Debug, Clone)]
pub struct Objects {
    store: Arc<dyn ObjectStore>,
    part: usize,
    /// The folder, if it is one.
    folder: Option<PathBuf>,
}

impl Objects {
    /// Opens what the configuration names: a bucket, or a folder, which is this one.
    ///
    /// # Errors
    ///
    /// When the folder cannot be made, or the bucket's configuration makes no sense.
    pub fn open(config: &MediaConfig, folder: &Path) -> Result<Self, MediaError> {
        match config.kind {
            MediaStoreKind::Local => Self::folder(folder),
            MediaStoreKind::S3 => Self::bucket(&config.s3),
        }
    }

    /// In a folder.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn folder(folder: &Path) -> Result<Self, MediaError> {
        std::fs::create_dir_all(folder)?;
        let store = LocalFileSystem::new_with_prefix(folder)?.with_fsync(true);
        let folder = Some(folder.to_owned());
        Ok(Self { store: Arc::new(store), part: PART_OF_FOLDER, folder })
    }

    fn bucket(config: &S3Config) -> Result<Self, MediaError> {
        let mut builder = AmazonS3Builder::from_env()
            .with_bucket_name(&config.bucket)
            .with_allow_http(config.allow_http);
        if !config.region.is_empty() {
            builder = builder.with_region(&config.region);
        }
        if !config.endpoint.is_empty() {
            builder = builder.with_endpoint(&config.endpoint);
        }
        if !config.access_key_id.is_empty() {
            builder = builder
                .with_access_key_id(&config.access_key_id)
                .with_secret_access_key(config.secret_access_key.expose());
        }
        // A file takes as long as its reader does. What does not go on is given up, soon enough for whoever waits.
        let builder = builder
            .with_config(AmazonS3ConfigKey::Client(ClientConfigKey::Timeout), "1 day")
            .with_config(AmazonS3ConfigKey::Client(ClientConfigKey::ReadTimeout), "30 seconds")
            .with_retry(RetryConfig {
                max_retries: 3,
                retry_timeout: RETRIED,
                ..RetryConfig::default()
            });
        let store = PrefixStore::new(builder.build()?, config.prefix.as_str());
        Ok(Self { store: Arc::new(store), part: PART_OF_BUCKET, folder: None })
    }

    /// Looks whether the bucket is there and takes the key. A folder is.
    ///
    /// # Errors
    ///
    /// When it is not, does not, or does not answer.
    pub async fn look(&self) -> Result<(), MediaError> {
        if self.folder.is_some() {
            return Ok(());
        }
        // What nobody ever stores. Its bytes are asked for, as an answer to HEAD does not say what is not found.
        let none = ObjectPath::from_iter(["sha256", "none"]);
        match self.store.get(&none).await.map_err(MediaError::from) {
            Ok(_) | Err(MediaError::Missing) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Stores a file whose hash and size are known, from its beginning, unless it is there.
    ///
    /// # Errors
    ///
    /// When it is not there as a whole; nothing of it can be read then.
    pub async fn put(&self, file: &mut File, stored: &StoredFile) -> Result<Put, MediaError> {
        let path = path(&stored.sha256);
        match self.store.head(&path).await {
            Ok(meta) if meta.size == stored.size => return Ok(Put::Known),
            Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        file.seek(io::SeekFrom::Start(0)).await?;
        let upload = self.store.put_multipart(&path).await?;
        let mut write = WriteMultipart::new_with_chunk_size(upload, self.part);
        if let Err(error) = copy(file, &mut write).await {
            // What was begun is of no use; a folder or bucket that does not answer keeps it for its own sweep.
            let _ = write.abort().await;
            return Err(error);
        }
        write.finish().await?;
        Ok(Put::Written)
    }

    /// Reads a part of a file.
    ///
    /// # Errors
    ///
    /// When it is not there, or not what was stored.
    pub async fn read(
        &self,
        stored: &StoredFile,
        range: Range<u64>,
    ) -> Result<Reading, MediaError> {
        self.part_of(&path(&stored.sha256), stored.size, range).await
    }

    async fn part_of(
        &self,
        path: &ObjectPath,
        size: u64,
        range: Range<u64>,
    ) -> Result<Reading, MediaError> {
        if range.is_empty() {
            let meta = self.store.head(path).await?;
            let whole = meta.size == size;
            return whole.then(|| futures::stream::empty().boxed()).ok_or(MediaError::Damaged);
        }
        let options = GetOptions { range: Some(GetRange::Bounded(range)), ..GetOptions::default() };
        let found = self.store.get_opts(path, options).await?;
        if found.meta.size != size {
            return Err(MediaError::Damaged);
        }
        Ok(found.into_stream().map(|piece| piece.map_err(MediaError::from)).boxed())
    }
}

/// Small pictures, each beside the image that it is of.
impl Objects {
    /// Stores the small picture of an image, in the place of one that is there.
    ///
    /// # Errors
    ///
    /// When it may not be there as a whole; nothing of it can be read then.
    pub async fn put_small(&self, of: &str, bytes: Vec<u8>) -> Result<(), MediaError> {
        self.store.put(&small_path(of), bytes.into()).await?;
        Ok(())
    }

    /// Reads a part of the small picture of an image.
    ///
    /// # Errors
    ///
    /// When it is not there, or not what was stored.
    pub async fn read_small(
        &self,
        of: &str,
        small: &Small,
        range: Range<u64>,
    ) -> Result<Reading, MediaError> {
        self.part_of(&small_path(of), small.size, range).await
    }
}

impl Objects {
    /// Deletes a file, and its small picture. That they were not there is as good.
    ///
    /// # Errors
    ///
    /// When something may still be there.
    pub async fn delete(&self, sha256: &str) -> Result<(), MediaError> {
        for path in [small_path(sha256), path(sha256)] {
            match self.store.delete(&path).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Deletes what was left of a file by whoever died while putting it into the folder. A bucket sweeps by itself.
    pub async fn tidy(&self, sha256: &str) {
        let Some(root) = self.folder.clone() else { return };
        let (folder, begins) = (root.join("sha256").join(first(sha256)), sha256.to_owned());
        // What cannot be deleted now is no harm, and the next one is as good.
        let _ = tokio::task::spawn_blocking(move || leftovers(&folder, &begins)).await;
    }
}

/// Deletes files that begin so, and that nobody has written to for long.
fn leftovers(folder: &Path, begins: &str) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_left = name.starts_with(begins) && name.contains('#');
        if is_left && entry.metadata()?.modified()?.elapsed().unwrap_or_default() > LEFT {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

async fn copy(file: &mut File, write: &mut WriteMultipart) -> Result<(), MediaError> {
    let mut buffer = BytesMut::with_capacity(READ);
    while file.read_buf(&mut buffer).await? > 0 {
        write.wait_for_capacity(1).await?;
        write.put(buffer.split().freeze());
        buffer.reserve(READ);
    }
    Ok(())
}

/// Folders by the first digits, so that none grows too large.
fn path(sha256: &str) -> ObjectPath {
    ObjectPath::from_iter(["sha256", first(sha256), sha256])
}

fn small_path(of: &str) -> ObjectPath {
    ObjectPath::from_iter(["sha256", first(of), &format!("{of}.thumbnail")])
}

fn first(sha256: &str) -> &str {
    sha256.get(..2).unwrap_or_default()
}
