//! Writing what hangs on messages, and facts that wait for theirs.

use super::sent::row_sent;
use super::together::Together;
use super::{json, tried};
use channel_domain::fact::Attachment;
use channel_domain::ids::UpstreamMessageId;
use channel_domain::message::Reaction;
use channel_store::StoreError;
use channel_store::rows::{MessageWrite, Owned, Parked, Version};

/// Messages may have fewer files than before: the files of each end before this row's position.
const FEWER_FILES: &str = "DELETE FROM attachments f USING unnest($1::attachment_row[]) AS w \
    WHERE f.account_key = w.account_key AND f.message_key = w.message_key \
      AND f.position >= w.position";

const FILES: &str = "INSERT INTO attachments (account_key, message_key, position, id, kind, mime, size, \
      name, width, height, duration_seconds, unavailable, fetched) \
    SELECT u.account_key, u.message_key, u.position, f.id, f.kind, f.mime, f.size, f.name, f.width, \
      f.height, f.duration_seconds, f.unavailable, f.fetched \
    FROM unnest($1::attachment_row[]) AS u, \
      json_to_record(u.file::json) AS f(id text, kind text, mime text, size bigint, name text, \
        width bigint, height bigint, duration_seconds bigint, unavailable boolean, fetched jsonb) \
    ON CONFLICT (account_key, message_key, position) DO UPDATE SET id = excluded.id, \
      kind = excluded.kind, mime = excluded.mime, size = excluded.size, name = excluded.name, \
      width = excluded.width, height = excluded.height, \
      duration_seconds = excluded.duration_seconds, unavailable = excluded.unavailable, \
      fetched = excluded.fetched";

row_sent!(
    "attachment_row",
    struct FileRow {
        account_key: i64,
        message_key: i64,
        position: i32,
        file: Option<String>,
    }
);

impl FileRow {
    fn new(owned: &Owned<MessageWrite>, position: usize, file: Option<String>) -> Self {
        Self {
            account_key: owned.account_key,
            message_key: owned.row.message.key,
            position: i32::try_from(position).unwrap_or(i32::MAX),
            file,
        }
    }
}

/// Writes the files of messages whose files changed.
pub(super) fn files(
    together: &mut Together,
    messages: &[Owned<MessageWrite>],
) -> Result<(), StoreError> {
    let (mut ends, mut files) = (Vec::new(), Vec::new());
    for owned in messages.iter().filter(|owned| owned.row.files) {
        let attachments = &owned.row.message.content.attachments;
        ends.push(FileRow::new(owned, attachments.len(), None));
        for (position, file) in attachments.iter().enumerate() {
            files.push(FileRow::new(owned, position, Some(json(&storable(file))?)));
        }
    }
    together.part(FEWER_FILES, ends);
    together.part(FILES, files);
    Ok(())
}

/// A sender may claim any size; the column ends at 2⁶³.
fn storable(file: &Attachment) -> Attachment {
    let largest = i64::MAX.cast_unsigned();
    Attachment { size: file.size.map(|size| size.min(largest)), ..file.clone() }
}

const REACTIONS: &str = "INSERT INTO reactions (account_key, message_key, actor_key, emoji, at, inbox) \
    SELECT account_key, message_key, actor_key, emoji, at, inbox FROM unnest($1::reaction_row[]) \
    ON CONFLICT (account_key, message_key, actor_key) DO UPDATE SET emoji = excluded.emoji, \
      at = excluded.at, inbox = excluded.inbox";

row_sent!(
    "reaction_row",
    struct ReactionRow<'r> {
        account_key: i64,
        message_key: i64,
        actor_key: i64,
        emoji: Option<&'r str>,
        at: i64,
        inbox: i64,
    }
);

impl<'r> ReactionRow<'r> {
    fn new(owned: &Owned<MessageWrite>, reaction: &'r Reaction) -> Self {
        Self {
            account_key: owned.account_key,
            message_key: owned.row.message.key,
            actor_key: reaction.actor_key,
            emoji: reaction.emoji.as_deref(),
            at: reaction.stamp.at.0,
            inbox: reaction.stamp.inbox,
        }
    }
}

/// Writes the reactions of messages whose reactions changed.
pub(super) fn reactions(together: &mut Together, messages: &[Owned<MessageWrite>]) {
    let changed = messages.iter().filter(|owned| owned.row.reactions);
    let rows = changed.flat_map(|owned| {
        owned.row.message.reactions.iter().map(move |one| ReactionRow::new(owned, one))
    });
    together.part(REACTIONS, rows);
}

const VERSIONS: &str = "INSERT INTO message_versions (account_key, message_key, at, inbox, text) \
    SELECT account_key, message_key, at, inbox, text FROM unnest($1::message_version_row[]) \
    ON CONFLICT DO NOTHING";

row_sent!(
    "message_version_row",
    struct VersionRow<'r> {
        account_key: i64,
        message_key: i64,
        at: i64,
        inbox: i64,
        text: Option<&'r str>,
    }
);

/// Keeps past texts.
pub(super) fn versions(together: &mut Together, rows: &[Owned<Version>]) {
    let rows = rows.iter().map(|Owned { account_key, row }| VersionRow {
        account_key: *account_key,
        message_key: row.message_key,
        at: row.stamp.at.0,
        inbox: row.stamp.inbox,
        text: row.text.as_deref(),
    });
    together.part(VERSIONS, rows);
}

const PARK: &str = "INSERT INTO parked_facts (account_key, upstream_id, at, inbox, fact) \
    SELECT account_key, upstream_id, at, inbox, fact::jsonb FROM unnest($1::parked_fact_row[]) \
    ON CONFLICT DO NOTHING";

const UNPARK: &str = "DELETE FROM parked_facts f USING unnest($1::parked_fact_row[]) AS u \
    WHERE f.account_key = u.account_key AND f.upstream_id = u.upstream_id";

row_sent!(
    "parked_fact_row",
    struct ParkedRow<'r> {
        account_key: i64,
        upstream_id: &'r str,
        at: Option<i64>,
        inbox: Option<i64>,
        fact: Option<String>,
    }
);

impl<'r> TryFrom<&'r Parked> for ParkedRow<'r> {
    type Error = StoreError;

    fn try_from(parked: &'r Parked) -> Result<Self, StoreError> {
        Ok(Self {
            account_key: parked.account_key,
            upstream_id: parked.message.as_str(),
            at: Some(parked.stamp.at.0),
            inbox: Some(parked.stamp.inbox),
            fact: Some(json(&parked.fact)?),
        })
    }
}

/// Keeps facts until their message comes.
pub(super) fn park(together: &mut Together, rows: &[Parked]) -> Result<(), StoreError> {
    together.part(PARK, tried::<_, ParkedRow<'_>>(rows)?);
    Ok(())
}

/// Forgets facts whose message has come.
pub(super) fn unpark(together: &mut Together, rows: &[Owned<UpstreamMessageId>]) {
    let rows = rows.iter().map(|owned| ParkedRow {
        account_key: owned.account_key,
        upstream_id: owned.row.as_str(),
        at: None,
        inbox: None,
        fact: None,
    });
    together.part(UNPARK, rows);
}
