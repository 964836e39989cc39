-- Links to UniPile's own sign-in page, and what became of them.

CREATE TABLE hosted_links (
  id         BLOB PRIMARY KEY,
  token      BLOB NOT NULL UNIQUE,       -- the SHA-256 of what the callback's address ends with
  tenant     TEXT NOT NULL,
  own_name   TEXT,                       -- of a new account
  account    TEXT,                       -- the one to connect again
  made_at    INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  told       TEXT,                       -- the account that the callback named: the link is used
  due_at     INTEGER,                    -- when it is to be confirmed, or whoever confirms it is given up
  attempts   INTEGER NOT NULL DEFAULT 0,
  reason     TEXT,                       -- how it ended; empty: the account is connected
  detail     TEXT
) STRICT;
CREATE INDEX hosted_links_due ON hosted_links (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX hosted_links_old ON hosted_links (expires_at);
