//! How a supervised run ended.

/// Why it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// It was asked to.
    Asked,
    /// A task failed whose failure stops the process.
    Failed {
        /// The task.
        task: String,
    },
}

/// How a supervised run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Why it ended.
    pub cause: Cause,
    /// The tasks that had to be cut off, because they outlived the grace or someone insisted.
    pub cut_off: Vec<String>,
}

impl Outcome {
    /// Whether it was asked to end, and everything ended in time.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.cause == Cause::Asked && self.cut_off.is_empty()
    }
}
