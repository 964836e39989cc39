-- Everything that receiving, reading and streaming need. Each table's key begins with the account, so
-- that one account's rows lie together. Times are microseconds since 1970 UTC. A pair (…_at, …_inbox)
-- is a stamp: when the payload that said so was stored, and the id of its row in webhook_inbox.

CREATE TABLE meta (
  name  TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE tenants (
  id         TEXT PRIMARY KEY,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE accounts (
  account_key INTEGER PRIMARY KEY,
  id          TEXT NOT NULL UNIQUE,
  tenant      TEXT NOT NULL,
  phone       TEXT,
  phone_at    INTEGER,
  phone_inbox INTEGER,
  reports     TEXT NOT NULL,              -- JSON: the latest status reports
  connection  INTEGER NOT NULL,           -- what the reports come to
  created_at  INTEGER NOT NULL,
  rev         INTEGER NOT NULL
) STRICT;
CREATE INDEX accounts_of_tenant ON accounts (tenant, id);

-- The end of each account's log, and the next key for its rows.
CREATE TABLE account_head (
  account_key INTEGER PRIMARY KEY,
  head        INTEGER NOT NULL DEFAULT 0,
  head_tag    INTEGER NOT NULL DEFAULT 0,
  floor       INTEGER NOT NULL DEFAULT 0, -- numbers up to here are pruned
  floor_tag   INTEGER NOT NULL DEFAULT 0,
  next_key    INTEGER NOT NULL DEFAULT 1,
  heard_at    INTEGER,                    -- the latest webhook
  CHECK (floor <= head)
) STRICT;

CREATE TABLE change_log (
  account_key INTEGER NOT NULL,
  seq         INTEGER NOT NULL,
  tag         INTEGER NOT NULL,           -- running hash
  body_hash   INTEGER NOT NULL,
  unit_end    INTEGER NOT NULL,
  op          INTEGER NOT NULL,
  entity      INTEGER NOT NULL,
  entity_id   TEXT NOT NULL,
  at          INTEGER NOT NULL,
  body        BLOB,
  trace       TEXT,
  PRIMARY KEY (account_key, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE chats (
  account_key       INTEGER NOT NULL,
  chat_key          INTEGER NOT NULL,
  id                TEXT NOT NULL,
  provider_id       TEXT,
  kind              INTEGER NOT NULL,
  own_name          TEXT,
  subject           TEXT,
  subject_at        INTEGER,
  subject_inbox     INTEGER,
  counterparty_key  INTEGER,
  counterparty_at   INTEGER,
  counterparty_inbox INTEGER,
  pinned            INTEGER NOT NULL,
  pinned_at         INTEGER NOT NULL,
  pinned_inbox      INTEGER NOT NULL,
  archived          INTEGER NOT NULL,
  muted_until       INTEGER,
  read_only         INTEGER NOT NULL,
  read_up_to        INTEGER NOT NULL,
  unread            INTEGER NOT NULL,
  last              TEXT,                 -- JSON: the last visible message
  place             BLOB NOT NULL,        -- where it stands in the list
  words             TEXT NOT NULL,        -- ' ' and each searchable word of its title
  rev               INTEGER NOT NULL,
  PRIMARY KEY (account_key, chat_key)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX chats_by_id ON chats (account_key, id);
CREATE INDEX chats_in_order ON chats (account_key, place, chat_key);
CREATE INDEX chats_of_person ON chats (account_key, counterparty_key)
  WHERE counterparty_key IS NOT NULL;

CREATE TABLE attendees (
  account_key  INTEGER NOT NULL,
  attendee_key INTEGER NOT NULL,
  id           TEXT NOT NULL,
  is_self      INTEGER NOT NULL,
  name         TEXT,
  phone        TEXT,
  claims       TEXT NOT NULL,             -- JSON: all that was said about the person
  words        TEXT NOT NULL,
  rev          INTEGER NOT NULL,
  PRIMARY KEY (account_key, attendee_key)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX attendees_by_id ON attendees (account_key, id);

-- Dated claims that an identifier names a person.
CREATE TABLE person_links (
  account_key  INTEGER NOT NULL,
  kind         TEXT NOT NULL,
  value        TEXT NOT NULL,
  attendee_key INTEGER NOT NULL,
  since_at     INTEGER NOT NULL,
  since_inbox  INTEGER NOT NULL,
  PRIMARY KEY (account_key, kind, value, attendee_key)
) STRICT, WITHOUT ROWID;

CREATE TABLE chat_attendees (
  account_key  INTEGER NOT NULL,
  chat_key     INTEGER NOT NULL,
  attendee_key INTEGER NOT NULL,
  role         INTEGER NOT NULL DEFAULT 0,
  since_at     INTEGER NOT NULL,          -- the earliest fact that showed them there
  since_inbox  INTEGER NOT NULL,
  left_at      INTEGER,
  PRIMARY KEY (account_key, chat_key, attendee_key)
) STRICT, WITHOUT ROWID;

CREATE TABLE messages (
  account_key       INTEGER NOT NULL,
  message_key       INTEGER NOT NULL,
  id                BLOB NOT NULL,
  upstream_id       TEXT,
  provider_id       TEXT,
  chat_key          INTEGER NOT NULL,
  sender_key        INTEGER,
  outgoing          INTEGER NOT NULL,
  origin            INTEGER NOT NULL,
  text              TEXT,
  is_event          INTEGER NOT NULL,
  event_number      INTEGER,
  hidden            INTEGER NOT NULL,
  forwarded         INTEGER NOT NULL,
  quoted            TEXT,                 -- JSON
  content_at        INTEGER NOT NULL,
  content_inbox     INTEGER NOT NULL,
  sent_at           INTEGER NOT NULL,
  arrived_at        INTEGER NOT NULL,
  arrived_inbox     INTEGER NOT NULL,
  status            INTEGER NOT NULL,
  delivered_claimed INTEGER,
  delivered_arrived INTEGER,
  read_claimed      INTEGER,
  read_arrived      INTEGER,
  edit_text         TEXT,
  edit_at           INTEGER,
  edit_inbox        INTEGER,
  deleted_at        INTEGER,
  counts            INTEGER NOT NULL,     -- it is unread while newer than the chat's read_up_to
  files             INTEGER NOT NULL,     -- how many rows it has in attachments
  reactions         INTEGER NOT NULL,     -- how many rows it has in reactions
  place             BLOB NOT NULL,        -- where it stands in the chat
  search_id         INTEGER NOT NULL,     -- its rowid in message_words
  rev               INTEGER NOT NULL,
  PRIMARY KEY (account_key, message_key)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX messages_by_id ON messages (account_key, id);
CREATE UNIQUE INDEX messages_by_upstream ON messages (account_key, upstream_id)
  WHERE upstream_id IS NOT NULL;
CREATE INDEX messages_in_order ON messages (account_key, chat_key, place);
CREATE UNIQUE INDEX messages_by_search ON messages (search_id);

-- The words of messages. Each row begins with its account's own word, so that one account's search
-- reads only its rows; rowids grow with the time of sending, so that the newest come first.
CREATE VIRTUAL TABLE message_words USING fts5 (
  words,
  content = '',
  contentless_delete = 1,
  detail = none,
  prefix = '2 3',
  tokenize = 'ascii'
);

CREATE TABLE attachments (
  account_key      INTEGER NOT NULL,
  message_key      INTEGER NOT NULL,
  position         INTEGER NOT NULL,
  id               TEXT NOT NULL,
  kind             TEXT NOT NULL,
  mime             TEXT,
  size             INTEGER,
  name             TEXT,
  width            INTEGER,
  height           INTEGER,
  duration_seconds INTEGER,
  unavailable      INTEGER NOT NULL,
  PRIMARY KEY (account_key, message_key, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE reactions (
  account_key INTEGER NOT NULL,
  message_key INTEGER NOT NULL,
  actor_key   INTEGER NOT NULL,
  emoji       TEXT,                       -- none: taken back
  at          INTEGER NOT NULL,
  inbox       INTEGER NOT NULL,
  PRIMARY KEY (account_key, message_key, actor_key)
) STRICT, WITHOUT ROWID;

CREATE TABLE message_versions (
  account_key INTEGER NOT NULL,
  message_key INTEGER NOT NULL,
  at          INTEGER NOT NULL,
  inbox       INTEGER NOT NULL,
  text        TEXT,
  PRIMARY KEY (account_key, message_key, at, inbox)
) STRICT, WITHOUT ROWID;

-- Facts that came before their message.
CREATE TABLE parked_facts (
  account_key INTEGER NOT NULL,
  upstream_id TEXT NOT NULL,
  at          INTEGER NOT NULL,
  inbox       INTEGER NOT NULL,
  fact        TEXT NOT NULL,              -- JSON
  PRIMARY KEY (account_key, upstream_id, at, inbox)
) STRICT, WITHOUT ROWID;

CREATE TABLE webhook_dedupe (
  account_key INTEGER NOT NULL,
  digest      BLOB NOT NULL,
  first_at    INTEGER NOT NULL,
  PRIMARY KEY (account_key, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX webhook_dedupe_by_age ON webhook_dedupe (first_at);

CREATE TABLE webhook_inbox (
  id          INTEGER PRIMARY KEY,
  received_at INTEGER NOT NULL,
  account_key INTEGER,
  account     TEXT,
  headers     TEXT NOT NULL,              -- JSON
  body        BLOB NOT NULL,              -- the exact bytes
  state       INTEGER NOT NULL,
  reason      TEXT,
  detail      TEXT,
  attempts    INTEGER NOT NULL DEFAULT 0,
  next_at     INTEGER,
  trace       TEXT
) STRICT;
CREATE INDEX webhook_inbox_due ON webhook_inbox (next_at) WHERE state = 0;
CREATE INDEX webhook_inbox_waiting ON webhook_inbox (state, id) WHERE state IN (0, 3, 4);
CREATE INDEX webhook_inbox_by_age ON webhook_inbox (received_at);

-- Work that facts leave for those who may call UniPile.
CREATE TABLE work_items (
  account_key INTEGER NOT NULL,
  kind        INTEGER NOT NULL,
  subject     TEXT NOT NULL,
  created_at  INTEGER NOT NULL,
  due_at      INTEGER NOT NULL,
  attempts    INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (account_key, kind, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX work_items_due ON work_items (due_at);

INSERT INTO meta (name, value) VALUES ('inbox_id', 0);
