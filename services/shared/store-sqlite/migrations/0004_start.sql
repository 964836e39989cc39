-- Chats that are started from here.

-- Ids that chats had until UniPile named them.
CREATE TABLE chat_aliases (
  account_key INTEGER NOT NULL,
  id          TEXT NOT NULL,
  chat_key    INTEGER NOT NULL,
  PRIMARY KEY (account_key, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX chat_aliases_by_chat ON chat_aliases (account_key, chat_key);

-- Messages that started a chat, or may have.
CREATE INDEX outbox_starts ON outbox (account_key)
  WHERE phase IN (1, 2, 3, 5, 6) AND request->>'what' = 'start';

-- All messages of a chat.
CREATE INDEX outbox_by_chat ON outbox (account_key, chat_key);

-- Messages that wait for a person's word.
CREATE INDEX outbox_unconfirmed ON outbox (account_key) WHERE phase = 6;
