/** Follows all accounts live: the rules by which a client stays complete, whatever happens to it or to the stream. */
import type { Changes, Goodbye, Hello, Reset, WatchResponse } from "gen/channel/query/v1/watch_pb";
import { GoodbyeReason } from "gen/channel/query/v1/watch_pb";
import { type Change, ChangeKind, EntityKind } from "gen/channel/types/v1/change_pb";
import { Code, ConnectError } from "@connectrpc/connect";
import { apply, invalidates } from "./apply";
import type { Cache } from "./cache";
import { failureOf, isFinal, type Query } from "./client";
import { type Ask, millis, polled, Silence, watched } from "./frames";
import { delayAfter, pause } from "./pause";
import type { Reader } from "./reader";

export type State = "connecting" | "live" | "waiting" | "refused";

export interface Options {
  /** Names this browser in the server's logs and limits. */
  clientId: string;
  /** Milliseconds to wait for a Hello before the network is taken for one that holds streams back. */
  patience: number;
}

/** What happened so far; every gap is a fault of the server. */
export const counts = { streams: 0, polls: 0, changes: 0, resets: 0, gaps: 0 };

export class Follower {
  /** Sequence of the last change applied, for each account. */
  private positions = new Map<string, bigint>();
  /** Changes of a unit whose end has not come yet. */
  private held = new Map<string, Change[]>();
  private failures = 0;

  constructor(
    private readonly query: Query,
    private readonly cache: Cache,
    private readonly reader: Reader,
    private readonly options: Options,
    private readonly tell: (state: State, detail: string) => void,
    private readonly stored: () => void,
  ) {}

  /** Streams until it is told to stop, or until trying again is of no use. */
  async run(signal: AbortSignal): Promise<void> {
    let polling = false;
    while (!signal.aborted) {
      this.tell("connecting", "");
      try {
        const goodbye = await this.follow(polling, signal);
        if (goodbye.reason === GoodbyeReason.AUTH) return this.tell("refused", "the token has run out");
        await pause(millis(goodbye.retryAfter) || delayAfter(0), signal);
      } catch (error) {
        if (isFinal(error)) return this.tell("refused", failureOf(error).reason);
        polling = error instanceof Silence && error.beforeHello;
        if (polling) continue;
        this.tell("waiting", ConnectError.from(error).rawMessage);
        await pause(delayAfter(this.failures++), signal);
      }
    }
  }

  /** One stream, from its opening to its end. */
  private async follow(polling: boolean, signal: AbortSignal): Promise<Goodbye> {
    const ask = await this.ask();
    const frames = polling
      ? polled(this.query, ask, () => this.resume(), signal)
      : watched(this.query, ask, this.options.patience, signal);
    counts[polling ? "polls" : "streams"]++;
    for await (const frame of frames) {
      const goodbye = await this.take(frame, polling);
      if (goodbye) return goodbye;
    }
    throw new Error("the stream ended without a Goodbye");
  }

  /** All accounts: from the stored cursor, or from now. */
  private async ask(): Promise<Ask> {
    const resume = await this.resume();
    this.held.clear();
    const known = new Set(resume.accounts.map(({ accountId }) => accountId));
    let pageToken = "";
    do {
      const page = await this.query.listAccounts({ pageToken });
      for (const { accountId } of page.accounts) {
        if (!known.has(accountId)) resume.accounts.push({ accountId, cursor: new Uint8Array() });
      }
      pageToken = page.nextPageToken;
    } while (pageToken);
    return resume;
  }

  private async resume(): Promise<Ask> {
    const cursors = await this.cache.cursors();
    this.positions = new Map(cursors.map(({ accountId, seq }) => [accountId, seq]));
    const accounts = cursors.map(({ accountId, cursor }) => ({ accountId, cursor }));
    return { accounts, clientId: this.options.clientId, schema: 1 };
  }

  private async take({ frame }: WatchResponse, polling: boolean): Promise<Goodbye | undefined> {
    switch (frame.case) {
      case "hello":
        await this.begin(frame.value);
        break;
      case "changes":
        await this.change(frame.value);
        break;
      case "reset":
        await this.reset(frame.value);
        break;
      case "bookmark":
        for (const { accountId, seq } of frame.value.accounts) this.expect(accountId, seq);
        if (polling) this.live("by polling");
        break;
      case "caughtUp":
        this.live("");
        break;
      case "goodbye":
        return frame.value;
    }
  }

  private live(detail: string): void {
    this.failures = 0;
    this.tell("live", detail);
  }

  /** Accounts that are followed from now on get their first cursor; then what is on the screen is read. */
  private async begin({ accounts }: Hello): Promise<void> {
    const fresh = accounts.filter(({ accountId }) => !this.positions.has(accountId));
    await this.cache.write(async (rows) => {
      for (const { accountId, cursor, seq } of fresh) await rows.putCursor({ accountId, cursor, seq });
    });
    for (const { accountId, seq } of fresh) this.positions.set(accountId, seq);
    void this.reader.refresh();
  }

  /** Applies what follows what is stored, drops what is stored already, and takes all else for a loss. */
  private async change({ accountId, prevSeq, changes, cursor, more }: Changes): Promise<void> {
    const held = this.held.get(accountId) ?? [];
    const last = changes.at(-1)?.seq ?? prevSeq;
    const position = held.at(-1)?.seq ?? this.positions.get(accountId);
    if (position !== undefined && last <= position) return;
    this.expect(accountId, prevSeq, position);
    held.push(...changes);
    this.held.set(accountId, held);
    if (!more) await this.store(accountId, await this.completed(accountId, held), cursor, last);
  }

  /** Rows and cursor in one transaction: a page that is closed between two frames resumes without loss or repetition. */
  private async store(accountId: string, changes: Change[], cursor: Uint8Array, seq: bigint): Promise<void> {
    const invalid = changes.some(invalidates);
    if (invalid) this.reader.discard(accountId);
    await this.cache.write(async (rows) => {
      for (const change of changes) await apply(rows, accountId, change);
      await rows.putCursor({ accountId, cursor, seq });
    });
    this.held.delete(accountId);
    this.positions.set(accountId, seq);
    counts.changes += changes.length;
    this.stored();
    if (invalid) void this.reader.refresh();
  }

  private expect(accountId: string, seq: bigint, position = this.positions.get(accountId)): void {
    if (position === seq) return;
    counts.gaps++;
    throw new Error(`a gap in account ${accountId}: at ${position}, and the stream is at ${seq}`);
  }

  /** Drops what is stored of one account; the stream goes on at the new cursor, or without the account. */
  private async reset({ accountId, cursor, seq }: Reset): Promise<void> {
    counts.resets++;
    this.reader.discard(accountId);
    await this.cache.write(async (rows) => {
      await rows.dropAccount(accountId);
      if (cursor.length) await rows.putCursor({ accountId, cursor, seq });
      else await rows.dropCursor(accountId);
    });
    this.held.delete(accountId);
    if (cursor.length) this.positions.set(accountId, seq);
    else this.positions.delete(accountId);
    this.stored();
    void this.reader.refresh();
  }

  /** Reads the states that were too large for their changes. */
  private completed(accountId: string, changes: Change[]): Promise<Change[]> {
    return Promise.all(changes.map((change) => this.complete(accountId, change)));
  }

  private async complete(accountId: string, change: Change): Promise<Change> {
    if (change.op !== ChangeKind.PUT || change.entity.case) return change;
    const { entityKind, entityId, seq: minAsOfSeq } = change;
    try {
      if (entityKind === EntityKind.MESSAGE) {
        const { message } = await this.query.getMessage({ accountId, messageId: entityId, minAsOfSeq });
        if (message) change.entity = { case: "message", value: message };
      } else if (entityKind === EntityKind.CHAT) {
        const { chat } = await this.query.getChat({ accountId, chatId: entityId, minAsOfSeq });
        if (chat) change.entity = { case: "chat", value: chat };
      }
    } catch (error) {
      // Gone since: a later change says so.
      if (ConnectError.from(error).code !== Code.NotFound) throw error;
    }
    return change;
  }
}
