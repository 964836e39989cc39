-- What sending needs.

-- Where a message's own sending stands, as JSON; only of messages sent through us.
ALTER TABLE messages ADD COLUMN sending TEXT;

-- Labels that the team gave a chat: a JSON array of texts.
ALTER TABLE chats ADD COLUMN labels TEXT;

-- What is to be done to messages and chats that exist. Asking UniPile again does no harm.
CREATE TABLE actions (
  account_key INTEGER NOT NULL,
  action_key  INTEGER NOT NULL,
  id          BLOB NOT NULL,
  chat_key    INTEGER NOT NULL,
  message_key INTEGER,
  act         TEXT NOT NULL,              -- JSON: what is done
  before      TEXT NOT NULL,              -- JSON: what was there, for undoing
  at          INTEGER NOT NULL,
  inbox       INTEGER NOT NULL,
  hash        BLOB NOT NULL,              -- of what the client asked for
  stage       INTEGER NOT NULL,
  attempts    INTEGER NOT NULL,
  refusals    INTEGER NOT NULL,
  next_at     INTEGER NOT NULL,
  expires_at  INTEGER NOT NULL,
  failure     TEXT,                       -- JSON
  PRIMARY KEY (account_key, action_key)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX actions_by_id ON actions (account_key, id);
CREATE INDEX actions_open ON actions (account_key, chat_key, action_key) WHERE stage = 1;
CREATE INDEX actions_due ON actions (next_at) WHERE stage = 1;

-- Messages that leave, or left, the house. Each belongs to the message with its key.
CREATE TABLE outbox (
  account_key INTEGER NOT NULL,
  message_key INTEGER NOT NULL,
  id          BLOB NOT NULL,
  chat_key    INTEGER NOT NULL,
  request     TEXT NOT NULL,              -- JSON: what is to be sent
  hash        BLOB NOT NULL,              -- of what the client asked for
  phase       INTEGER NOT NULL,
  attempts    INTEGER NOT NULL,
  refusals    INTEGER NOT NULL,
  probes      INTEGER NOT NULL,
  next_at     INTEGER NOT NULL,           -- the next request, the end of the lease, the next look
  expires_at  INTEGER NOT NULL,
  started_at  INTEGER,
  failure     TEXT,                       -- JSON
  rev         INTEGER NOT NULL,
  PRIMARY KEY (account_key, message_key)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX outbox_by_id ON outbox (account_key, id);
-- Open ones in the order in which a chat's messages leave.
CREATE INDEX outbox_open ON outbox (account_key, chat_key, message_key) WHERE phase IN (1, 2, 3);
CREATE INDEX outbox_due ON outbox (next_at) WHERE phase IN (1, 2, 3);
-- Those that an own message may turn out to be.
CREATE INDEX outbox_left ON outbox (account_key, chat_key) WHERE phase IN (2, 3, 5, 6);

-- Files to be sent, until they have been.
CREATE TABLE uploads (
  account_key INTEGER NOT NULL,
  id          BLOB NOT NULL,
  name        TEXT NOT NULL,
  mime        TEXT NOT NULL,
  kind        TEXT NOT NULL,
  size        INTEGER NOT NULL,
  is_complete INTEGER NOT NULL,
  expires_at  INTEGER NOT NULL,
  PRIMARY KEY (account_key, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX uploads_by_age ON uploads (expires_at);
CREATE TABLE upload_chunks (
  account_key INTEGER NOT NULL,
  id          BLOB NOT NULL,
  position    INTEGER NOT NULL,
  bytes       BLOB NOT NULL,
  PRIMARY KEY (account_key, id, position)
) STRICT;

-- How fast each account may send.
CREATE TABLE account_pacing (
  account_key INTEGER PRIMARY KEY,
  state       TEXT NOT NULL               -- JSON
) STRICT;

-- Own messages that turned up while one like them was being sent; not shown until that has ended.
CREATE TABLE held_echoes (
  account_key INTEGER NOT NULL,
  message_key INTEGER NOT NULL,           -- the message that is being sent
  upstream_id TEXT NOT NULL,
  at          INTEGER NOT NULL,
  inbox       INTEGER NOT NULL,
  fact        TEXT NOT NULL,              -- JSON
  PRIMARY KEY (account_key, message_key, upstream_id, at, inbox)
) STRICT, WITHOUT ROWID;
