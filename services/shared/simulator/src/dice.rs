//! Chance that repeats: every draw follows from a seed.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

/// What draws are for, where there are many of a kind: the lower bits say which.
pub(crate) mod purpose {
    /// How long things take after a message was sent, and whether they happen.
    pub(crate) const FATE: u64 = 1 << 56;
    /// What is answered to a message.
    pub(crate) const ANSWER: u64 = 2 << 56;
    /// What goes wrong with calls.
    pub(crate) const FAULTS: u64 = 3 << 56;
    /// The people of an account that is connected later.
    pub(crate) const CONNECT: u64 = 4 << 56;
    /// The bytes of a file.
    pub(crate) const FILE: u64 = 5 << 56;
}

/// A seeded source of chance. `ChaCha8` is specified, so a seed means the same draws on every
/// machine and with every later version.
#[derive(Debug, Clone)]
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    /// Independent draws for one purpose, so that asking more often in one place changes nothing
    /// in another.
    pub(crate) fn new(seed: u64, purpose: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(purpose);
        Self(rng)
    }

    /// As [`new`](Self::new), for one chapter of the story; those of chapter 0 are the same.
    pub(crate) fn of_chapter(seed: u64, chapter: u32, purpose: u64) -> Self {
        Self::new(seed, (u64::from(chapter) << 8) | purpose)
    }

    /// A number from zero to `n - 1`; zero when `n` is zero.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        let scaled = (u128::from(self.0.next_u64()) * n as u128) >> 64;
        usize::try_from(scaled).unwrap_or_default()
    }

    /// A number between the two, both included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        let span = u128::from(high.saturating_sub(low)) + 1;
        let scaled = (u128::from(self.0.next_u64()) * span) >> 64;
        low + u64::try_from(scaled).unwrap_or_default()
    }

    /// A number from 0 up to, but not including, 1.
    pub(crate) fn fraction(&mut self) -> f64 {
        f64::from(self.0.next_u32()) / (f64::from(u32::MAX) + 1.0)
    }

    /// True with the given probability.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.fraction() < probability
    }

    /// One of the choices, each as likely as the others.
    pub(crate) fn pick<'a, T>(&mut self, choices: &'a [T]) -> Option<&'a T> {
        choices.get(self.below(choices.len()))
    }

    /// The index of one of the weights, as likely as its weight; `None` when all are zero.
    pub(crate) fn weighted(&mut self, weights: &[u32]) -> Option<usize> {
        let sum: u64 = weights.iter().map(|&w| u64::from(w)).sum();
        let mut rest = self.between(1, sum.max(1));
        weights.iter().position(|&weight| {
            let hit = weight > 0 && rest <= u64::from(weight);
            rest = rest.saturating_sub(u64::from(weight));
            hit
        })
    }

    /// Fills a buffer with random bytes.
    pub(crate) fn fill(&mut self, into: &mut [u8]) {
        self.0.fill_bytes(into);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_of_zero_is_never_drawn_and_all_zero_draws_nothing() {
        let mut dice = Dice::new(1, 0);
        for _ in 0..1_000 {
            assert_ne!(dice.weighted(&[3, 0, 2]), Some(1));
        }
        assert_eq!(dice.weighted(&[0, 0]), None);
        assert_eq!(dice.weighted(&[]), None);
    }

    #[test]
    fn draws_for_one_purpose_do_not_change_those_for_another() {
        let mut lone = Dice::new(7, 1);
        let mut other = Dice::new(7, 2);
        other.below(100);
        let mut same = Dice::new(7, 1);
        assert_eq!(lone.between(0, u64::MAX), same.between(0, u64::MAX));
    }
}
