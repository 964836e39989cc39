//! What is known of the bucket for files before the doors open.

use std::error::Error;
use std::time::Duration;

use anyhow::Context;
use channel_media::{MediaConfig, MediaError, Objects};
use tracing::warn;

/// How long a start waits for a bucket that does not answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Looks at the bucket, if there is one. Without a bucket of that name no start makes sense. A service that is away, or
/// does not take the key, is no reason to lose webhooks: files wait, and it is told.
pub(crate) async fn look(objects: &Objects, config: &MediaConfig) -> anyhow::Result<()> {
    match tokio::time::timeout(PATIENCE, objects.look()).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error @ MediaError::NoBucket(_))) => {
            let name = &config.s3.bucket;
            Err(error).with_context(|| {
                format!("`media.s3.bucket` names `{name}`, which is not there: make it, then start")
            })
        }
        Ok(Err(error)) => {
            let (reason, error) = (error.reason(), &error as &dyn Error);
            warn!(reason, error, "the bucket cannot be used: files wait until it can");
            Ok(())
        }
        Err(_) => {
            warn!(reason = "MEDIA_STORE_UNAVAILABLE", "the bucket does not answer: files wait");
            Ok(())
        }
    }
}
