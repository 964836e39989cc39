//! Percentiles of measured times.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The least that a percentile is taken of.
const FEW: usize = 5;
/// What is slow is measured for this long.
const LONG_MICROS: u64 = 5_000_000;

/// Many measured times, in microseconds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Times(Vec<u32>);

/// What is told of many times. All in microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Summary {
    pub(crate) count: usize,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
}

impl Times {
    pub(crate) fn add(&mut self, time: Duration) {
        self.0.push(u32::try_from(time.as_micros()).unwrap_or(u32::MAX));
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether so many were measured, or few that took long.
    pub(crate) fn are_enough(&self, count: usize) -> bool {
        let sum: u64 = self.0.iter().map(|time| u64::from(*time)).sum();
        self.0.len() >= count || (self.0.len() >= FEW && sum >= LONG_MICROS)
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn summary(&self) -> Summary {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let at = |share: usize| {
            let rank = (sorted.len() * share).div_ceil(100).max(1) - 1;
            sorted.get(rank).copied().map_or(0.0, f64::from)
        };
        Summary { count: sorted.len(), p50: at(50), p99: at(99), max: at(100) }
    }
}

/// A count as a number to divide with.
pub(crate) fn float(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Microseconds as milliseconds, with as many digits as mean something.
pub(crate) fn millis(micros: f64) -> String {
    let millis = micros / 1_000.0;
    match millis {
        _ if millis < 1.0 => format!("{millis:.3}"),
        _ if millis < 20.0 => format!("{millis:.1}"),
        _ => format!("{millis:.0}"),
    }
}

/// A rate for people: `12,345`.
pub(crate) fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_times_that_were_measured() {
        let mut times = Times::default();
        assert_eq!(times.summary(), Summary::default());
        for micros in (1..=200).rev() {
            times.add(Duration::from_micros(micros));
        }
        let summary = times.summary();
        assert_eq!((summary.p50, summary.p99, summary.max), (100.0, 198.0, 200.0));
    }

    #[test]
    fn what_is_slow_is_measured_less_often() {
        let mut times = Times::default();
        for _ in 0..5 {
            assert!(!times.are_enough(20));
            times.add(Duration::from_secs(1));
        }
        assert!(times.are_enough(20));
    }

    #[test]
    fn numbers_are_written_for_people() {
        let of = [7.0, 999.6, 12_345.4].map(thousands);
        assert_eq!(of, ["7", "1,000", "12,345"]);
        assert_eq!([950.0, 1_250.0, 250_000.0].map(millis), ["0.950", "1.2", "250"]);
    }
}
