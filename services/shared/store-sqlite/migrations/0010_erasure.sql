-- Erasing what is known of people and of accounts, and the bytes of files that nothing names any more.

-- What was asked to be erased, by whom, and how much it was. `record` is JSON; while it is under way it says
-- who is meant, and after that nothing of them.
CREATE TABLE erasures (
  id      TEXT PRIMARY KEY,
  account TEXT NOT NULL,
  kind    INTEGER NOT NULL,               -- 1 a contact, 2 an account
  state   INTEGER NOT NULL,               -- 1 under way, 2 done
  next_at INTEGER NOT NULL,
  version INTEGER NOT NULL,               -- pieces done
  record  TEXT NOT NULL
) STRICT;
CREATE INDEX erasures_by_account ON erasures (account);
CREATE INDEX erasures_due ON erasures (next_at) WHERE state = 1;

-- Digests of chats and people of whom nothing up to a time may come back.
CREATE TABLE erasure_marks (
  account_key INTEGER NOT NULL,
  digest      TEXT NOT NULL,
  up_to       INTEGER NOT NULL,
  PRIMARY KEY (account_key, digest)
) STRICT, WITHOUT ROWID;

-- Bytes that nothing may name at that time: they are looked at then, and go if it is so.
CREATE TABLE media_sweeps (
  sha256 TEXT PRIMARY KEY,
  due_at INTEGER NOT NULL,
  state  INTEGER NOT NULL,                -- 1 to be looked at, 2 they are being deleted
  puts   INTEGER NOT NULL                 -- how many are about to put them where files lie
) STRICT, WITHOUT ROWID;
CREATE INDEX media_sweeps_due ON media_sweeps (due_at);
