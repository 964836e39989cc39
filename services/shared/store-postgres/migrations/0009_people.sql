-- One person under several ids, and what the team says of people.

ALTER TABLE attendees ADD COLUMN ties jsonb;      -- the team's word, and the others who are the same person

ALTER TABLE person_links ADD COLUMN source smallint NOT NULL DEFAULT 3;  -- who said so; 3 is a message

CREATE TYPE attendee_row_2 AS (
  account_key bigint, attendee_key bigint, id text, is_self boolean, name text, phone text,
  claims text, ties text, words text, rev bigint);
CREATE TYPE person_link_row_2 AS (
  account_key bigint, kind text, value text, attendee_key bigint, since_at bigint,
  since_inbox bigint, source smallint);
CREATE TYPE chat_attendee_row_2 AS (
  account_key bigint, chat_key bigint, attendee_key bigint, since_at bigint, since_inbox bigint,
  seen_at bigint, left_at bigint);
