-- Pictures of people and groups.

-- What is shown, as JSON; none until it is here. A chat's own: that of a chat of two is the other person's.
ALTER TABLE attendees ADD COLUMN picture jsonb;
ALTER TABLE chats ADD COLUMN picture jsonb;

-- The journal: one row for each person or group that was seen.
CREATE TABLE pictures (
  account_key bigint NOT NULL,
  subject_key bigint NOT NULL,            -- of the person or chat: they have no key in common
  is_chat     boolean NOT NULL,
  state       smallint NOT NULL,          -- 1 nobody has looked, 2 stored, 3 there is none, 4 not fit, 5 failed
  attempts    integer NOT NULL,           -- the number of the last look
  is_open     boolean NOT NULL DEFAULT false, -- it has not ended
  failures    integer NOT NULL,           -- that counted, in a row
  seen_at     bigint NOT NULL,
  changed     boolean NOT NULL,           -- another picture was told of since the last look began
  due_at      bigint,                     -- the next look, or the end of the lease; none: when they are seen again.
                                          -- A look without delay has the negative of seen_at: the last seen comes first
  refresh_at  bigint,                     -- when the picture is old
  reason      text,
  sha256      text,
  PRIMARY KEY (account_key, subject_key)
);
CREATE INDEX pictures_due ON pictures (account_key, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX pictures_by_object ON pictures (sha256) WHERE sha256 IS NOT NULL;

CREATE TYPE picture_row AS (
  account_key bigint, subject_key bigint, is_chat boolean, seen_at bigint, changed boolean);
