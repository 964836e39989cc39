/** What each change does to the rows. Knows no network: it runs inside the transaction that stores the cursor. */
import type { Account } from "gen/channel/types/v1/account_pb";
import { type Change, ChangeKind, EntityKind } from "gen/channel/types/v1/change_pb";
import type { Chat } from "gen/channel/types/v1/chat_pb";
import type { Message } from "gen/channel/types/v1/message_pb";
import type { Kind, Row, Writing } from "./cache";

const KEPT: Partial<Record<EntityKind, Kind>> = {
  [EntityKind.ACCOUNT]: "account",
  [EntityKind.CHAT]: "chat",
  [EntityKind.MESSAGE]: "message",
};

/** Applies one change of an account. Changes and entities of kinds that this page does not know are ignored. */
export async function apply(rows: Writing, accountId: string, change: Change): Promise<void> {
  const kind = KEPT[change.entityKind];
  if (!kind) return;
  switch (change.op) {
    case ChangeKind.PUT:
      return put(rows, change);
    case ChangeKind.DELETE:
      return remove(rows, accountId, kind, change);
    case ChangeKind.MERGE:
      if (kind === "chat") await rows.moveMessages(accountId, change.entityId, change.mergedIntoId);
      return remove(rows, accountId, kind, change);
    case ChangeKind.INVALIDATE:
      if (kind === "chat") return rows.dropMessages(accountId, change.entityId);
      if (kind === "account") return rows.dropAccount(accountId);
  }
}

/** True when rows that are being read right now may no longer be stored. */
export const invalidates = (change: Change) => change.op === ChangeKind.INVALIDATE || change.op === ChangeKind.MERGE;

export function rowOf(value: Account | Chat | Message): Row {
  const { accountId, revision } = value;
  switch (value.$typeName) {
    case "channel.types.v1.Account":
      return { accountId, kind: "account", id: accountId, chatId: "", revision, value };
    case "channel.types.v1.Chat":
      return { accountId, kind: "chat", id: value.chatId, chatId: "", revision, value };
    case "channel.types.v1.Message":
      return { accountId, kind: "message", id: value.messageId, chatId: value.chatId, revision, value };
  }
}

async function put(rows: Writing, { entity }: Change): Promise<void> {
  if (entity.case === "account" || entity.case === "chat" || entity.case === "message") {
    await rows.put(rowOf(entity.value));
  }
}

async function remove(rows: Writing, accountId: string, kind: Kind, change: Change): Promise<void> {
  if (kind === "chat") await rows.dropMessages(accountId, change.entityId);
  // The row stays without a value, so that an older page, still on its way, does not bring it back.
  await rows.put({ accountId, kind, id: change.entityId, chatId: "", revision: change.seq });
}
