//! Collects every bad field of a request, so that the caller hears of all of them at once.

use std::fmt;
use std::str::FromStr;

use super::{Fault, Kind};

/// One refused field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The path of the field as the contract names it: `message.text`, `items[2].id`.
    pub field: String,
    /// What is wrong with it, without repeating its value.
    pub description: String,
}

/// The refused fields of one request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FieldErrors {
    violations: Vec<Violation>,
    reason: Option<&'static str>,
}

impl FieldErrors {
    /// Starts a collection that answers with a reason of its own instead of `INVALID_ARGUMENT`.
    #[must_use]
    pub fn with_reason(reason: &'static str) -> Self {
        Self { violations: Vec::new(), reason: Some(reason) }
    }

    /// Just one bad field.
    #[must_use]
    pub fn of(field: impl Into<String>, description: impl Into<String>) -> Self {
        let mut errors = Self::default();
        errors.add(field, description);
        errors
    }

    /// Notes a bad field.
    pub fn add(&mut self, field: impl Into<String>, description: impl Into<String>) {
        let (field, description) = (field.into(), description.into());
        self.violations.push(Violation { field, description });
    }

    /// Parses a field, or notes why not.
    pub fn parse<T>(&mut self, field: &str, text: &str) -> Option<T>
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        self.check(field, text.parse())
    }

    /// Takes the value of a result, or notes its error.
    pub fn check<T, E: fmt::Display>(&mut self, field: &str, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.add(field, error.to_string())).ok()
    }

    /// Takes a value that must be there, or notes that it is missing.
    pub fn require<T>(&mut self, field: &str, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.add(field, "must be set");
        }
        value
    }

    /// Notes a broken rule.
    pub fn ensure(&mut self, field: &str, holds: bool, description: &str) {
        if !holds {
            self.add(field, description);
        }
    }

    /// Takes in the bad fields of a nested message, under its own field name.
    pub fn nest(&mut self, field: &str, inner: Self) {
        for violation in inner.violations {
            self.add(format!("{field}.{}", violation.field), violation.description);
        }
    }

    /// Whether every field was good so far.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.violations.is_empty()
    }

    /// Ends the collection.
    ///
    /// # Errors
    ///
    /// Itself, when any field was bad.
    pub fn finish(self) -> Result<(), Self> {
        if self.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl fmt::Display for FieldErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid request: ")?;
        for (at, violation) in self.violations.iter().take(3).enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}`{}` {}", violation.field, violation.description)?;
        }
        match self.violations.len().saturating_sub(3) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

impl std::error::Error for FieldErrors {}

impl Fault for FieldErrors {
    fn kind(&self) -> Kind {
        Kind::Invalid
    }

    fn reason(&self) -> &'static str {
        self.reason.unwrap_or("INVALID_ARGUMENT")
    }

    fn violations(&self) -> &[Violation] {
        &self.violations
    }
}
