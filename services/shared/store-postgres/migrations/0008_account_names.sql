-- What people call an account, and whose the accounts are that are being connected.

ALTER TABLE accounts ADD COLUMN own_name text;

-- Written before a code is shown, so that whatever comes first of the account finds its owner.
CREATE TABLE account_claims (
  id       text PRIMARY KEY,
  tenant   text NOT NULL,
  own_name text,
  attempt  uuid NOT NULL,      -- the newest attempt
  at       bigint NOT NULL
);
