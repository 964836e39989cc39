//! From the contract's requests to commands of ours; every bad field is named.

use std::time::Duration;

use channel_domain::MessageId;
use channel_domain::send::Request;
use channel_proto::messaging::v1 as pb;
use channel_runtime::fault::FieldErrors;
use prost::Message as _;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::config::MessagingConfig;
use crate::outgoing::Ask;

/// Most bytes of an id: far more than any that UniPile makes.
const MOST_ID: usize = 256;
/// The longest "typing".
const TYPING: Duration = Duration::from_secs(30);
/// How soon a message may be given up.
const SOONEST: Duration = Duration::from_secs(10);
/// How late a message may be given up.
const LATEST: Duration = Duration::from_hours(24);

/// A decision about a message that was not sent.
pub(super) struct Resolve {
    pub(super) account: channel_domain::AccountId,
    pub(super) message: MessageId,
    /// The id of the message that replaces it; `None`: leave it.
    pub(super) again: Option<MessageId>,
}

/// An id that must be there.
pub(super) fn id<T: From<String>>(bad: &mut FieldErrors, field: &str, text: String) -> Option<T> {
    bad.ensure(field, !text.is_empty(), "must be set");
    let good = text.len() <= MOST_ID && !text.chars().any(char::is_control);
    bad.ensure(field, good, "is not an id");
    (good && !text.is_empty()).then(|| T::from(text))
}

/// The id of a message.
pub(super) fn uuid(bad: &mut FieldErrors, field: &str, text: &str) -> Option<MessageId> {
    let id = Uuid::parse_str(text).ok().filter(|id| !id.is_nil());
    bad.ensure(field, id.is_some(), "must be a UUID");
    id.map(MessageId)
}

/// The id of a message, or a new one.
fn own_id(bad: &mut FieldErrors, field: &str, text: &str) -> Option<MessageId> {
    if text.is_empty() { Some(MessageId(Uuid::now_v7())) } else { uuid(bad, field, text) }
}

pub(super) fn send(
    it: pb::SendMessageRequest,
    config: &MessagingConfig,
) -> Result<Ask, FieldErrors> {
    let mut bad = FieldErrors::default();
    let hash = Sha256::digest(it.encode_to_vec()).into();
    let account = id(&mut bad, "account_id", it.account_id);
    let chat = id(&mut bad, "chat_id", it.chat_id);
    let message = own_id(&mut bad, "client_message_id", &it.client_message_id);
    let text = content(&mut bad, it.content, config);
    let quoted = Some(it.quoted_message_id).filter(|id| !id.is_empty());
    let quote = quoted.and_then(|text| uuid(&mut bad, "quoted_message_id", &text));
    let typing = duration(&mut bad, "typing", it.typing, Duration::ZERO..=TYPING, "0 to 30 s");
    let expires_in =
        duration(&mut bad, "expires_in", it.expires_in, SOONEST..=LATEST, "10 s to 24 h");
    let typing_ms = typing.and_then(|typing| u32::try_from(typing.as_millis()).ok());
    // What is missing has noted why.
    let (Some(account), Some(chat), Some(message), true) = (account, chat, message, bad.is_empty())
    else {
        return Err(bad);
    };
    let request = Request::Message { text, files: vec![], quote, typing_ms };
    Ok(Ask { account, chat, message, request, hash, expires_in })
}

/// The text of a message, which must have one as long as files cannot be sent.
fn content(
    bad: &mut FieldErrors,
    content: Option<pb::OutgoingContent>,
    config: &MessagingConfig,
) -> Option<String> {
    let content = bad.require("content", content)?;
    bad.ensure("content.text", !content.text.trim().is_empty(), "must not be empty");
    let count = content.text.chars().count();
    if count > config.text_limit as usize {
        let most = config.text_limit;
        bad.add("content.text", format!("has {count} characters, at most {most} can be sent"));
    }
    bad.ensure("content.text", !content.text.contains('\0'), "must not hold a NUL character");
    bad.ensure(
        "content.attachments",
        content.attachments.is_empty(),
        "cannot be sent by this version yet",
    );
    Some(content.text)
}

fn duration(
    bad: &mut FieldErrors,
    field: &str,
    value: Option<prost_types::Duration>,
    range: std::ops::RangeInclusive<Duration>,
    allowed: &str,
) -> Option<Duration> {
    let read = Duration::try_from(value?).ok().filter(|value| range.contains(value));
    if read.is_none() {
        bad.add(field, format!("must be {allowed}"));
    }
    read
}

pub(super) fn resolve(it: pb::ResolveSendRequest) -> Result<Resolve, FieldErrors> {
    let mut bad = FieldErrors::default();
    let account = id(&mut bad, "account_id", it.account_id);
    let message = uuid(&mut bad, "message_id", &it.message_id);
    let again = match pb::SendResolution::try_from(it.resolution) {
        Ok(pb::SendResolution::Resend) => {
            own_id(&mut bad, "client_message_id", &it.client_message_id)
        }
        Ok(pb::SendResolution::Discard) => {
            let empty = it.client_message_id.is_empty();
            bad.ensure("client_message_id", empty, "must be empty when a message is left");
            None
        }
        _ => {
            bad.add("resolution", "must be SEND_RESOLUTION_RESEND or SEND_RESOLUTION_DISCARD");
            None
        }
    };
    match (account, message) {
        (Some(account), Some(message)) if bad.is_empty() => Ok(Resolve { account, message, again }),
        _ => Err(bad),
    }
}
