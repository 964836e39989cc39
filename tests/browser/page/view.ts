/** Draws the screen from what is stored, and from nothing else. Texts are set as texts, never as markup. */
import { type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import { AttachmentKind } from "gen/channel/types/v1/attachment_pb";
import type { Chat } from "gen/channel/types/v1/chat_pb";
import { ConnectionState } from "gen/channel/types/v1/connection_pb";
import { ContentKind, EventKind, type Message, MessageDirection, MessageStatus } from "gen/channel/types/v1/message_pb";
import type { Cache } from "./cache";
import type { ChatRef } from "./reader";

const TICKS: Partial<Record<MessageStatus, string>> = {
  [MessageStatus.PENDING]: "◷",
  [MessageStatus.SENT]: "✓",
  [MessageStatus.DELIVERED]: "✓✓",
  [MessageStatus.READ]: "✓✓ read",
  [MessageStatus.PLAYED]: "✓✓ played",
};

const clock = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hour12: false });

export async function draw(cache: Cache, open: ChatRef | undefined, onOpen: (chat: ChatRef) => void): Promise<void> {
  const windows = await cache.windows();
  const from = (accountId: string, chatId: string) =>
    windows.find((window) => window.accountId === accountId && window.chatId === chatId)?.from;

  const sections: HTMLElement[] = [];
  for (const { accountId } of await cache.cursors()) {
    const [account] = await cache.rows(accountId, "account");
    const chats = newestFirst(await cache.rows(accountId, "chat"), from(accountId, ""));
    const items = chats.map((chat) => chatItem(chat, chat.chatId === open?.chatId, onOpen));
    const state = words(ConnectionState[account?.connection?.state ?? ConnectionState.UNSPECIFIED]);
    const heading = element("h2", {}, account?.displayName ?? "", element("small", {}, state));
    sections.push(element("section", { "data-account": accountId }, heading, element("ul", {}, ...items)));
  }

  const messages = open ? await cache.rows(open.accountId, "message", open.chatId) : [];
  const shown = open ? newestFirst(messages, from(open.accountId, open.chatId)) : [];
  const items = shown.filter(({ hidden }) => !hidden).map(messageItem);
  document.querySelector("#chats")!.replaceChildren(...sections);
  document.querySelector("#messages")!.replaceChildren(...items.reverse());
}

/** The part of a list that is stored without holes; sort keys compare bytewise. */
function newestFirst<T extends { sortKey: string }>(rows: T[], from: string | undefined): T[] {
  if (from === undefined) return [];
  const above = rows.filter(({ sortKey }) => sortKey >= from);
  return above.sort((a, b) => (a.sortKey < b.sortKey ? 1 : -1));
}

function chatItem(chat: Chat, isOpen: boolean, onOpen: (chat: ChatRef) => void): HTMLElement {
  const last = chat.lastMessage;
  const preview = last?.deleted ? "Deleted" : last?.preview || kindOf(last?.contentKind, last?.attachmentKind);
  const unread = chat.unreadCount > 999 ? "999+" : String(chat.unreadCount || "");
  const button = element(
    "button",
    { "data-chat": chat.chatId, "aria-pressed": String(isOpen) },
    element("strong", {}, chat.title),
    element("time", {}, timeOf(last?.sentAt)),
    element("span", {}, preview),
    element("b", {}, unread),
  );
  button.addEventListener("click", () => onOpen({ accountId: chat.accountId, chatId: chat.chatId }));
  return element("li", {}, button);
}

function messageItem(message: Message): HTMLElement {
  const files = message.attachments.map((file) => element("i", {}, kindOf(ContentKind.MEDIA, file.kind)));
  const marks = [
    message.edited && !message.deleted ? "edited" : "",
    timeOf(message.sentAt),
    message.direction === MessageDirection.OUT ? (TICKS[message.status] ?? "") : "",
  ];
  const bubble = element(
    "p",
    { class: message.direction === MessageDirection.OUT ? "out" : "in" },
    ...files,
    element("span", {}, textOf(message)),
    element("small", {}, marks.filter(Boolean).join(" · ")),
    element("b", {}, message.reactions.map(({ emoji }) => emoji).join(" ")),
  );
  return element("li", { "data-message": message.messageId }, bubble);
}

function textOf(message: Message): string {
  if (message.deleted) return "This message was deleted";
  if (message.text || message.attachments.length) return message.text;
  if (message.event) return words(EventKind[message.event.kind]);
  return kindOf(message.contentKind);
}

function kindOf(content = ContentKind.UNSPECIFIED, attachment = AttachmentKind.UNSPECIFIED): string {
  if (content === ContentKind.UNSUPPORTED) return "Not supported on this channel";
  if (content === ContentKind.MEDIA) return `[${words(AttachmentKind[attachment])}]`;
  return content === ContentKind.EVENT ? "Event" : "";
}

/** The name of an enum's value for people; empty for the value that means nothing. */
function words(name: string | undefined): string {
  return !name || name === "UNSPECIFIED" ? "" : name.toLowerCase().replaceAll("_", " ");
}

const timeOf = (at?: Timestamp) => (at ? clock.format(timestampDate(at)) : "");

function element(name: string, attributes: Record<string, string>, ...children: (Node | string)[]): HTMLElement {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== ""));
  return made;
}
