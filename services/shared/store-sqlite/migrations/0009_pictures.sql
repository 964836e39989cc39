-- Pictures of people and groups.

-- What is shown, as JSON; none until it is here. A chat's own: that of a chat of two is the other person's.
ALTER TABLE attendees ADD COLUMN picture TEXT;
ALTER TABLE chats ADD COLUMN picture TEXT;

-- The journal: one row for each person or group that was seen.
CREATE TABLE pictures (
  account_key INTEGER NOT NULL,
  subject_key INTEGER NOT NULL,           -- of the person or chat: they have no key in common
  is_chat     INTEGER NOT NULL,
  state       INTEGER NOT NULL,           -- 1 nobody has looked, 2 stored, 3 there is none, 4 not fit, 5 failed
  attempts    INTEGER NOT NULL,           -- the number of the last look
  is_open     INTEGER NOT NULL DEFAULT 0, -- it has not ended
  failures    INTEGER NOT NULL,           -- that counted, in a row
  seen_at     INTEGER NOT NULL,
  changed     INTEGER NOT NULL,           -- another picture was told of since the last look began
  due_at      INTEGER,                    -- the next look, or the end of the lease; none: when they are seen again.
                                          -- A look without delay has the negative of seen_at: the last seen comes first
  refresh_at  INTEGER,                    -- when the picture is old
  reason      TEXT,
  sha256      TEXT,
  PRIMARY KEY (account_key, subject_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX pictures_due ON pictures (account_key, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX pictures_by_object ON pictures (sha256) WHERE sha256 IS NOT NULL;
