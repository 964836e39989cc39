-- With which change the members of a chat last changed.

ALTER TABLE chats ADD COLUMN members_rev INTEGER NOT NULL DEFAULT 0;
