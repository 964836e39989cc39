//! Knowing an own message that turns up in a chat for one that was sent from here.

use super::{Job, Phase, Request};
use crate::fact::{Attachment, Person, Received};
use crate::time::Micros;
use crate::{jid, people};

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

/// Whether the chat of a message that turned up is the one that was started: with the same person, or a group of
/// the same subject or people. `None`: the message does not tell.
#[must_use]
pub fn started_with(job: &Job, received: &Received) -> Option<bool> {
    let Request::Start { people, subject, .. } = &job.request else { return Some(false) };
    let is_group = people::is_group(received);
    match (people.as_slice(), subject, &received.chat.subject) {
        ([person], ..) if !is_group && tells_nobody(person, received) => None,
        ([person], ..) => Some(!is_group && is_with(person, received)),
        _ if !is_group => Some(false),
        (_, Some(wanted), Some(is)) => Some(wanted.trim() == is.trim()),
        _ if received.attendees.is_empty() => None,
        (everybody, ..) => {
            let is_there = |id: &String| received.attendees.iter().any(|it| is(id, it));
            Some(everybody.iter().all(is_there))
        }
    }
}

/// Whether only a privacy id stands beside a number, or the other way round: they cannot be compared.
fn tells_nobody(person: &str, received: &Received) -> bool {
    let chat = received.chat.provider_id.as_deref();
    received.attendees.is_empty() && chat.is_none_or(|it| jid::is_lid(it) != jid::is_lid(person))
}

fn is_with(person: &str, received: &Received) -> bool {
    let by_chat = received.chat.provider_id.as_deref().is_some_and(|id| jid::bare(id) == person);
    by_chat || received.attendees.iter().any(|it| is(person, it))
}

fn is(id: &str, person: &Person) -> bool {
    let same =
        |known: &Option<String>| known.as_deref().is_some_and(|known| jid::bare(known) == id);
    same(&person.provider_id)
        || people::lid(person).as_deref() == Some(id)
        || jid::phone_of(id).is_some_and(|phone| people::phone(person) == Some(phone))
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
