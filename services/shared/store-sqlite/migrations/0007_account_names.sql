-- What people call an account, and whose the accounts are that are being connected.

ALTER TABLE accounts ADD COLUMN own_name TEXT;

-- Written before a code is shown, so that whatever comes first of the account finds its owner.
CREATE TABLE account_claims (
  id       TEXT PRIMARY KEY,
  tenant   TEXT NOT NULL,
  own_name TEXT,
  attempt  BLOB NOT NULL,      -- the newest attempt
  at       INTEGER NOT NULL
) STRICT;
