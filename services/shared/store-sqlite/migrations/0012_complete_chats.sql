-- Up to when all messages of a chat are here, where it was read by itself or before the whole account was.

ALTER TABLE chats ADD COLUMN complete_up_to INTEGER;
