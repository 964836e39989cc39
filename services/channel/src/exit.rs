//! How the program ends, for whoever started it.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use channel_runtime::config::ConfigError;
use channel_runtime::fault::{reason_of, violations_of};

/// `EX_CONFIG` of sysexits.h: starting again without another configuration is of no use.
const REFUSED: u8 = 78;

/// Success is 0, a configuration that cannot be used 78, everything else 1. A reader that went away
/// (`channel watch | head`) is success.
pub(crate) fn code(outcome: anyhow::Result<()>) -> ExitCode {
    let Err(error) = outcome else {
        return ExitCode::SUCCESS;
    };
    if is_closed_pipe(&error) {
        return ExitCode::SUCCESS;
    }
    // Nobody is left to hear that standard error is gone.
    let _ = writeln!(io::stderr(), "channel: {}", told(&error));
    if error.downcast_ref::<ConfigError>().is_some() {
        return ExitCode::from(REFUSED);
    }
    ExitCode::FAILURE
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<io::Error>();
    io.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// The error and its causes, each said once.
fn told(error: &anyhow::Error) -> String {
    if let Some(status) = error.downcast_ref::<tonic::Status>() {
        return status_told(status);
    }
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(cause_told) {
        if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}

fn cause_told(cause: &(dyn Error + 'static)) -> String {
    match cause.downcast_ref::<tonic::Status>() {
        Some(status) => status_told(status),
        None => cause.to_string(),
    }
}

fn deepest(status: &tonic::Status) -> Option<String> {
    let causes = std::iter::successors(status.source(), |error| (*error).source());
    causes.last().map(ToString::to_string)
}

/// What a server refused: its words, its reason, the bad fields.
pub(crate) fn status_told(status: &tonic::Status) -> String {
    let mut text = status.message().to_owned();
    // The cause of an error in the connection says more than the error.
    if let Some(cause) = deepest(status) {
        text = cause;
    }
    if text.is_empty() {
        status.code().description().clone_into(&mut text);
    }
    if let Some(reason) = reason_of(status) {
        text = format!("{text} ({reason})");
    }
    for (field, description) in violations_of(status) {
        text = format!("{text}\n  {field}: {description}");
    }
    text
}
