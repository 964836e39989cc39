-- What sending needs.

-- Where a message's own sending stands, as JSON; only of messages sent through us.
ALTER TABLE messages ADD COLUMN sending TEXT;

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
