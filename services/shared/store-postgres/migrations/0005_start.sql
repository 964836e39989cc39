-- Chats that are started from here.

-- Ids that chats had until UniPile named them.
CREATE TABLE chat_aliases (
  account_key bigint NOT NULL,
  id          text NOT NULL,
  chat_key    bigint NOT NULL,
  PRIMARY KEY (account_key, id)
);
CREATE INDEX chat_aliases_by_chat ON chat_aliases (account_key, chat_key);

-- Messages that started a chat, or may have.
CREATE INDEX outbox_starts ON outbox (account_key)
  WHERE phase IN (1, 2, 3, 5, 6) AND request->>'what' = 'start';

-- All messages of a chat.
CREATE INDEX outbox_by_chat ON outbox (account_key, chat_key);

-- Messages that wait for a person's word.
CREATE INDEX outbox_unconfirmed ON outbox (account_key) WHERE phase = 6;

CREATE TYPE chat_alias_row AS (account_key bigint, id text, chat_key bigint);
CREATE TYPE gone_chat_row AS (account_key bigint, chat_key bigint, became bigint);
