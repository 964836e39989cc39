-- A row of each table as the program sends it: one array of rows is a small fraction of the server's work
-- for one array per column. JSON travels as text.
--
-- A program knows the exact attributes of the types that it sends. So none of these is ever altered: a
-- migration that adds a column to a table adds a type of another name, and the old one goes when no
-- program that sends it runs any more.
CREATE TYPE webhook_inbox_row AS (
  id bigint, received_at bigint, account_key bigint, account text, headers text, body bytea,
  state smallint, reason text, detail text, next_at bigint, trace text);
CREATE TYPE webhook_inbox_update_row AS (
  id bigint, state smallint, reason text, detail text, account_key bigint);
CREATE TYPE account_row AS (
  account_key bigint, tenant text, phone text, phone_at bigint, phone_inbox bigint, reports text,
  connection smallint, rev bigint);
CREATE TYPE account_head_row AS (
  account_key bigint, head bigint, head_tag bigint, next_key bigint, heard_at bigint);
CREATE TYPE change_log_row AS (
  account_key bigint, seq bigint, tag bigint, body_hash bigint, unit_end boolean, op smallint,
  entity smallint, entity_id text, at bigint, body bytea, trace text);
CREATE TYPE chat_row AS (
  account_key bigint, chat_key bigint, id text, provider_id text, kind smallint, own_name text,
  subject text, subject_at bigint, subject_inbox bigint, counterparty_key bigint,
  counterparty_at bigint, counterparty_inbox bigint, pinned boolean, pinned_at bigint,
  pinned_inbox bigint, archived boolean, muted_until bigint, read_only boolean, read_up_to bigint,
  unread integer, last text, place bytea, words text, rev bigint);
CREATE TYPE attendee_row AS (
  account_key bigint, attendee_key bigint, id text, is_self boolean, name text, phone text,
  claims text, words text, rev bigint);
CREATE TYPE person_link_row AS (
  account_key bigint, kind text, value text, attendee_key bigint, since_at bigint,
  since_inbox bigint);
CREATE TYPE chat_attendee_row AS (
  account_key bigint, chat_key bigint, attendee_key bigint, since_at bigint, since_inbox bigint);
CREATE TYPE message_row AS (
  account_key bigint, message_key bigint, id uuid, upstream_id text, provider_id text,
  chat_key bigint, sender_key bigint, outgoing boolean, origin smallint, text text,
  is_event boolean, event_number integer, hidden boolean, forwarded boolean, quoted text,
  content_at bigint, content_inbox bigint, sent_at bigint, arrived_at bigint,
  arrived_inbox bigint, status smallint, delivered_claimed bigint, delivered_arrived bigint,
  read_claimed bigint, read_arrived bigint, edit_text text, edit_at bigint, edit_inbox bigint,
  deleted_at bigint, counts boolean, files integer, reactions integer, place bytea, rev bigint);
CREATE TYPE message_words_row AS (
  account_key bigint, message_key bigint, place bytea, span integer, words text);
CREATE TYPE attachment_row AS (
  account_key bigint, message_key bigint, "position" integer, file text);
CREATE TYPE reaction_row AS (
  account_key bigint, message_key bigint, actor_key bigint, emoji text, at bigint, inbox bigint);
CREATE TYPE message_version_row AS (
  account_key bigint, message_key bigint, at bigint, inbox bigint, text text);
CREATE TYPE parked_fact_row AS (
  account_key bigint, upstream_id text, at bigint, inbox bigint, fact text);
CREATE TYPE work_item_row AS (
  account_key bigint, kind smallint, subject text, created_at bigint);
