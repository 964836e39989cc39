-- Everything that receiving, reading and streaming need. Each table's key begins with the account, so
-- that one account's rows can be moved to another server. Times are microseconds since 1970 UTC. A pair
-- (…_at, …_inbox) is a stamp: when the payload that said so was stored, and the id of its row in
-- webhook_inbox.
--
-- There are no foreign keys: every writer holds the account's row in account_head, and checks it in code.
-- Tables whose rows change leave room in their pages, so that an update touches no index.

-- One row: the number of this history, and the server on which it was drawn. See src/schema.rs.
CREATE TABLE log_epoch (
  one       boolean PRIMARY KEY DEFAULT true CHECK (one),
  epoch     bigint NOT NULL CHECK (epoch > 0),
  system_id text NOT NULL,                -- empty: the server does not tell
  timeline  integer NOT NULL,
  reason    text NOT NULL,
  set_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE tenants (
  id         text PRIMARY KEY,
  created_at bigint NOT NULL
);

CREATE TABLE accounts (
  account_key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id          text NOT NULL UNIQUE,
  tenant      text NOT NULL,
  phone       text,
  phone_at    bigint,
  phone_inbox bigint,
  reports     jsonb NOT NULL,             -- the latest status reports
  connection  smallint NOT NULL,          -- what the reports come to
  created_at  bigint NOT NULL,
  rev         bigint NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX accounts_of_tenant ON accounts (tenant, id);

-- The end of each account's log, and the next key for its rows. Its row is the account's lock: whoever
-- writes anything of an account takes it first, several of them by ascending key.
CREATE TABLE account_head (
  account_key bigint PRIMARY KEY,
  head        bigint NOT NULL DEFAULT 0,
  head_tag    bigint NOT NULL DEFAULT 0,
  floor       bigint NOT NULL DEFAULT 0,  -- numbers up to here are pruned
  floor_tag   bigint NOT NULL DEFAULT 0,
  next_key    bigint NOT NULL DEFAULT 1,
  heard_at    bigint,                     -- the latest webhook
  CHECK (floor <= head)
) WITH (fillfactor = 40, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

CREATE TABLE change_log (
  account_key bigint NOT NULL,
  seq         bigint NOT NULL,
  tag         bigint NOT NULL,            -- running hash
  body_hash   bigint NOT NULL,
  unit_end    boolean NOT NULL,
  op          smallint NOT NULL,
  entity      smallint NOT NULL,
  entity_id   text NOT NULL,
  at          bigint NOT NULL,
  body        bytea,
  trace       text,
  PRIMARY KEY (account_key, seq)
);

CREATE TABLE chats (
  account_key        bigint NOT NULL,
  chat_key           bigint NOT NULL,
  id                 text NOT NULL,
  provider_id        text,
  kind               smallint NOT NULL,
  own_name           text,
  subject            text,
  subject_at         bigint,
  subject_inbox      bigint,
  counterparty_key   bigint,
  counterparty_at    bigint,
  counterparty_inbox bigint,
  pinned             boolean NOT NULL,
  pinned_at          bigint NOT NULL,
  pinned_inbox       bigint NOT NULL,
  archived           boolean NOT NULL,
  muted_until        bigint,
  read_only          boolean NOT NULL,
  read_up_to         bigint NOT NULL,
  unread             integer NOT NULL,
  last               jsonb,               -- the last visible message
  place              bytea NOT NULL,      -- where it stands in the list
  words              text NOT NULL,       -- ' ' and each searchable word of its title
  rev                bigint NOT NULL,
  PRIMARY KEY (account_key, chat_key)
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05);
CREATE UNIQUE INDEX chats_by_id ON chats (account_key, id);
CREATE INDEX chats_in_order ON chats (account_key, place, chat_key);
CREATE INDEX chats_of_person ON chats (account_key, counterparty_key)
  WHERE counterparty_key IS NOT NULL;

CREATE TABLE attendees (
  account_key  bigint NOT NULL,
  attendee_key bigint NOT NULL,
  id           text NOT NULL,
  is_self      boolean NOT NULL,
  name         text,
  phone        text,
  claims       jsonb NOT NULL,            -- all that was said about the person
  words        text NOT NULL,
  rev          bigint NOT NULL,
  PRIMARY KEY (account_key, attendee_key)
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX attendees_by_id ON attendees (account_key, id);

-- Dated claims that an identifier names a person.
CREATE TABLE person_links (
  account_key  bigint NOT NULL,
  kind         text NOT NULL,
  value        text NOT NULL,
  attendee_key bigint NOT NULL,
  since_at     bigint NOT NULL,
  since_inbox  bigint NOT NULL,
  PRIMARY KEY (account_key, kind, value, attendee_key)
);

CREATE TABLE chat_attendees (
  account_key  bigint NOT NULL,
  chat_key     bigint NOT NULL,
  attendee_key bigint NOT NULL,
  role         smallint NOT NULL DEFAULT 0,
  since_at     bigint NOT NULL,           -- the earliest fact that showed them there
  since_inbox  bigint NOT NULL,
  left_at      bigint,
  PRIMARY KEY (account_key, chat_key, attendee_key)
);

CREATE TABLE messages (
  account_key       bigint NOT NULL,
  message_key       bigint NOT NULL,
  id                uuid NOT NULL,
  upstream_id       text,
  provider_id       text,
  chat_key          bigint NOT NULL,
  sender_key        bigint,
  outgoing          boolean NOT NULL,
  origin            smallint NOT NULL,
  text              text,
  is_event          boolean NOT NULL,
  event_number      integer,
  hidden            boolean NOT NULL,
  forwarded         boolean NOT NULL,
  quoted            jsonb,
  content_at        bigint NOT NULL,
  content_inbox     bigint NOT NULL,
  sent_at           bigint NOT NULL,
  arrived_at        bigint NOT NULL,
  arrived_inbox     bigint NOT NULL,
  status            smallint NOT NULL,
  delivered_claimed bigint,
  delivered_arrived bigint,
  read_claimed      bigint,
  read_arrived      bigint,
  edit_text         text,
  edit_at           bigint,
  edit_inbox        bigint,
  deleted_at        bigint,
  counts            boolean NOT NULL,     -- it is unread while newer than the chat's read_up_to
  files             integer NOT NULL,     -- how many rows it has in attachments
  reactions         integer NOT NULL,     -- how many rows it has in reactions
  place             bytea NOT NULL,       -- where it stands in the chat
  rev               bigint NOT NULL,
  PRIMARY KEY (account_key, message_key)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
CREATE UNIQUE INDEX messages_by_id ON messages (account_key, id);
CREATE UNIQUE INDEX messages_by_upstream ON messages (account_key, upstream_id)
  WHERE upstream_id IS NOT NULL;
CREATE INDEX messages_in_order ON messages (account_key, chat_key, place);

-- The words of messages, apart from the messages, so that a receipt never touches the index of words and
-- a walk from the newest back reads little. Each word has its account and its span of time in front, so
-- that a search reads what one account wrote in one span and nothing else. See src/search.rs.
CREATE TABLE message_words (
  account_key bigint NOT NULL,
  message_key bigint NOT NULL,
  place       bytea NOT NULL,
  span        integer NOT NULL,           -- the time of sending in units of 2^41 microseconds
  words       tsvector NOT NULL,
  PRIMARY KEY (account_key, message_key)
);
CREATE INDEX message_words_in_order ON message_words (account_key, place);
-- A short list of pending entries: it is emptied by whoever fills it up, who holds an account's lock.
CREATE INDEX message_words_by_word ON message_words USING gin (words)
  WITH (fastupdate = on, gin_pending_list_limit = 256);

CREATE TABLE attachments (
  account_key      bigint NOT NULL,
  message_key      bigint NOT NULL,
  position         integer NOT NULL,
  id               text NOT NULL,
  kind             text NOT NULL,
  mime             text,
  size             bigint,
  name             text,
  width            bigint,
  height           bigint,
  duration_seconds bigint,
  unavailable      boolean NOT NULL,
  PRIMARY KEY (account_key, message_key, position)
);

CREATE TABLE reactions (
  account_key bigint NOT NULL,
  message_key bigint NOT NULL,
  actor_key   bigint NOT NULL,
  emoji       text,                       -- none: taken back
  at          bigint NOT NULL,
  inbox       bigint NOT NULL,
  PRIMARY KEY (account_key, message_key, actor_key)
);

CREATE TABLE message_versions (
  account_key bigint NOT NULL,
  message_key bigint NOT NULL,
  at          bigint NOT NULL,
  inbox       bigint NOT NULL,
  text        text,
  PRIMARY KEY (account_key, message_key, at, inbox)
);

-- Facts that came before their message.
CREATE TABLE parked_facts (
  account_key bigint NOT NULL,
  upstream_id text NOT NULL,
  at          bigint NOT NULL,
  inbox       bigint NOT NULL,
  fact        jsonb NOT NULL,
  PRIMARY KEY (account_key, upstream_id, at, inbox)
);
CREATE INDEX parked_facts_by_age ON parked_facts (at);

CREATE TABLE webhook_dedupe (
  account_key bigint NOT NULL,
  digest      bytea NOT NULL,
  first_at    bigint NOT NULL,
  PRIMARY KEY (account_key, digest)
);
CREATE INDEX webhook_dedupe_by_age ON webhook_dedupe (first_at);

CREATE SEQUENCE webhook_inbox_ids;
CREATE TABLE webhook_inbox (
  id          bigint PRIMARY KEY,         -- from webhook_inbox_ids
  received_at bigint NOT NULL,
  account_key bigint,
  account     text,
  headers     json NOT NULL,              -- json, not jsonb: kept as written, never a reason to refuse
  body        bytea NOT NULL,             -- the exact bytes
  state       smallint NOT NULL,
  reason      text,
  detail      text,
  attempts    integer NOT NULL DEFAULT 0,
  next_at     bigint,
  trace       text
);
ALTER SEQUENCE webhook_inbox_ids OWNED BY webhook_inbox.id;
CREATE INDEX webhook_inbox_due ON webhook_inbox (next_at, id) WHERE state = 0;
CREATE INDEX webhook_inbox_waiting ON webhook_inbox (state, id) WHERE state IN (0, 3, 4);
CREATE INDEX webhook_inbox_by_age ON webhook_inbox (received_at);

-- Work that facts leave for those who may call UniPile.
CREATE TABLE work_items (
  account_key bigint NOT NULL,
  kind        smallint NOT NULL,
  subject     text NOT NULL,
  created_at  bigint NOT NULL,
  due_at      bigint NOT NULL,
  attempts    integer NOT NULL DEFAULT 0,
  PRIMARY KEY (account_key, kind, subject)
);
CREATE INDEX work_items_due ON work_items (due_at);
