//! The statements. See [`crate::erase::Statement`] for how they are written.

// ---- erasures -----------------------------------------------------------------------------------------------------

/// In the transaction of a piece, so that each is done once.
pub(super) const TAKE: &str =
    "UPDATE erasures SET version = version + 1 WHERE id = $6 AND version = $4 AND state = 1";

pub(super) const NOTE: &str =
    "UPDATE erasures SET state = $4, next_at = $5, record = $7 WHERE id = $6";

pub(super) const STORE: &str = "INSERT INTO erasures (id, account, kind, state, next_at, version, record) \
    VALUES ($6, $7, $4, 1, $5, 0, $8)";

/// State 3 waits for the upstream to remove the account, and is state 1 after that. A program that does not know it
/// lets such a row be.
pub(super) const STORE_REMOVAL: &str = "INSERT INTO erasures (id, account, kind, state, next_at, version, record) \
    VALUES ($6, $7, $4, 3, $5, 0, $8)";

pub(super) const TAKE_REMOVAL: &str = "UPDATE erasures SET version = version + 1, next_at = $5 \
    WHERE id = $6 AND version = $4 AND state = 3";

pub(super) const NOTE_REMOVAL: &str =
    "UPDATE erasures SET state = $4, next_at = $5, record = $7 WHERE id = $6 AND state = 3";

pub(super) const OPEN: &str = "SELECT version AS k, CAST(state AS bigint) AS n, record AS t, NULL AS b FROM erasures \
    WHERE account = $6 AND kind = $4 AND state IN (1, 3)";

/// Accounts that were erased, or are being.
pub(crate) const ERASED_ACCOUNTS: &str = "SELECT CAST(0 AS bigint) AS k, CAST(0 AS bigint) AS n, account AS t, NULL AS b FROM erasures \
    WHERE kind = 2 AND account IN {texts}";

// ---- marks --------------------------------------------------------------------------------------------------------

pub(super) const MARK: &str = "INSERT INTO erasure_marks (account_key, digest, up_to) \
    SELECT $1, t.value, $4 FROM {texts} AS t WHERE true \
    ON CONFLICT (account_key, digest) DO UPDATE SET up_to = \
      CASE WHEN excluded.up_to > erasure_marks.up_to THEN excluded.up_to ELSE erasure_marks.up_to END";

pub(crate) const MARKS: &str = "SELECT up_to AS k, CAST(0 AS bigint) AS n, digest AS t, NULL AS b FROM erasure_marks \
    WHERE account_key = $1 AND digest IN {texts}";

// ---- people and chats ---------------------------------------------------------------------------------------------

/// The chats of two with people.
pub(super) const CHATS: &str = "SELECT c.chat_key AS k, CAST(0 AS bigint) AS n, c.id AS t, NULL AS b FROM chats c \
    WHERE c.account_key = $1 AND c.kind = 0 AND (c.counterparty_key IN {keys} OR c.chat_key IN \
      (SELECT j.chat_key FROM chat_attendees j WHERE j.account_key = $1 AND j.attendee_key IN {keys}))";

pub(super) const ALSO: &str = "SELECT c.chat_key AS k, CAST(0 AS bigint) AS n, c.provider_id AS t, NULL AS b FROM chats c \
    WHERE c.account_key = $1 AND c.chat_key IN {keys} AND c.provider_id IS NOT NULL \
    UNION ALL SELECT a.chat_key AS k, CAST(1 AS bigint) AS n, a.id AS t, NULL AS b FROM chat_aliases a \
    WHERE a.account_key = $1 AND a.chat_key IN {keys}";

/// What is seen of people and chats, and what would still leave for them.
pub(super) const SEEN: [&str; 9] = [
    "DELETE FROM outbox WHERE account_key = $1 AND chat_key IN {keys} AND phase IN (1, 2, 3)",
    "DELETE FROM actions WHERE account_key = $1 AND chat_key IN {keys} AND stage = 1",
    "DELETE FROM work_items WHERE account_key = $1 AND kind IN (1, 2, 3, 4) AND subject IN {texts}",
    "DELETE FROM chat_aliases WHERE account_key = $1 AND chat_key IN {keys}",
    "DELETE FROM chats WHERE account_key = $1 AND chat_key IN {keys}",
    "DELETE FROM person_links WHERE account_key = $1 \
       AND kind IN ('phone', 'lid', 'providerid', 'username', 'joined') \
       AND value IN {texts} AND attendee_key IN {keys}",
    "INSERT INTO media_sweeps (sha256, due_at, state, puts) SELECT DISTINCT p.sha256, 0, 1, 0 FROM pictures p \
       WHERE p.account_key = $1 AND p.sha256 IS NOT NULL AND p.subject_key IN {keys} \
       ON CONFLICT (sha256) DO NOTHING",
    "DELETE FROM pictures WHERE account_key = $1 AND subject_key IN {keys}",
    "DELETE FROM attendees WHERE account_key = $1 AND attendee_key IN {keys}",
];

// ---- messages -----------------------------------------------------------------------------------------------------

/// 1: of an erased chat, 2: theirs in another one.
pub(super) const THEIRS: &str = "SELECT m.message_key AS k, \
      CASE WHEN m.chat_key IN {keys} THEN CAST(1 AS bigint) ELSE 2 END AS n, NULL AS t, {m.id} AS b FROM messages m \
    WHERE m.account_key = $1 AND m.message_key >= $4 AND m.message_key < $5 \
      AND (m.chat_key IN {keys} OR m.sender_key IN {keys}) ORDER BY m.message_key";

/// 3: quotes somebody, 4: they reacted, 5: quotes a message of theirs.
pub(super) const MENTIONS: &str = "SELECT m.message_key AS k, \
      CASE WHEN EXISTS (SELECT 1 FROM reactions r WHERE r.account_key = m.account_key \
          AND r.message_key = m.message_key AND r.actor_key IN {keys}) THEN CAST(4 AS bigint) \
        WHEN EXISTS (SELECT 1 FROM messages q WHERE q.account_key = m.account_key \
          AND q.upstream_id = m.quoted->>'message' AND q.sender_key IN {keys}) THEN 5 ELSE 3 END AS n, \
      CAST(m.quoted AS text) AS t, {m.id} AS b FROM messages m \
    WHERE m.account_key = $1 AND m.message_key >= $4 AND m.message_key < $5 \
      AND m.chat_key NOT IN {keys} AND (m.quoted IS NOT NULL OR m.reactions > 0) ORDER BY m.message_key";

/// The payloads that first told of messages, or of their texts.
pub(super) const PAYLOADS_OF: &str = "DELETE FROM webhook_inbox WHERE state IN (1, 2, 3, 4) AND id IN ( \
       SELECT m.arrived_inbox FROM messages m WHERE m.account_key = $1 AND m.message_key IN {keys} \
       UNION SELECT m.content_inbox FROM messages m WHERE m.account_key = $1 AND m.message_key IN {keys} \
       UNION SELECT v.inbox FROM message_versions v WHERE v.account_key = $1 AND v.message_key IN {keys})";

/// What belongs to messages; those themselves come last.
pub(super) const CHILDREN: [&str; 9] = [
    "DELETE FROM parked_facts WHERE account_key = $1 AND upstream_id IN (SELECT m.upstream_id FROM messages m \
       WHERE m.account_key = $1 AND m.message_key IN {keys})",
    "INSERT INTO media_sweeps (sha256, due_at, state, puts) SELECT DISTINCT f.sha256, 0, 1, 0 FROM media_fetches f \
       WHERE f.account_key = $1 AND f.sha256 IS NOT NULL AND f.message IN (SELECT m.upstream_id FROM messages m \
       WHERE m.account_key = $1 AND m.message_key IN {keys}) ON CONFLICT (sha256) DO NOTHING",
    "DELETE FROM media_fetches WHERE account_key = $1 AND message IN (SELECT m.upstream_id FROM messages m \
       WHERE m.account_key = $1 AND m.message_key IN {keys})",
    "DELETE FROM work_items WHERE account_key = $1 AND kind IN (1, 3) AND subject IN \
       (SELECT m.upstream_id FROM messages m WHERE m.account_key = $1 AND m.message_key IN {keys})",
    "DELETE FROM attachments WHERE account_key = $1 AND message_key IN {keys}",
    "DELETE FROM reactions WHERE account_key = $1 AND message_key IN {keys}",
    "DELETE FROM message_versions WHERE account_key = $1 AND message_key IN {keys}",
    "DELETE FROM held_echoes WHERE account_key = $1 AND message_key IN {keys}",
    "DELETE FROM outbox WHERE account_key = $1 AND message_key IN {keys}",
];

pub(super) const MESSAGES: &str =
    "DELETE FROM messages WHERE account_key = $1 AND message_key IN {keys}";

pub(super) const REACTIONS: &str = "DELETE FROM reactions WHERE account_key = $1 AND message_key >= $4 \
    AND message_key < $5 AND actor_key IN {keys}";

// ---- what waits ---------------------------------------------------------------------------------------------------

/// Where people are members.
pub(super) const MEMBERS: &str = "SELECT chat_key AS k, CAST(0 AS bigint) AS n, NULL AS t, NULL AS b FROM chat_attendees \
    WHERE account_key = $1 AND attendee_key IN {keys}";

/// The keys are theirs, and those of the chats that they are in.
pub(super) const NO_MEMBERS: &str = "DELETE FROM chat_attendees WHERE account_key = $1 AND chat_key IN {keys} \
    AND attendee_key IN {keys}";

/// Tables that are small, or whose rows of one account are. Of messages only those that start a chat name people.
pub(super) const REST: [&str; 8] = [
    "DELETE FROM chat_attendees WHERE account_key = $1 AND chat_key IN {keys}",
    "DELETE FROM outbox WHERE account_key = $1 AND chat_key IN {keys}",
    "DELETE FROM outbox WHERE account_key = $1 AND phase IN (1, 2, 3, 5, 6) AND request->>'what' = 'start' \
       AND EXISTS (SELECT 1 FROM {texts} AS t WHERE {in}(CAST(request AS text), t.value) > 0)",
    "DELETE FROM parked_facts WHERE account_key = $1 AND EXISTS (SELECT 1 FROM {texts} AS t \
       WHERE {in}(CAST(fact AS text), t.value) > 0)",
    "DELETE FROM held_echoes WHERE account_key = $1 AND EXISTS (SELECT 1 FROM {texts} AS t \
       WHERE {in}(CAST(fact AS text), t.value) > 0)",
    "DELETE FROM actions WHERE account_key = $1 AND chat_key IN {keys}",
    "DELETE FROM sync_chats WHERE account_key = $1 AND chat_key IN {keys}",
    "DELETE FROM syncs WHERE account_key = $1 AND EXISTS (SELECT 1 FROM {texts} AS t \
       WHERE {in}(CAST(state AS text), t.value) > 0)",
];

// ---- payloads and changes -----------------------------------------------------------------------------------------

pub(super) const LAST_PAYLOAD: &str = "SELECT coalesce(max(id), 0) AS k, coalesce(min(id), 0) AS n, NULL AS t, NULL AS b FROM webhook_inbox";

/// The texts are the account's id.
pub(super) const PAYLOADS: &str = "SELECT id AS k, CAST(state AS bigint) AS n, NULL AS t, body AS b \
    FROM webhook_inbox WHERE id >= $4 AND id < $5 AND (account_key = $1 \
      OR account_key IS NULL AND (account IS NULL OR account IN {texts})) ORDER BY id";

pub(super) const NO_PAYLOADS: &str =
    "DELETE FROM webhook_inbox WHERE id IN {keys} AND state IN (1, 2, 3, 4)";

pub(super) const NO_PAYLOADS_AT_ALL: &str = "DELETE FROM webhook_inbox WHERE id >= $4 AND id < $5 \
    AND (account_key = $1 OR account IN {texts})";

pub(super) const LAST_CHANGE: &str = "SELECT head AS k, floor AS n, NULL AS t, NULL AS b FROM account_head \
    WHERE account_key = $1";

pub(super) const CHANGES: &str = "SELECT seq AS k, CAST(0 AS bigint) AS n, NULL AS t, body AS b FROM change_log \
    WHERE account_key = $1 AND seq >= $4 AND seq < $5 AND body IS NOT NULL ORDER BY seq";

pub(super) const BLANK: &str =
    "UPDATE change_log SET body = NULL WHERE account_key = $1 AND seq IN {keys}";

// ---- accounts -----------------------------------------------------------------------------------------------------

/// What makes an account one: without these nobody finds its rows.
pub(super) const ACCOUNT: [&str; 5] = [
    "DELETE FROM account_claims WHERE id IN {texts}",
    "DELETE FROM hosted_links WHERE account IN {texts} OR told IN {texts} AND reason = ''",
    // Whoever follows one that did not come to an account is still told why, until it runs out.
    "UPDATE hosted_links SET own_name = NULL WHERE told IN {texts}",
    "DELETE FROM account_head WHERE account_key = $1",
    "DELETE FROM accounts WHERE account_key = $1",
];

pub(super) const SOME_FILES: &str = "SELECT CAST(0 AS bigint) AS k, CAST(0 AS bigint) AS n, sha256 AS t, NULL AS b FROM ( \
      SELECT sha256 FROM media_fetches WHERE account_key = $1 AND sha256 IS NOT NULL \
      UNION ALL SELECT sha256 FROM pictures WHERE account_key = $1 AND sha256 IS NOT NULL) AS f LIMIT $5";

pub(super) const SWEEP_FILES: &str = "INSERT INTO media_sweeps (sha256, due_at, state, puts) \
    SELECT DISTINCT t.value, 0, 1, 0 FROM {texts} AS t WHERE true ON CONFLICT (sha256) DO NOTHING";

pub(super) const NO_FETCHES: [&str; 2] = [
    "DELETE FROM media_fetches WHERE account_key = $1 AND sha256 IN {texts}",
    "DELETE FROM pictures WHERE account_key = $1 AND sha256 IN {texts}",
];

pub(super) const SOME_MESSAGES: &str = "SELECT message_key AS k, CAST(0 AS bigint) AS n, NULL AS t, NULL AS b FROM messages \
    WHERE account_key = $1 ORDER BY message_key LIMIT $5";

// ---- files --------------------------------------------------------------------------------------------------------

/// Nothing comes of it while the bytes are being deleted.
pub(super) const ANNOUNCE: &str = "INSERT INTO media_sweeps (sha256, due_at, state, puts) \
    SELECT t.value, $4, 1, 1 FROM {texts} AS t WHERE true ON CONFLICT (sha256) DO UPDATE SET \
      puts = media_sweeps.puts + 1, due_at = \
      CASE WHEN excluded.due_at > media_sweeps.due_at THEN excluded.due_at ELSE media_sweeps.due_at END \
    WHERE media_sweeps.state = 1";

/// The last one who put them has it looked at once more: what named them before may be gone.
pub(super) const RELEASE: &str = "UPDATE media_sweeps SET puts = puts - 1, \
      due_at = CASE WHEN puts <= 1 THEN 0 ELSE due_at END WHERE sha256 IN {texts} AND state = 1";

pub(super) const TAKE_SWEEP: &str =
    "UPDATE media_sweeps SET state = 2, due_at = $5 WHERE sha256 IN {texts} AND due_at <= $4";

/// Every row that names bytes by their hash.
pub(super) const NAMED: &str = "SELECT CAST(0 AS bigint) AS k, CAST(0 AS bigint) AS n, f.sha256 AS t, NULL AS b \
      FROM media_fetches f WHERE f.sha256 IN {texts} \
    UNION ALL SELECT CAST(0 AS bigint) AS k, CAST(0 AS bigint) AS n, p.sha256 AS t, NULL AS b \
      FROM pictures p WHERE p.sha256 IN {texts} LIMIT 1";

/// What is said of bytes goes with them.
pub(super) const NO_THUMBNAIL: &str = "DELETE FROM media_thumbnails WHERE sha256 IN {texts}";

pub(super) const NO_SWEEP: &str = "DELETE FROM media_sweeps WHERE sha256 IN {texts}";

// ---- what is old --------------------------------------------------------------------------------------------------

/// A failed message may be sent again, and a person has to decide about one that could not be confirmed: both stay.
pub(crate) const OLD_JOBS: &str = "SELECT message_key AS k, account_key AS n, NULL AS t, NULL AS b FROM outbox \
    WHERE phase IN (4, 7, 8) AND expires_at < $4 LIMIT $5";
pub(super) const NO_JOBS: &str = "DELETE FROM outbox WHERE account_key = $1 AND message_key IN {keys} \
    AND phase IN (4, 7, 8)";

pub(crate) const OLD_ACTIONS: &str = "SELECT action_key AS k, account_key AS n, NULL AS t, NULL AS b FROM actions \
    WHERE stage <> 1 AND expires_at < $4 LIMIT $5";
pub(super) const NO_ACTIONS: &str =
    "DELETE FROM actions WHERE account_key = $1 AND action_key IN {keys} AND stage <> 1";

/// That an account's history was read, or cancelled, is remembered; what its chats came to is not.
pub(crate) const OLD_SYNCS: &str = "SELECT s.sync_key AS k, s.account_key AS n, NULL AS t, NULL AS b FROM syncs s \
    WHERE NOT s.is_open AND s.next_at < $4 AND (s.kind <> 1 OR EXISTS (SELECT 1 FROM sync_chats c \
      WHERE c.account_key = s.account_key AND c.sync_key = s.sync_key)) LIMIT $5";
pub(super) const NO_SYNC_CHATS: &str =
    "DELETE FROM sync_chats WHERE account_key = $1 AND sync_key IN {keys}";
pub(super) const NO_SYNCS: &str =
    "DELETE FROM syncs WHERE account_key = $1 AND sync_key IN {keys} AND NOT is_open AND kind <> 1";

/// Chats whose oldest message is old; the text is the account's id.
pub(crate) const OLD_CHATS: &str = "SELECT c.chat_key AS k, c.account_key AS n, a.id AS t, NULL AS b FROM chats c \
      JOIN accounts a ON a.account_key = c.account_key \
    WHERE (c.account_key > $1 OR c.account_key = $1 AND c.chat_key > $5) AND (SELECT m.sent_at FROM messages m \
      WHERE m.account_key = c.account_key AND m.chat_key = c.chat_key ORDER BY m.place LIMIT 1) < $4 \
    ORDER BY c.account_key, c.chat_key LIMIT 50";

/// What still waits to leave is no past.
pub(crate) const OLD_MESSAGES: &str = "SELECT m.message_key AS k, CAST(0 AS bigint) AS n, NULL AS t, NULL AS b \
    FROM messages m WHERE m.account_key = $1 AND m.chat_key IN {keys} AND m.sent_at < $4 \
      AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.account_key = m.account_key \
        AND o.message_key = m.message_key AND o.phase IN (1, 2, 3)) ORDER BY m.place LIMIT $5";
