//! Why a configuration was refused, in words for the person who wrote it.

use std::fmt;
use std::path::PathBuf;

use figment::error::{Actual, Kind};

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file that was asked for cannot be read.
    #[error("cannot read the file {path}: {source}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Some keys are unknown, missing or hold something unusable.
    #[error("the configuration is refused:{}", list(.0))]
    Refused(Vec<Problem>),
    /// A configuration cannot be written as TOML.
    #[error("the configuration cannot be printed: {0}")]
    Unprintable(String),
}

impl ConfigError {
    /// Refuses every key of a section whose rule does not hold: (key, whether it holds, the rule).
    ///
    /// # Errors
    ///
    /// With all of them, if there are any.
    pub fn unless(
        section: &str,
        rules: impl IntoIterator<Item = (&'static str, bool, &'static str)>,
    ) -> Result<(), Self> {
        let broken = rules.into_iter().filter(|(_, holds, _)| !holds);
        let problem = |(key, _, rule): (&str, bool, &str)| Problem {
            key: format!("{section}.{key}"),
            reason: rule.to_owned(),
            origin: String::new(),
        };
        let problems: Vec<_> = broken.map(problem).collect();
        if problems.is_empty() { Ok(()) } else { Err(Self::Refused(problems)) }
    }

    /// Refuses one key after loading, for rules that types cannot hold.
    #[must_use]
    pub fn invalid(key: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Refused(vec![Problem {
            key: key.into(),
            reason: reason.into(),
            origin: String::new(),
        }])
    }
}

/// What is wrong with one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The full path of the key, with dots.
    pub key: String,
    /// What is wrong with it. Never holds a text value, which may be a secret.
    pub reason: String,
    /// Where the value came from; empty when unknown.
    pub origin: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.key.is_empty() {
            write!(f, "{}", self.reason)?;
        } else {
            write!(f, "`{}`: {}", self.key, self.reason)?;
        }
        if self.origin.is_empty() {
            return Ok(());
        }
        write!(f, " (from {})", self.origin)
    }
}

fn list(problems: &[Problem]) -> String {
    problems.iter().fold(String::new(), |list, problem| {
        list + "
  " + &problem.to_string()
    })
}

/// Splits a loader error into the name it adds to the path, and the reason.
pub(super) fn explain(kind: &Kind) -> (Option<String>, String) {
    match kind {
        Kind::UnknownField(name, known) => {
            (Some(name.clone()), format!("unknown key, expected one of {}", known.join(", ")))
        }
        Kind::MissingField(name) => (Some(name.to_string()), "missing".to_owned()),
        Kind::InvalidType(found, expected) | Kind::InvalidValue(found, expected) => {
            (None, unfit(found, expected))
        }
        other => (None, other.to_string()),
    }
}

/// Text is not repeated: a secret may have landed under the wrong key.
fn unfit(found: &Actual, expected: &str) -> String {
    match found {
        Actual::Str(_) | Actual::Bytes(_) | Actual::Char(_) => {
            format!("found text, expected {expected}")
        }
        other => format!("found {other}, expected {expected}"),
    }
}
