//! Waiting for a condition, with a limit that only a broken program reaches.

use crate::long;
use anyhow::{Result, bail};
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// Waits until `look` gives something.
pub async fn until<T, F>(what: &str, mut look: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Option<T>>,
{
    let limit = long::patience();
    let deadline = Instant::now() + limit;
    let mut ticks = interval(LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while Instant::now() < deadline {
        ticks.tick().await;
        if let Some(found) = look().await {
            return Ok(found);
        }
    }
    bail!("waited {} s in vain until {what}", limit.as_secs())
}
