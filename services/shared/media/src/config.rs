//! The section `media` of the configuration.

use channel_domain::fact::AttachmentKind;
use channel_domain::media::Policy;
use channel_runtime::config::{ConfigError, Secret};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Which files are fetched, and where their bytes lie.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MediaConfig {
    /// Where the bytes lie.
    pub kind: MediaStoreKind,
    /// The folder. Empty: `media` in the folder of the database.
    pub path: PathBuf,
    /// Most bytes of a file.
    pub most_bytes: u64,
    /// Kinds of files that are not fetched.
    pub left_out: Vec<AttachmentKind>,
    /// How often a file is tried that its source answers wrongly. Outages do not count.
    pub tries: u32,
    /// Files under way at a time, in one process.
    pub concurrency: usize,
    /// How long a fetch may go without a sign of life before another process takes over, in seconds.
    pub lease_seconds: u32,
    /// Pictures of people and groups.
    pub pictures: PicturesConfig,
    /// Small pictures of images.
    pub thumbnails: ThumbnailsConfig,
    /// The bucket.
    pub s3: S3Config,
}

/// How small pictures of images are made.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThumbnailsConfig {
    /// Whether they are made.
    pub enabled: bool,
    /// Their longest side in pixels.
    pub longest_side: u32,
    /// Most pixels of an image.
    pub most_pixels: u64,
    /// Most bytes of memory that one may take, as far as its header tells.
    pub memory_bytes: u64,
    /// Made at a time, in one process.
    pub concurrency: usize,
}

impl Default for ThumbnailsConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            longest_side: 320,
            most_pixels: 50_000_000,
            memory_bytes: 256 * 1024 * 1024,
            concurrency: 1,
        }
    }
}

/// How pictures of people and groups are asked for.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PicturesConfig {
    /// At most so many are asked for in a minute, of one account and in one process. 0: none.
    pub per_minute: u32,
    /// How old a picture grows before it is asked for again, of those who were seen since, in seconds.
    pub refresh_seconds: u32,
    /// Under way at a time, in one process; of one account it is one.
    pub concurrency: usize,
}

impl Default for PicturesConfig {
    fn default() -> Self {
        Self { per_minute: 30, refresh_seconds: 7 * 24 * 3600, concurrency: 2 }
    }
}

/// Where the bytes lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MediaStoreKind {
    /// A folder.
    Local,
    /// A bucket.
    S3,
}

/// A bucket of an S3 service.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct S3Config {
    /// Its name.
    pub bucket: String,
    /// Its region.
    pub region: String,
    /// The service's address. Empty: Amazon's.
    pub endpoint: String,
    /// What names of objects begin with.
    pub prefix: String,
    /// The key's id. Empty: what the machine itself offers.
    pub access_key_id: String,
    /// The key.
    pub secret_access_key: Secret,
    /// Whether the service may be reached without TLS.
    pub allow_http: bool,
}

impl Default for MediaConfig {
    fn default() -> Self {
        Self {
            kind: MediaStoreKind::Local,
            path: PathBuf::new(),
            most_bytes: 100 * 1024 * 1024,
            left_out: vec![],
            tries: 20,
            concurrency: 4,
            lease_seconds: 60,
            pictures: PicturesConfig::default(),
            thumbnails: ThumbnailsConfig::default(),
            s3: S3Config::default(),
        }
    }
}

impl MediaConfig {
    /// Which files are fetched.
    #[must_use]
    pub fn policy(&self) -> Policy {
        let Self { most_bytes, left_out, tries, .. } = self;
        Policy { most_bytes: *most_bytes, left_out: left_out.clone(), tries: *tries }
    }

    /// Checks the rules that types cannot hold.
    ///
    /// # Errors
    ///
    /// With every broken rule.
    pub fn check(&self) -> Result<(), ConfigError> {
        let in_bucket = self.kind == MediaStoreKind::S3;
        let (s3, pictures, small) = (&self.s3, &self.pictures, &self.thumbnails);
        let rules = [
            ("most_bytes", self.most_bytes >= 1, "must be at least 1"),
            ("tries", self.tries >= 1, "must be at least 1"),
            ("concurrency", self.concurrency >= 1, "must be at least 1"),
            ("lease_seconds", self.lease_seconds >= 2, "must be at least 2"),
            ("pictures.per_minute", pictures.per_minute <= 60_000, "must be at most 60000"),
            ("pictures.refresh_seconds", pictures.refresh_seconds >= 1, "must be at least 1"),
            ("pictures.concurrency", pictures.concurrency >= 1, "must be at least 1"),
            (
                "thumbnails.longest_side",
                (16..=2048).contains(&small.longest_side),
                "must be between 16 and 2048",
            ),
            ("thumbnails.most_pixels", small.most_pixels >= 1, "must be at least 1"),
            (
                "thumbnails.memory_bytes",
                small.memory_bytes >= 1024 * 1024,
                "must be at least 1048576",
            ),
            ("thumbnails.concurrency", small.concurrency >= 1, "must be at least 1"),
            ("s3.bucket", !in_bucket || !s3.bucket.is_empty(), "must be set for a bucket"),
            (
                "s3.secret_access_key",
                s3.access_key_id.is_empty() == s3.secret_access_key.is_empty(),
                "goes together with `s3.access_key_id`",
            ),
        ];
        ConfigError::unless("media", rules)
    }
}
