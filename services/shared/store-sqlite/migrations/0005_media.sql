-- Files of messages are fetched.

-- How far a file's bytes are, as JSON; none until a try has ended.
ALTER TABLE attachments ADD COLUMN fetched TEXT;

-- The journal: one row for each file that is or was wanted.
CREATE TABLE media_fetches (
  account_key INTEGER NOT NULL,
  message     TEXT NOT NULL,              -- UniPile's id
  attachment  TEXT NOT NULL,              -- UniPile's id
  kind        TEXT NOT NULL,
  size        INTEGER,                    -- as claimed
  state       INTEGER NOT NULL,           -- 1 pending, 2 stored, 3 retrying, 4 unavailable, 5 too large, 6 left out
  attempts    INTEGER NOT NULL,           -- the number of the last try
  failures    INTEGER NOT NULL,           -- tries that said something about the file
  next_at     INTEGER,                    -- the next try, or the end of the lease; none: it has ended
  reason      TEXT,
  sha256      TEXT,
  PRIMARY KEY (account_key, message, attachment)
) STRICT, WITHOUT ROWID;
CREATE INDEX media_fetches_due ON media_fetches (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX media_fetches_by_object ON media_fetches (sha256) WHERE sha256 IS NOT NULL;

-- Messages whose files are to be entered into the journal.
CREATE INDEX work_items_media ON work_items (due_at) WHERE kind = 3;
