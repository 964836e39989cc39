/**
 * What the page keeps in IndexedDB: rows, the windows of lists that were read, and cursors. They lie in one
 * database because a cursor claims that the rows are there: both change in one transaction, or not at all.
 */
import type { Account } from "gen/channel/types/v1/account_pb";
import type { Chat } from "gen/channel/types/v1/chat_pb";
import type { Message } from "gen/channel/types/v1/message_pb";

export interface Kinds {
  account: Account;
  chat: Chat;
  message: Message;
}
export type Kind = keyof Kinds;

/** One entity. A row without a value says that the entity is gone since `revision`. */
export interface Row<K extends Kind = Kind> {
  accountId: string;
  kind: K;
  id: string;
  /** The chat of a message; empty for the other kinds. */
  chatId: string;
  revision: bigint;
  value?: Kinds[K];
}

/** Up to where the changes of an account are in the rows. */
export interface Cursor {
  accountId: string;
  cursor: Uint8Array;
  seq: bigint;
}

/** A list whose newest end was read and is kept up to date since: a chat's messages, or with no chat the chats. */
export interface Window {
  accountId: string;
  chatId: string;
  /** Sort key of the oldest row read; what lies below is not all here. Empty: everything was read. */
  from: string;
}

const STORES = ["rows", "windows", "cursors"] as const;

const ofAccount = (accountId: string) => IDBKeyRange.bound([accountId], [accountId, []]);

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

export class Cache {
  private constructor(private readonly database: IDBDatabase) {}

  static async open(name: string): Promise<Cache> {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => {
      const rows = request.result.createObjectStore("rows", { keyPath: ["accountId", "kind", "id"] });
      rows.createIndex("chat", ["accountId", "kind", "chatId"]);
      request.result.createObjectStore("windows", { keyPath: ["accountId", "chatId"] });
      request.result.createObjectStore("cursors", { keyPath: "accountId" });
    };
    return new Cache(await done(request));
  }

  /** Runs `work` in one transaction. What it throws undoes all of it; it may await nothing but the rows. */
  async write<T>(work: (rows: Writing) => Promise<T>): Promise<T> {
    const transaction = this.database.transaction(STORES, "readwrite");
    const committed = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error ?? new Error("the transaction was undone"));
    });
    const working = work(new Writing(transaction)).catch((error) => {
      transaction.abort();
      throw error;
    });
    const [result] = await Promise.all([working, committed]);
    return result;
  }

  cursors(): Promise<Cursor[]> {
    return done(this.store("cursors").getAll());
  }

  windows(): Promise<Window[]> {
    return done(this.store("windows").getAll());
  }

  /** The rows of a kind that exist; of messages those of one chat. */
  async rows<K extends Kind>(accountId: string, kind: K, chatId = ""): Promise<Kinds[K][]> {
    const index = this.store("rows").index("chat");
    const found: Row<K>[] = await done(index.getAll([accountId, kind, chatId]));
    return found.flatMap(({ value }) => (value ? [value] : []));
  }

  private store(name: (typeof STORES)[number]): IDBObjectStore {
    return this.database.transaction(name).objectStore(name);
  }
}

/** What can be done within one transaction. */
export class Writing {
  private readonly rows: IDBObjectStore;
  private readonly windows: IDBObjectStore;
  private readonly cursors: IDBObjectStore;

  constructor(transaction: IDBTransaction) {
    this.rows = transaction.objectStore("rows");
    this.windows = transaction.objectStore("windows");
    this.cursors = transaction.objectStore("cursors");
  }

  /** The newer revision stays, whichever comes first: lists and the stream overlap. */
  async put(row: Row): Promise<void> {
    const kept: Row | undefined = await done(this.rows.get([row.accountId, row.kind, row.id]));
    if (!kept || kept.revision < row.revision) await done(this.rows.put(row));
  }

  /** Gives the messages of one chat to another. */
  async moveMessages(accountId: string, from: string, to: string): Promise<void> {
    const found: Row<"message">[] = await done(this.rows.index("chat").getAll([accountId, "message", from]));
    for (const row of found) {
      if (row.value) row.value.chatId = to;
      await done(this.rows.put({ ...row, chatId: to }));
    }
    await this.dropWindow(accountId, from);
    await this.dropWindow(accountId, to);
  }

  /** Forgets the messages of a chat; whoever shows them reads them again. */
  async dropMessages(accountId: string, chatId: string): Promise<void> {
    const keys = await done(this.rows.index("chat").getAllKeys([accountId, "message", chatId]));
    for (const key of keys) await done(this.rows.delete(key));
    await this.dropWindow(accountId, chatId);
  }

  /** Forgets everything of an account but its cursor. */
  async dropAccount(accountId: string): Promise<void> {
    await done(this.rows.delete(ofAccount(accountId)));
    await done(this.windows.delete(ofAccount(accountId)));
  }

  putWindow(window: Window): Promise<unknown> {
    return done(this.windows.put(window));
  }

  putCursor(cursor: Cursor): Promise<unknown> {
    return done(this.cursors.put(cursor));
  }

  dropCursor(accountId: string): Promise<unknown> {
    return done(this.cursors.delete(accountId));
  }

  private dropWindow(accountId: string, chatId: string): Promise<unknown> {
    return done(this.windows.delete([accountId, chatId]));
  }
}
