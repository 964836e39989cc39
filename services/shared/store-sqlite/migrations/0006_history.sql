-- History that is read in, and gaps that are repaired.

-- Synchronisations. Their state is read and written as a whole.
CREATE TABLE syncs (
  account_key INTEGER NOT NULL,
  sync_key    INTEGER NOT NULL,
  id          BLOB NOT NULL,
  kind        INTEGER NOT NULL,
  is_open     INTEGER NOT NULL,
  next_at     INTEGER NOT NULL,           -- when it is due, or up to when it is taken
  state       TEXT NOT NULL,              -- JSON
  PRIMARY KEY (account_key, sync_key),
  UNIQUE (account_key, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX syncs_due ON syncs (next_at) WHERE is_open;

-- The chats of a synchronisation, the latest first.
CREATE TABLE sync_chats (
  account_key INTEGER NOT NULL,
  sync_key    INTEGER NOT NULL,
  chat_key    INTEGER NOT NULL,
  active_at   INTEGER NOT NULL,
  done        INTEGER NOT NULL,
  people      INTEGER NOT NULL,           -- its people are known
  cursor      TEXT,                       -- where its messages go on
  pages       INTEGER NOT NULL,
  PRIMARY KEY (account_key, sync_key, chat_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX sync_chats_open ON sync_chats (account_key, sync_key, active_at) WHERE NOT done;

-- Everything that UniPile had up to this time was read in.
ALTER TABLE accounts ADD COLUMN complete_up_to INTEGER;
