//! How much memory this process has.

use crate::cpu;
use std::fmt;

/// At a moment, in MiB.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    pub(crate) resident: f64,
    /// Of it what no file is behind.
    pub(crate) allocated: f64,
}

impl Memory {
    pub(crate) fn now() -> anyhow::Result<Self> {
        let this = std::process::id();
        let (resident, allocated) = (cpu::resident(this)?, cpu::allocated(this)?);
        Ok(Self { resident: cpu::mebibytes(resident), allocated: cpu::mebibytes(allocated) })
    }
}

/// Before, half way, and at the end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Course(pub(crate) [Memory; 3]);

impl fmt::Display for Course {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [before, half, end] = self.0.map(|memory| memory.resident);
        write!(f, "{before:.0} → {half:.0} → {end:.0} MiB, allocated ")?;
        let [before, half, end] = self.0.map(|memory| memory.allocated);
        write!(f, "{before:.0} → {half:.0} → {end:.0}")
    }
}
