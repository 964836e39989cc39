//! Why a gateway cannot be built.

use std::path::PathBuf;

/// Why a gateway cannot be built from its configuration.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// A value of the configuration makes no sense.
    #[error("`gateway.{field}` is not usable: {problem}")]
    Config {
        /// The key, below `gateway.`.
        field: &'static str,
        /// What is wrong with the value, never the value of a secret.
        problem: String,
    },
    /// A file named by the configuration cannot be read as what it should be.
    #[error("cannot use the file `{}`: {problem}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The gateway was built outside a Tokio runtime, which its connections need.
    #[error("a gateway must be built inside a tokio runtime")]
    NoRuntime,
}

impl GatewayError {
    /// The stable reason, for logs and exit messages.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Config { .. } => "GATEWAY_CONFIG_INVALID",
            Self::File { .. } => "GATEWAY_FILE_UNUSABLE",
            Self::NoRuntime => "GATEWAY_WITHOUT_RUNTIME",
        }
    }

    pub(crate) fn config(field: &'static str, problem: &impl ToString) -> Self {
        Self::Config { field, problem: problem.to_string() }
    }

    pub(crate) fn file(path: &std::path::Path, problem: &impl ToString) -> Self {
        Self::File { path: path.to_owned(), problem: problem.to_string() }
    }
}
