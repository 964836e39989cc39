//! Knowing an own message that turns up in a chat for one that was sent from here.

use super::{Job, Phase, Request};
use crate::fact::{Attachment, Received};
use crate::time::Micros;

/// How far the provider's clock may be behind ours.
const SKEW: i64 = 120_000_000;

/// Whether a message that turned up may be the one that was sent: the same text, and files of the same
/// kind, and name and size where both sides know them; not older than the request.
#[must_use]
pub fn is_echo(job: &Job, received: &Received) -> bool {
    let since = job.started_at.map(|at| Micros(at.0.saturating_sub(SKEW)));
    let in_time = since.is_some_and(|since| received.sent_at.is_none_or(|at| at >= since));
    job.phase.may_have_left() && in_time && same_content(&job.request, received)
}

/// Which of the candidates it is: the one that is uncertain, or the only one.
#[must_use]
pub fn one_of<'j>(candidates: &[&'j Job]) -> Option<&'j Job> {
    let mut uncertain = candidates.iter().filter(|job| job.phase == Phase::Uncertain);
    match (uncertain.next(), uncertain.next(), candidates) {
        (Some(job), None, _) | (None, _, [job]) => Some(job),
        _ => None,
    }
}

fn same_content(request: &Request, received: &Received) -> bool {
    let (sent, came) = (request.files(), &received.attachments);
    plain(request.text()) == plain(received.text.as_deref())
        && sent.len() == came.len()
        && sent.iter().zip(came).all(|(sent, came)| same_file(sent, came))
}

/// Text as it survives the way: white space at its ends and the form of line ends do not.
fn plain(text: Option<&str>) -> String {
    text.unwrap_or_default().trim().replace("\r\n", "\n")
}

fn same_file(sent: &Attachment, came: &Attachment) -> bool {
    fn agree<T: PartialEq>(a: Option<&T>, b: Option<&T>) -> bool {
        a.zip(b).is_none_or(|(a, b)| a == b)
    }
    sent.kind == came.kind
        && agree(sent.size.as_ref(), came.size.as_ref())
        && agree(sent.name.as_ref(), came.name.as_ref())
}
