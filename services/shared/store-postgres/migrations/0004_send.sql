-- What sending needs.

-- Where a message's own sending stands; only of messages sent through us.
ALTER TABLE messages ADD COLUMN sending jsonb;

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

-- Rows as they are sent, see 0003. message_row goes when no program that sends it runs any more.
CREATE TYPE message_row_2 AS (
  account_key bigint, message_key bigint, id uuid, upstream_id text, provider_id text,
  chat_key bigint, sender_key bigint, outgoing boolean, origin smallint, text text,
  is_event boolean, event_number integer, hidden boolean, forwarded boolean, quoted text,
  content_at bigint, content_inbox bigint, sent_at bigint, arrived_at bigint,
  arrived_inbox bigint, status smallint, delivered_claimed bigint, delivered_arrived bigint,
  read_claimed bigint, read_arrived bigint, edit_text text, edit_at bigint, edit_inbox bigint,
  deleted_at bigint, counts boolean, files integer, reactions integer, sending text,
  place bytea, rev bigint);
CREATE TYPE outbox_row AS (
  account_key bigint, message_key bigint, id uuid, chat_key bigint, request text, hash bytea,
  phase smallint, attempts integer, refusals integer, probes integer, next_at bigint,
  expires_at bigint, started_at bigint, failure text, rev bigint);
CREATE TYPE account_pacing_row AS (account_key bigint, state text);
CREATE TYPE held_echo_row AS (
  account_key bigint, message_key bigint, upstream_id text, at bigint, inbox bigint, fact text);
CREATE TYPE key_row AS (account_key bigint, message_key bigint);
