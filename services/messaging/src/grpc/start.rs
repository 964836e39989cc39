//! From the contract's request for a new chat to a command of ours.

use channel_domain::send::{PROVISIONAL, Recipient, Request};
use channel_domain::{ChatId, jid};
use channel_proto::messaging::v1 as pb;
use channel_runtime::fault::FieldErrors;
use channel_store::outbox::To;
use prost::Message as _;
use sha2::{Digest as _, Sha256};

use super::requests::{MOST_ID, content, id, own_id};
use crate::config::MessagingConfig;
use crate::outgoing::Ask;

/// Most people of a new group.
const MOST_PEOPLE: usize = 100;
/// Most characters of a group's subject; WhatsApp takes no more.
const MOST_SUBJECT: usize = 100;

pub(super) fn start(
    it: pb::StartChatRequest,
    config: &MessagingConfig,
) -> Result<Ask, FieldErrors> {
    let mut bad = FieldErrors::default();
    let hash = Sha256::digest(it.encode_to_vec()).into();
    let account = id(&mut bad, "account_id", it.account_id);
    let message = own_id(&mut bad, "client_message_id", &it.client_message_id);
    let content = content(&mut bad, it.content, config);
    let count = it.recipients.len();
    bad.ensure("recipients", (1..=MOST_PEOPLE).contains(&count), "must be 1 to 100");
    let named = it.recipients.into_iter().enumerate();
    let recipients: Vec<_> =
        named.filter_map(|(at, person)| recipient(&mut bad, at, person)).collect();
    let subject = subject(&mut bad, &it.subject, count);
    // What is missing has noted why.
    match (account, message, content) {
        (Some(account), Some(message), Some((text, files))) if bad.is_empty() => {
            let provisional = ChatId::new(format!("{PROVISIONAL}{}", message.0));
            let to = To::People { recipients, subject, provisional };
            let request = Request::Message { text, files: vec![], quote: None, typing_ms: None };
            Ok(Ask { account, to, message, request, files, hash, expires_in: None })
        }
        _ => Err(bad),
    }
}

fn recipient(bad: &mut FieldErrors, at: usize, it: pb::Recipient) -> Option<Recipient> {
    use pb::recipient::Recipient as Named;
    let field = |name| format!("recipients[{at}].{name}");
    let Some(named) = it.recipient else {
        bad.add(format!("recipients[{at}]"), "must name somebody");
        return None;
    };
    match named {
        Named::PhoneNumber(number) => {
            let phone = jid::phone_from_digits(&number);
            bad.ensure(&field("phone_number"), phone.is_some(), "must be a phone number in E.164");
            phone.map(Recipient::Phone)
        }
        Named::AttendeeId(text) => id(bad, &field("attendee_id"), text).map(Recipient::Attendee),
        Named::ProviderId(text) => {
            let is_person = is_provider_id(&text);
            bad.ensure(&field("provider_id"), is_person, "must be the WhatsApp id of a person");
            is_person.then_some(Recipient::ProviderId(text))
        }
    }
}

/// Whether this may be WhatsApp's id of a person: a group cannot be in a group.
fn is_provider_id(text: &str) -> bool {
    let plain = text.len() <= MOST_ID && text.chars().all(|c| c.is_ascii_graphic());
    let named = text.split_once('@').is_some_and(|(user, at)| !user.is_empty() && !at.is_empty());
    plain && named && !jid::is_group(text)
}

fn subject(bad: &mut FieldErrors, text: &str, people: usize) -> Option<String> {
    let subject = text.trim();
    if people <= 1 {
        bad.ensure("subject", subject.is_empty(), "must be empty for one recipient");
        return None;
    }
    bad.ensure("subject", !subject.is_empty(), "must be set for a group");
    bad.ensure(
        "subject",
        subject.chars().count() <= MOST_SUBJECT,
        "must be at most 100 characters",
    );
    bad.ensure("subject", !subject.chars().any(char::is_control), "must be one line of text");
    Some(subject.to_owned())
}
