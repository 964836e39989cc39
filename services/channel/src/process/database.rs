//! Whether the database answers, as probes and callers hear it.

use std::time::Duration;

use channel_runtime::pulse::{Pulse, Silence};
use channel_runtime::server::Health;
use channel_runtime::supervise::OnFailure;
use tracing::{info, warn};

use super::Stage;
use crate::store::Opened;

/// The name of the readiness condition.
const DATABASE: &str = "database";

const PULSE: Pulse = Pulse {
    every: Duration::from_secs(5),
    every_while_away: Duration::from_secs(1),
    patience: Duration::from_secs(3),
};

/// Keeps readiness and `health` true to whether the database answers. Liveness is not its matter: a new
/// process would not bring the database back.
pub(crate) fn follow(stage: &Stage, opened: &Opened, health: &Health) {
    let condition = stage.readiness.condition(DATABASE);
    // It has been opened.
    condition.set(true);
    let (opened, health, closing) = (opened.clone(), health.clone(), stage.closing());
    stage.supervisor.spawn("pulse of the database", OnFailure::LogAndGoOn, async move {
        let tell = |found: Result<(), Silence>| {
            health.suspend(found.is_err());
            match found {
                Ok(()) => {
                    condition.set(true);
                    info!("the database answers again");
                }
                Err(silence) => {
                    warn!(reason = %silence, "the database does not answer");
                    condition.fail(silence.to_string());
                }
            }
        };
        let ask = || {
            let opened = opened.clone();
            async move { opened.answers().await }
        };
        closing.run_until_cancelled(PULSE.feel(ask, tell)).await;
        Ok(())
    });
}
