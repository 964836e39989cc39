use std::time::Duration;

use super::DeliveryConfig;

/// How long to wait after a failed attempt.
#[derive(Debug, Clone)]
pub(super) struct Schedule(Vec<Duration>);

impl Schedule {
    pub(super) fn new(config: &DeliveryConfig) -> Self {
        let scaled = |&ms: &u64| {
            let wait = Duration::from_millis(ms).as_secs_f64() * config.retry_delay_scale;
            Duration::try_from_secs_f64(wait).unwrap_or(Duration::MAX)
        };
        Self(config.retry_delays_ms.iter().map(scaled).collect())
    }

    /// The wait after the given number of attempts; `None` when it is time to give up.
    pub(super) fn after(&self, attempts: u32) -> Option<Duration> {
        let index = usize::try_from(attempts).ok()?.checked_sub(1)?;
        self.0.get(index).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_default_there_are_five_more_attempts_and_every_wait_is_longer() {
        let schedule = Schedule::new(&DeliveryConfig::default());
        let waits: Vec<_> = (1..).map_while(|attempts| schedule.after(attempts)).collect();
        assert_eq!(waits.len(), 5);
        assert!(waits.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn the_scale_applies_to_every_wait() {
        let config = DeliveryConfig { retry_delay_scale: 0.5, ..DeliveryConfig::default() };
        assert_eq!(Schedule::new(&config).after(1), Some(Duration::from_millis(500)));
        let config = DeliveryConfig { retry_delay_scale: 0.0, ..config };
        assert_eq!(Schedule::new(&config).after(5), Some(Duration::ZERO));
    }
}
