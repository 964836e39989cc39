-- Files of messages are fetched.

-- How far a file's bytes are; none until a try has ended.
ALTER TABLE attachments ADD COLUMN fetched jsonb;

-- The journal: one row for each file that is or was wanted.
CREATE TABLE media_fetches (
  account_key bigint NOT NULL,
  message     text NOT NULL,              -- UniPile's id
  attachment  text NOT NULL,              -- UniPile's id
  kind        text NOT NULL,
  size        bigint,                     -- as claimed
  state       smallint NOT NULL,          -- 1 pending, 2 stored, 3 retrying, 4 unavailable, 5 too large, 6 left out
  attempts    integer NOT NULL,           -- the number of the last try
  failures    integer NOT NULL,           -- tries that said something about the file
  next_at     bigint,                     -- the next try, or the end of the lease; none: it has ended
  reason      text,
  sha256      text,
  PRIMARY KEY (account_key, message, attachment)
);
CREATE INDEX media_fetches_due ON media_fetches (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX media_fetches_by_object ON media_fetches (sha256) WHERE sha256 IS NOT NULL;

-- Messages whose files are to be entered into the journal. The table is small: its rows are work that is not done.
CREATE INDEX work_items_media ON work_items (due_at) WHERE kind = 3;
