-- Links to UniPile's own sign-in page, and what became of them.

CREATE TABLE hosted_links (
  id         uuid PRIMARY KEY,
  token      bytea NOT NULL UNIQUE,      -- the SHA-256 of what the callback's address ends with
  tenant     text NOT NULL,
  own_name   text,                       -- of a new account
  account    text,                       -- the one to connect again
  made_at    bigint NOT NULL,
  expires_at bigint NOT NULL,
  told       text,                       -- the account that the callback named: the link is used
  due_at     bigint,                     -- when it is to be confirmed, or whoever confirms it is given up
  attempts   integer NOT NULL DEFAULT 0,
  reason     text,                       -- how it ended; empty: the account is connected
  detail     text
);
CREATE INDEX hosted_links_due ON hosted_links (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX hosted_links_old ON hosted_links (expires_at);

CREATE TYPE account_row_named AS (
  account_key bigint, tenant text, own_name text, phone text, phone_at bigint, phone_inbox bigint,
  reports text, connection smallint, rev bigint);
