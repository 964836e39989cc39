-- History that is read in, and gaps that are repaired.

-- Synchronisations. Their state is read and written as a whole.
CREATE TABLE syncs (
  account_key bigint NOT NULL,
  sync_key    bigint NOT NULL,
  id          uuid NOT NULL,
  kind        smallint NOT NULL,
  is_open     boolean NOT NULL,
  next_at     bigint NOT NULL,            -- when it is due, or up to when it is taken
  state       jsonb NOT NULL,
  PRIMARY KEY (account_key, sync_key),
  UNIQUE (account_key, id)
);
CREATE INDEX syncs_due ON syncs (next_at) WHERE is_open;

-- The chats of a synchronisation, the latest first.
CREATE TABLE sync_chats (
  account_key bigint NOT NULL,
  sync_key    bigint NOT NULL,
  chat_key    bigint NOT NULL,
  active_at   bigint NOT NULL,
  done        boolean NOT NULL,
  people      boolean NOT NULL,           -- its people are known
  "cursor"    text,                       -- where its messages go on
  pages       integer NOT NULL,
  PRIMARY KEY (account_key, sync_key, chat_key)
);
CREATE INDEX sync_chats_open ON sync_chats (account_key, sync_key, active_at) WHERE NOT done;

-- Everything that UniPile had up to this time was read in.
ALTER TABLE accounts ADD COLUMN complete_up_to bigint;

CREATE TYPE sync_row AS (
  account_key bigint, sync_key bigint, id uuid, kind smallint, is_open boolean, next_at bigint, state text);
CREATE TYPE sync_chat_row AS (
  account_key bigint, sync_key bigint, chat_key bigint, active_at bigint, done boolean, people boolean,
  "cursor" text, pages integer);
CREATE TYPE complete_row AS (account_key bigint, up_to bigint);
