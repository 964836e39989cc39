//! Why bytes could not be stored or read.

use std::error::Error;
use std::io;

/// Why bytes could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// They are not there.
    #[error("the bytes are not there")]
    Missing,
    /// There are other bytes than were stored.
    #[error("the bytes were damaged where they lie")]
    Damaged,
    /// The bucket does not take the key, or the key may not do this.
    #[error("the bucket refuses the key")]
    Refused(#[source] object_store::Error),
    /// There is no such bucket.
    #[error("there is no such bucket")]
    NoBucket(#[source] object_store::Error),
    /// The folder or bucket does not answer.
    #[error("the folder or bucket does not answer")]
    Store(#[source] object_store::Error),
    /// The disk does not answer.
    #[error("the disk does not answer")]
    Disk(#[from] io::Error),
}

impl MediaError {
    /// A stable reason.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Missing => "MEDIA_MISSING",
            Self::Damaged => "MEDIA_DAMAGED",
            Self::Refused(_) => "MEDIA_STORE_REFUSED",
            Self::NoBucket(_) => "MEDIA_BUCKET_MISSING",
            Self::Store(_) | Self::Disk(_) => "MEDIA_STORE_UNAVAILABLE",
        }
    }

    /// Whether waiting may help, if only for somebody to put a key or a bucket in order.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        !matches!(self, Self::Missing | Self::Damaged)
    }
}

impl From<object_store::Error> for MediaError {
    fn from(error: object_store::Error) -> Self {
        use object_store::Error as Found;
        // Of most requests a kind of their own tells what was answered; of the others only the answer's own words do.
        match error {
            Found::NotFound { .. } if says(&error, &["NoSuchBucket"]) => Self::NoBucket(error),
            Found::NotFound { .. } => Self::Missing,
            Found::PermissionDenied { .. } | Found::Unauthenticated { .. } => Self::Refused(error),
            Found::Generic { .. } if says(&error, &["<Code>NoSuchBucket<"]) => {
                Self::NoBucket(error)
            }
            Found::Generic { .. } if says(&error, &REFUSALS) => Self::Refused(error),
            error => Self::Store(error),
        }
    }
}

/// How an answer of an S3 service says that it refuses a key, as a status or in the answer's body.
const REFUSALS: [&str; 4] =
    ["status code: 401", "status code: 403", "AccessDenied", "InvalidAccessKeyId"];

/// Whether an error, or what it comes from, has one of these words in it.
fn says(error: &(dyn Error + 'static), words: &[&str]) -> bool {
    let mut causes = std::iter::successors(Some(error), |it| (*it).source());
    causes.any(|cause| {
        let text = cause.to_string();
        words.iter().any(|word| text.contains(word))
    })
}
