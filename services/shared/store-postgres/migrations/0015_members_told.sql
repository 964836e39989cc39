-- With which change the members of a chat last changed.

ALTER TABLE chats ADD COLUMN members_rev bigint NOT NULL DEFAULT 0;

CREATE TYPE members_told_row AS (account_key bigint, chat_key bigint, rev bigint);
