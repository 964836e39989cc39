/** Reads what is on the screen and not yet stored. Only ever after the stream is open, so that nothing falls between. */
import type { Account } from "gen/channel/types/v1/account_pb";
import type { Chat } from "gen/channel/types/v1/chat_pb";
import type { Message } from "gen/channel/types/v1/message_pb";
import { rowOf } from "./apply";
import type { Cache, Cursor, Window } from "./cache";
import type { Query } from "./client";
import { delayAfter, pause } from "./pause";
import { coalesced } from "./repeat";

const PAGE_SIZE = 50;

export interface ChatRef {
  accountId: string;
  chatId: string;
}

/** Tells whether what is being read of an account has become void. */
type Discarded = (accountId: string) => boolean;

export class Reader {
  /** The conversation on the screen. */
  open?: ChatRef;
  /** Reads the windows on the screen that are missing; while that fails, tries again. */
  readonly refresh = coalesced(() => this.readMissing());
  private readonly generations = new Map<string, number>();
  private failures = 0;

  constructor(
    private readonly query: Query,
    private readonly cache: Cache,
    private readonly stored: () => void,
    private readonly signal: AbortSignal,
  ) {}

  /** What is being read of this account right now is void. Comes before the write that drops what is stored. */
  discard(accountId: string): void {
    this.generations.set(accountId, (this.generations.get(accountId) ?? 0) + 1);
  }

  private since(): Discarded {
    const now = new Map(this.generations);
    return (accountId) => now.get(accountId) !== this.generations.get(accountId);
  }

  private async readMissing(): Promise<void> {
    const discarded = this.since();
    try {
      const windows = await this.cache.windows();
      const isMissing = (accountId: string, chatId: string) =>
        !windows.some((window) => window.accountId === accountId && window.chatId === chatId);
      for (const cursor of await this.cache.cursors()) {
        const chatId = this.open?.accountId === cursor.accountId ? this.open.chatId : "";
        if (isMissing(cursor.accountId, "")) await this.readChats(cursor, discarded);
        if (chatId && isMissing(cursor.accountId, chatId)) await this.readMessages(cursor, chatId, discarded);
      }
      this.failures = 0;
    } catch {
      await pause(delayAfter(this.failures++), this.signal);
      if (!this.signal.aborted) void this.refresh();
    }
  }

  private async readChats({ accountId, seq }: Cursor, discarded: Discarded): Promise<void> {
    const minAsOf = seq ? [{ accountId, seq }] : [];
    const { account } = await this.query.getAccount({ accountId, minAsOfSeq: seq });
    const page = await this.query.listChats({ accountIds: [accountId], pageSize: PAGE_SIZE, minAsOf });
    const from = page.nextPageToken ? page.chats.at(-1)!.sortKey : "";
    await this.store({ accountId, chatId: "", from }, [...(account ? [account] : []), ...page.chats], discarded);
  }

  private async readMessages({ accountId, seq }: Cursor, chatId: string, discarded: Discarded): Promise<void> {
    const page = await this.query.listMessages({ accountId, chatId, pageSize: PAGE_SIZE, minAsOfSeq: seq });
    const from = page.nextPageToken ? page.messages.at(-1)!.sortKey : "";
    await this.store({ accountId, chatId, from }, page.messages, discarded);
  }

  private async store(window: Window, values: (Account | Chat | Message)[], discarded: Discarded): Promise<void> {
    await this.cache.write(async (rows) => {
      if (discarded(window.accountId)) return;
      for (const value of values) await rows.put(rowOf(value));
      await rows.putWindow(window);
    });
    this.stored();
  }
}
