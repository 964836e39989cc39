use std::time::Duration;

use super::ApiFault;
use super::body::{BodyPlan, Stop};
use crate::dice::Dice;

/// All that goes wrong with one call.
#[expect(clippy::struct_excessive_bools, reason = "each is a fault of its own")]
#[derive(Debug, Clone, Default)]
pub(crate) struct Plan {
    pub(crate) latency: Duration,
    /// How the call ends before anything is done.
    pub(crate) before: Option<Ending>,
    /// How the call ends after all is done.
    pub(crate) after: Option<Ending>,
    pub(crate) null_ids: bool,
    pub(crate) echo: Echo,
    pub(crate) altered: Option<Altered>,
    pub(crate) same_cursor: bool,
    /// Bytes of the raw message that each listed object carries.
    pub(crate) originals: Option<usize>,
    pub(crate) without_effect: bool,
    pub(crate) disconnect: bool,
    pub(crate) body: BodyPlan,
    /// What struck, by its name on the wire, for the books.
    pub(crate) struck: Vec<&'static str>,
}

/// A bad end of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ending {
    NoAnswer,
    Reset,
    Refused(Refusal),
}

/// An error that is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) error: Option<String>,
    pub(crate) retry_after: Option<u64>,
}

/// When the webhook of a sent message comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Echo {
    #[default]
    Usual,
    Early,
    Late(Duration),
    Never,
    Twice,
}

/// Another text in the webhook of a sent message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Altered(Option<String>);

impl Altered {
    pub(crate) fn text(&self, sent: &str) -> String {
        self.0.clone().unwrap_or_else(|| format!("{sent} "))
    }
}

impl Plan {
    pub(super) fn add(&mut self, fault: &ApiFault, dice: &mut Dice) {
        self.struck.push(name(fault));
        match fault {
            ApiFault::Latency { ms, jitter_ms } => {
                self.latency += Duration::from_millis(ms + dice.between(0, *jitter_ms));
            }
            ApiFault::Timeout { accepted } => self.end(*accepted, Ending::NoAnswer),
            ApiFault::Reset { accepted } => self.end(*accepted, Ending::Reset),
            ApiFault::Answer { status, error, accepted, retry_after } => {
                let (status, error, retry_after) = (*status, error.clone(), *retry_after);
                self.end(*accepted, Ending::Refused(Refusal { status, error, retry_after }));
            }
            ApiFault::NullIds => self.null_ids = true,
            ApiFault::EchoEarly => self.echo = Echo::Early,
            ApiFault::EchoLate { ms } => self.echo = Echo::Late(Duration::from_millis(*ms)),
            ApiFault::EchoNever => self.echo = Echo::Never,
            ApiFault::EchoTwice => self.echo = Echo::Twice,
            ApiFault::EchoAltered { text } => self.altered = Some(Altered(text.clone())),
            ApiFault::SameCursor => self.same_cursor = true,
            ApiFault::Originals { bytes } => self.originals = Some(*bytes),
            ApiFault::WithoutEffect => self.without_effect = true,
            ApiFault::Cut { after } => {
                self.body.stops = Some(Stop { after: *after, breaks: true });
            }
            ApiFault::Stall { after } => {
                self.body.stops = Some(Stop { after: *after, breaks: false });
            }
            ApiFault::Length { bytes } => self.body.length = Some(*bytes),
            ApiFault::OtherBytes { begins, size } => {
                let mut bytes = begins.clone().into_bytes();
                bytes.resize(*size, 0);
                self.body.instead = Some(bytes.into());
            }
            ApiFault::Disconnect => self.disconnect = true,
        }
    }

    fn end(&mut self, accepted: bool, ending: Ending) {
        let when = if accepted { &mut self.after } else { &mut self.before };
        when.get_or_insert(ending);
    }
}

fn name(fault: &ApiFault) -> &'static str {
    match fault {
        ApiFault::Latency { .. } => "latency",
        ApiFault::Timeout { .. } => "timeout",
        ApiFault::Reset { .. } => "reset",
        ApiFault::Answer { .. } => "answer",
        ApiFault::NullIds => "null_ids",
        ApiFault::EchoEarly => "echo_early",
        ApiFault::EchoLate { .. } => "echo_late",
        ApiFault::EchoNever => "echo_never",
        ApiFault::EchoTwice => "echo_twice",
        ApiFault::EchoAltered { .. } => "echo_altered",
        ApiFault::SameCursor => "same_cursor",
        ApiFault::Originals { .. } => "originals",
        ApiFault::WithoutEffect => "without_effect",
        ApiFault::Cut { .. } => "cut",
        ApiFault::Stall { .. } => "stall",
        ApiFault::Length { .. } => "length",
        ApiFault::OtherBytes { .. } => "other_bytes",
        ApiFault::Disconnect => "disconnect",
    }
}
