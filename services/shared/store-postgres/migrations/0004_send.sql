-- What sending needs.

-- Where a message's own sending stands; only of messages sent through us.
ALTER TABLE messages ADD COLUMN sending jsonb;

-- Labels that the team gave a chat: a JSON array of texts.
ALTER TABLE chats ADD COLUMN labels jsonb;

-- What is to be done to messages and chats that exist. Asking UniPile again does no harm.
CREATE TABLE actions (
  account_key bigint NOT NULL,
  action_key  bigint NOT NULL,
  id          uuid NOT NULL,
  chat_key    bigint NOT NULL,
  message_key bigint,
  act         jsonb NOT NULL,             -- what is done
  before      jsonb NOT NULL,             -- what was there, for undoing
  at          bigint NOT NULL,
  inbox       bigint NOT NULL,
  hash        bytea NOT NULL,             -- of what the client asked for
  stage       smallint NOT NULL,
  attempts    integer NOT NULL,
  refusals    integer NOT NULL,
  next_at     bigint NOT NULL,
  expires_at  bigint NOT NULL,
  failure     jsonb,
  PRIMARY KEY (account_key, action_key)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE UNIQUE INDEX actions_by_id ON actions (account_key, id);
CREATE INDEX actions_open ON actions (account_key, chat_key, action_key) WHERE stage = 1;
CREATE INDEX actions_due ON actions (next_at) WHERE stage = 1;

-- Messages that leave, or left, the house. Each belongs to the message with its key.
CREATE TABLE outbox (
  account_key bigint NOT NULL,
  message_key bigint NOT NULL,
  id          uuid NOT NULL,
  chat_key    bigint NOT NULL,
  request     jsonb NOT NULL,             -- what is to be sent
  hash        bytea NOT NULL,             -- of what the client asked for
  phase       smallint NOT NULL,
  attempts    integer NOT NULL,
  refusals    integer NOT NULL,
  probes      integer NOT NULL,
  next_at     bigint NOT NULL,            -- the next request, the end of the lease, the next look
  expires_at  bigint NOT NULL,
  started_at  bigint,
  failure     jsonb,
  rev         bigint NOT NULL,
  PRIMARY KEY (account_key, message_key)
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05);
CREATE UNIQUE INDEX outbox_by_id ON outbox (account_key, id);
-- Open ones in the order in which a chat's messages leave.
CREATE INDEX outbox_open ON outbox (account_key, chat_key, message_key) WHERE phase IN (1, 2, 3);
CREATE INDEX outbox_due ON outbox (next_at) WHERE phase IN (1, 2, 3);
-- Those that an own message may turn out to be.
CREATE INDEX outbox_left ON outbox (account_key, chat_key) WHERE phase IN (2, 3, 5, 6);

-- Files to be sent, until they have been.
CREATE TABLE uploads (
  account_key bigint NOT NULL,
  id          uuid NOT NULL,
  name        text NOT NULL,
  mime        text NOT NULL,
  kind        text NOT NULL,
  size        bigint NOT NULL,
  is_complete boolean NOT NULL,
  expires_at  bigint NOT NULL,
  PRIMARY KEY (account_key, id)
);
CREATE INDEX uploads_by_age ON uploads (expires_at);
CREATE TABLE upload_chunks (
  account_key bigint NOT NULL,
  id          uuid NOT NULL,
  position    integer NOT NULL,
  bytes       bytea NOT NULL,
  PRIMARY KEY (account_key, id, position)
);
ALTER TABLE upload_chunks ALTER COLUMN bytes SET STORAGE EXTERNAL;

-- How fast each account may send. Its row is written under the account's lock.
CREATE TABLE account_pacing (
  account_key bigint PRIMARY KEY,
  state       jsonb NOT NULL
) WITH (fillfactor = 60);

-- Own messages that turned up while one like them was being sent; not shown until that has ended.
CREATE TABLE held_echoes (
  account_key bigint NOT NULL,
  message_key bigint NOT NULL,            -- the message that is being sent
  upstream_id text NOT NULL,
  at          bigint NOT NULL,
  inbox       bigint NOT NULL,
  fact        jsonb NOT NULL,
  PRIMARY KEY (account_key, message_key, upstream_id, at, inbox)
);

-- Rows as they are sent, see 0003. message_row and chat_row go when no program
-- that sends them runs any more.
CREATE TYPE message_row_2 AS (
  account_key bigint, message_key bigint, id uuid, upstream_id text, provider_id text,
  chat_key bigint, sender_key bigint, outgoing boolean, origin smallint, text text,
  is_event boolean, event_number integer, hidden boolean, forwarded boolean, quoted text,
  content_at bigint, content_inbox bigint, sent_at bigint, arrived_at bigint,
  arrived_inbox bigint, status smallint, delivered_claimed bigint, delivered_arrived bigint,
  read_claimed bigint, read_arrived bigint, edit_text text, edit_at bigint, edit_inbox bigint,
  deleted_at bigint, counts boolean, files integer, reactions integer, sending text,
  place bytea, rev bigint);
CREATE TYPE chat_row_2 AS (
  account_key bigint, chat_key bigint, id text, provider_id text, kind smallint, own_name text,
  labels text, subject text, subject_at bigint, subject_inbox bigint, counterparty_key bigint,
  counterparty_at bigint, counterparty_inbox bigint, pinned boolean, pinned_at bigint,
  pinned_inbox bigint, archived boolean, muted_until bigint, read_only boolean, read_up_to bigint,
  unread integer, last text, place bytea, words text, rev bigint);
CREATE TYPE action_row AS (
  account_key bigint, action_key bigint, id uuid, chat_key bigint, message_key bigint, act text,
  before text, at bigint, inbox bigint, hash bytea, stage smallint, attempts integer,
  refusals integer, next_at bigint, expires_at bigint, failure text);
CREATE TYPE outbox_row AS (
  account_key bigint, message_key bigint, id uuid, chat_key bigint, request text, hash bytea,
  phase smallint, attempts integer, refusals integer, probes integer, next_at bigint,
  expires_at bigint, started_at bigint, failure text, rev bigint);
CREATE TYPE account_pacing_row AS (account_key bigint, state text);
CREATE TYPE held_echo_row AS (
  account_key bigint, message_key bigint, upstream_id text, at bigint, inbox bigint, fact text);
CREATE TYPE key_row AS (account_key bigint, message_key bigint);
