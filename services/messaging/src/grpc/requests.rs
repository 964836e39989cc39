//! From the contract's requests to commands of ours; every bad field is named.

use std::time::Duration;

use channel_domain::send::{Act, Request};
use channel_domain::{AccountId, ChatId, MessageId};
use channel_proto::messaging::v1 as pb;
use channel_runtime::fault::FieldErrors;
use prost::Message as _;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::config::MessagingConfig;
use crate::outgoing::Ask;
use crate::uploads::Announced;
use channel_store::outbox::To;

/// Most bytes of an id: far more than any that UniPile makes.
pub(super) const MOST_ID: usize = 256;
/// Most bytes of an emoji; families and flags are long.
const MOST_EMOJI: usize = 64;
/// Most characters of a chat's own name.
pub(super) const MOST_NAME: usize = 128;
/// Most characters of a label.
const MOST_LABEL: usize = 64;
/// Most labels of a chat.
const MOST_LABELS: usize = 32;
/// The longest "typing".
const TYPING: Duration = Duration::from_secs(30);
/// How soon a message may be given up.
const SOONEST: Duration = Duration::from_secs(10);
/// How late a message may be given up.
const LATEST: Duration = Duration::from_hours(24);

/// A decision about a message that was not sent.
pub(super) struct Resolve {
    pub(super) account: AccountId,
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
pub(super) fn own_id(bad: &mut FieldErrors, field: &str, text: &str) -> Option<MessageId> {
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
    let content = content(&mut bad, it.content, config);
    let quoted = Some(it.quoted_message_id).filter(|id| !id.is_empty());
    let quote = quoted.and_then(|text| uuid(&mut bad, "quoted_message_id", &text));
    let typing = duration(&mut bad, "typing", it.typing, Duration::ZERO..=TYPING, "0 to 30 s");
    let expires_in =
        duration(&mut bad, "expires_in", it.expires_in, SOONEST..=LATEST, "10 s to 24 h");
    let typing_ms = typing.and_then(|typing| u32::try_from(typing.as_millis()).ok());
    // What is missing has noted why.
    match (account, chat, message, content) {
        (Some(account), Some(chat), Some(message), Some((text, files))) if bad.is_empty() => {
            let request = Request::Message { text, files: vec![], quote, typing_ms };
            let to = To::Chat(chat);
            Ok(Ask { account, to, message, request, files, hash, expires_in })
        }
        _ => Err(bad),
    }
}

/// The text of a message, and its files.
pub(super) type Said = (Option<String>, Vec<(Uuid, bool)>);

/// The text and the files of a message, which must have one of them.
pub(super) fn content(
    bad: &mut FieldErrors,
    content: Option<pb::OutgoingContent>,
    config: &MessagingConfig,
) -> Option<Said> {
    let content = bad.require("content", content)?;
    let count = content.attachments.len();
    if count == 0 || !content.text.is_empty() {
        text(bad, "content.text", &content.text, config);
    }
    if count > config.most_attachments as usize {
        bad.add("content.attachments", format!("must be at most {}", config.most_attachments));
    }
    let mut files = Vec::new();
    for (at, file) in content.attachments.iter().enumerate() {
        let field = format!("content.attachments[{at}].upload_id");
        files.extend(uuid(bad, &field, &file.upload_id).map(|id| (id.0, file.voice)));
    }
    let alone = count == 1 || !content.attachments.iter().any(|file| file.voice);
    bad.ensure("content.attachments", alone, "a voice message is sent alone");
    Some((Some(content.text).filter(|text| !text.is_empty()), files))
}

/// A text that can be sent.
fn text(bad: &mut FieldErrors, field: &str, text: &str, config: &MessagingConfig) {
    bad.ensure(field, !text.trim().is_empty(), "must not be empty");
    let count = text.chars().count();
    if count > config.text_limit as usize {
        let most = config.text_limit;
        bad.add(field, format!("has {count} characters, at most {most} can be sent"));
    }
    bad.ensure(field, !text.contains('\0'), "must not hold a NUL character");
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

/// Something to do to a message or chat.
pub(super) struct Doing {
    pub(super) account: AccountId,
    pub(super) acts: Vec<(Uuid, Act)>,
    pub(super) hash: [u8; 32],
}

/// The id that makes asking twice the same as once.
fn request_id(bad: &mut FieldErrors, text: &str) -> Option<Uuid> {
    own_id(bad, "request_id", text).map(|id| id.0)
}

fn one(
    bad: FieldErrors,
    account: Option<AccountId>,
    id: Option<Uuid>,
    act: Option<Act>,
    hash: [u8; 32],
) -> Result<Doing, FieldErrors> {
    match (account, id, act) {
        (Some(account), Some(id), Some(act)) if bad.is_empty() => {
            Ok(Doing { account, acts: vec![(id, act)], hash })
        }
        _ => Err(bad),
    }
}

pub(super) fn edit(
    it: pb::EditMessageRequest,
    config: &MessagingConfig,
) -> Result<Doing, FieldErrors> {
    let mut bad = FieldErrors::default();
    let hash = Sha256::digest(it.encode_to_vec()).into();
    let account = id(&mut bad, "account_id", it.account_id);
    let message = uuid(&mut bad, "message_id", &it.message_id);
    let request = request_id(&mut bad, &it.request_id);
    text(&mut bad, "text", &it.text, config);
    let act = message.map(|message| Act::Edit { message, text: it.text });
    one(bad, account, request, act, hash)
}

pub(super) fn delete(it: pb::DeleteMessageRequest) -> Result<Doing, FieldErrors> {
    let mut bad = FieldErrors::default();
    let hash = Sha256::digest(it.encode_to_vec()).into();
    let account = id(&mut bad, "account_id", it.account_id);
    let message = uuid(&mut bad, "message_id", &it.message_id);
    let request = request_id(&mut bad, &it.request_id);
    one(bad, account, request, message.map(|message| Act::Delete { message }), hash)
}

/// An emoji to react with; `None`: the reaction is taken back.
pub(super) fn react(it: pb::ReactToMessageRequest) -> Result<Option<Doing>, FieldErrors> {
    let mut bad = FieldErrors::default();
    let hash = Sha256::digest(it.encode_to_vec()).into();
    let account = id(&mut bad, "account_id", it.account_id);
    let message = uuid(&mut bad, "message_id", &it.message_id);
    let request = request_id(&mut bad, &it.request_id);
    let short =
        it.emoji.len() <= MOST_EMOJI && !it.emoji.contains(|c: char| c.is_ascii_alphanumeric());
    bad.ensure("emoji", short, "must be one emoji");
    if it.emoji.is_empty() && bad.is_empty() {
        return Ok(None);
    }
    let act = message.map(|message| Act::React { message, emoji: it.emoji });
    one(bad, account, request, act, hash).map(Some)
}

/// A message to forward.
pub(super) fn forward(it: pb::ForwardMessageRequest) -> Result<Ask, FieldErrors> {
    let mut bad = FieldErrors::default();
    let hash = Sha256::digest(it.encode_to_vec()).into();
    let account = id(&mut bad, "account_id", it.account_id);
    let source = uuid(&mut bad, "message_id", &it.message_id);
    let chat = id(&mut bad, "to_chat_id", it.to_chat_id);
    let message = own_id(&mut bad, "client_message_id", &it.client_message_id);
    match (account, source, chat, message) {
        (Some(account), Some(source), Some(chat), Some(message)) if bad.is_empty() => {
            let request = Request::Forward { message: source, text: None, files: vec![] };
            let to = To::Chat(chat);
            Ok(Ask { account, to, message, request, files: vec![], hash, expires_in: None })
        }
        _ => Err(bad),
    }
}

/// Changes of a chat: what is done at UniPile, and what is kept here alone.
pub(super) struct Update {
    pub(super) chat: ChatId,
    pub(super) doing: Doing,
    pub(super) name: Option<String>,
    pub(super) labels: Option<Vec<String>>,
}

pub(super) fn update(it: pb::UpdateChatRequest) -> Result<Update, FieldErrors> {
    let mut bad = FieldErrors::default();
    let hash = Sha256::digest(it.encode_to_vec()).into();
    let account = id(&mut bad, "account_id", it.account_id);
    let chat: Option<ChatId> = id(&mut bad, "chat_id", it.chat_id);
    let request = request_id(&mut bad, &it.request_id);
    let flags = [it.read, it.muted, it.archived, it.pinned];
    let labels = it.labels.map(|labels| labels.labels);
    let something =
        flags.iter().any(Option::is_some) || it.local_name.is_some() || labels.is_some();
    bad.ensure("read", something, "or another field must be set");
    let name_fits = it.local_name.as_ref().is_none_or(|name| name.chars().count() <= MOST_NAME);
    bad.ensure("local_name", name_fits, "must be at most 128 characters");
    for (at, label) in labels.iter().flatten().enumerate() {
        let good = (1..=MOST_LABEL).contains(&label.chars().count());
        bad.ensure(&format!("labels.labels[{at}]"), good, "must be 1 to 64 characters");
    }
    let few = labels.as_ref().is_none_or(|labels| labels.len() <= MOST_LABELS);
    bad.ensure("labels.labels", few, "must be at most 32");
    let (Some(account), Some(chat), Some(request), true) = (account, chat, request, bad.is_empty())
    else {
        return Err(bad);
    };
    let acts = acts(&chat, request, flags);
    let doing = Doing { account, acts, hash };
    Ok(Update { chat, doing, name: it.local_name, labels })
}

/// One action for each flag, each with an id of its own made from the request's.
fn acts(chat: &ChatId, request: Uuid, flags: [Option<bool>; 4]) -> Vec<(Uuid, Act)> {
    let [read, muted, archived, pinned] = flags;
    let act = |on: Option<bool>, make: fn(ChatId, bool) -> Act| Some(make(chat.clone(), on?));
    let all = [
        act(read, |chat, on| Act::Read { chat, on }),
        act(muted, |chat, on| Act::Mute { chat, on }),
        act(archived, |chat, on| Act::Archive { chat, on }),
        act(pinned, |chat, on| Act::Pin { chat, on }),
    ];
    let own = |(number, act): (u8, Option<Act>)| {
        let mut hash = Sha256::new();
        hash.update(request.as_bytes());
        hash.update([number]);
        let hash = hash.finalize();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash[..16]);
        Some((uuid::Builder::from_custom_bytes(bytes).into_uuid(), act?))
    };
    (0..).zip(all).filter_map(own).collect()
}

/// What a client says of a file.
pub(super) fn upload(it: pb::UploadHeader) -> Result<Announced, FieldErrors> {
    let mut bad = FieldErrors::default();
    let account = id(&mut bad, "header.account_id", it.account_id);
    let hash_fits = it.sha256.is_empty() || it.sha256.len() == 32;
    bad.ensure("header.sha256", hash_fits, "must be 32 bytes");
    let mime_fits = it.mime_type.is_empty() || it.mime_type.contains('/');
    bad.ensure("header.mime_type", mime_fits && it.mime_type.len() <= MOST_ID, "is no media type");
    match account {
        Some(account) if bad.is_empty() => Ok(Announced {
            account,
            name: it.file_name,
            mime: it.mime_type,
            size: it.size_bytes,
            hash: it.sha256.to_vec(),
            voice: it.voice,
        }),
        _ => Err(bad),
    }
}
