/** The client's rules against scripted streams: what a healthy server hardly ever sends. The test runs each in the browser. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { ListChatsResponseSchema } from "gen/channel/query/v1/chats_pb";
import { ListMessagesResponseSchema } from "gen/channel/query/v1/messages_pb";
import { type WatchRequest, WatchResponseSchema } from "gen/channel/query/v1/watch_pb";
import { ChangeKind, type ChangeSchema, EntityKind } from "gen/channel/types/v1/change_pb";
import { Cache } from "./cache";
import type { Query } from "./client";
import { counts, Follower } from "./follow";
import { Reader } from "./reader";

type Frame = MessageInitShape<typeof WatchResponseSchema>["frame"];
type Change = MessageInitShape<typeof ChangeSchema>;

/** Holds the stream back until something has happened. */
type Hold = () => Promise<void>;

const accountId = "account";
const at = (seq: bigint) => new Uint8Array([Number(seq)]);
const position = (seq: bigint) => ({ accountId, seq, head: seq, cursor: at(seq) });
const hello = (seq: bigint): Frame => ({ case: "hello", value: { accounts: [position(seq)] } });
const reset = (seq: bigint): Frame => ({ case: "reset", value: { accountId, seq, cursor: at(seq) } });

function run(prevSeq: bigint, changes: Change[], more = false): Frame {
  const numbered = changes.map((change, index) => ({ ...change, seq: prevSeq + BigInt(index) + 1n }));
  const cursor = more ? new Uint8Array() : at(prevSeq + BigInt(changes.length));
  return { case: "changes", value: { accountId, prevSeq, changes: numbered, cursor, more } };
}

function text(messageId: string, words: string, revision: bigint, chatId = "chat"): Change {
  const value = { accountId, chatId, messageId, text: words, revision, sortKey: messageId };
  return { op: ChangeKind.PUT, entityKind: EntityKind.MESSAGE, entityId: messageId, entity: { case: "message", value } };
}

/** A server that sends the given frames on its first streams, and afterwards keeps them open in silence. */
class Script {
  readonly asked: WatchRequest[] = [];
  readonly reads: string[] = [];
  messages: () => Promise<Change[]> = async () => [];

  private readonly streams: (Frame | Hold)[][] = [];

  /** Holds a stream back until the chat on the screen is being read, or was. */
  readonly reading: Hold = () => until("a read", () => this.reads.length > 0);

  /** Adds what the server sends next. */
  stream(...steps: (Frame | Hold)[]): this {
    this.streams.push(steps);
    return this;
  }

  query(): Query {
    const script = this;
    const calls = {
      listAccounts: async () => ({ accounts: [{ accountId }], nextPageToken: "" }),
      getAccount: async () => ({}),
      listChats: async () => create(ListChatsResponseSchema),
      listMessages: async () => {
        script.reads.push("listMessages");
        const messages = (await script.messages()).map(({ entity }) => entity!.value as { messageId: string });
        return create(ListMessagesResponseSchema, { messages });
      },
      async *watch(ask: WatchRequest, { signal }: { signal: AbortSignal }) {
        script.asked.push(ask);
        for (const step of script.streams.shift() ?? []) {
          if (typeof step === "function") await step();
          else yield create(WatchResponseSchema, { frame: step });
        }
        await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      },
    };
    return calls as unknown as Query;
  }
}

/** A page without a screen, on a database of its own. */
async function page(script: Script, seq = 0n) {
  const cache = await Cache.open(`rules-${crypto.randomUUID()}`);
  if (seq) await cache.write((rows) => rows.putCursor({ accountId, cursor: at(seq), seq }));
  const stop = new AbortController();
  const reader = new Reader(script.query(), cache, () => {}, stop.signal);
  reader.open = { accountId, chatId: "chat" };
  const options = { clientId: "rules", patience: 60_000 };
  const follower = new Follower(script.query(), cache, reader, options, () => {}, () => {});
  void follower.run(stop.signal);
  const texts = async (chatId = "chat") => (await cache.rows(accountId, "message", chatId)).map((row) => row.text).sort();
  const seqOf = async () => (await cache.cursors())[0]?.seq;
  return { cache, texts, seqOf, read: reader.refresh, stop: () => stop.abort() };
}

/** Waits for what is told, for five seconds. */
async function until(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  const end = performance.now() + 5000;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function same(found: unknown, wanted: unknown): void {
  if (String(found) !== String(wanted)) throw new Error(`found ${found}, wanted ${wanted}`);
}

export const rules: Record<string, () => Promise<void>> = {
  async "what was applied already is dropped"() {
    const script = new Script().stream(hello(3n), run(2n, [text("m", "old", 3n)]), run(3n, [text("m", "new", 4n)]));
    const { texts, seqOf, stop } = await page(script, 3n);
    await until("the new change", async () => (await seqOf()) === 4n);
    same(await texts(), ["new"]);
    same(script.asked.length, 1);
    stop();
  },

  async "a gap is never applied: the stream is opened again at the stored cursor"() {
    const lost = [hello(3n), run(3n, [text("a", "a", 4n)]), run(5n, [text("c", "c", 6n)])];
    const whole = [hello(4n), run(4n, [text("b", "b", 5n), text("c", "c", 6n)])];
    const script = new Script().stream(...lost).stream(...whole);
    const before = counts.gaps;
    const { texts, seqOf, stop } = await page(script, 3n);
    await until("the second stream", async () => (await seqOf()) === 6n);
    same(await texts(), ["a", "b", "c"]);
    same(script.asked.map(({ accounts }) => accounts[0]!.cursor), [at(3n), at(4n)]);
    same(counts.gaps, before + 1);
    stop();
  },

  async "a bookmark ahead of what came is a gap too"() {
    const ahead: Frame = { case: "bookmark", value: { accounts: [position(5n)] } };
    const script = new Script().stream(hello(3n), ahead);
    const { stop } = await page(script, 3n);
    await until("the second stream", () => script.asked.length === 2);
    stop();
  },

  async "silence for three heartbeats is the end of a stream"() {
    const often: Frame = { case: "hello", value: { accounts: [position(3n)], heartbeatPeriod: { nanos: 20_000_000 } } };
    const script = new Script().stream(often);
    const { stop } = await page(script, 3n);
    await until("the second stream", () => script.asked.length === 2);
    stop();
  },

  async "a unit in parts is stored when it is whole, and not before"() {
    const goodbye: Frame = { case: "goodbye", value: {} };
    const first = run(3n, [text("a", "a", 4n)], true);
    const script = new Script().stream(hello(3n), first, goodbye).stream(hello(3n), first, run(4n, [text("b", "b", 5n)]));
    const { texts, seqOf, stop } = await page(script, 3n);
    await until("the whole unit", async () => (await seqOf()) === 5n);
    same(await texts(), ["a", "b"]);
    same(script.asked.map(({ accounts }) => accounts[0]!.cursor), [at(3n), at(3n)]);
    stop();
  },

  async "a page that was read before a change and comes after it brings nothing old back"() {
    const remove = { op: ChangeKind.DELETE, entityKind: EntityKind.MESSAGE, entityId: "b" };
    const script = new Script().stream(hello(3n), run(3n, [text("a", "new", 4n), remove]));
    const { texts, seqOf, stop, cache } = await page(script, 3n);
    script.messages = async () => {
      await until("the changes", async () => (await seqOf()) === 5n);
      return [text("a", "old", 2n), text("b", "deleted", 3n)];
    };
    await until("the page", async () => (await cache.windows()).some(({ chatId }) => chatId === "chat"));
    same(await texts(), ["new"]);
    stop();
  },

  async "a reset drops what is stored, takes the cursor, and voids what is being read"() {
    const script = new Script();
    script.stream(hello(3n), run(3n, [text("a", "before", 4n)]), script.reading, reset(9n));
    const { texts, seqOf, stop } = await page(script, 3n);
    script.messages = async () => {
      await until("the reset", async () => (await seqOf()) === 9n);
      return [text("b", `read ${script.reads.length}`, 8n)];
    };
    await until("a read after it", async () => `${await texts()}` === "read 2");
    stop();
  },

  async "an account that is withdrawn leaves nothing behind, whatever is being read"() {
    const withdrawn: Frame = { case: "reset", value: { accountId, seq: 0n } };
    const script = new Script().stream(hello(3n), run(3n, [text("a", "a", 4n)]), withdrawn);
    const { texts, cache, read, stop } = await page(script, 3n);
    await until("the withdrawal", async () => (await cache.cursors()).length === 0);
    await read();
    same([await texts(), await cache.windows()], [[], []]);
    stop();
  },

  async "an invalidated chat is read again"() {
    const invalidate = { op: ChangeKind.INVALIDATE, entityKind: EntityKind.CHAT, entityId: "chat" };
    const script = new Script();
    script.stream(hello(3n), run(3n, [text("a", "a", 4n)]), script.reading, run(4n, [invalidate]));
    const { texts, seqOf, stop } = await page(script, 3n);
    script.messages = async () => {
      await until("the invalidation", async () => (await seqOf()) === 5n);
      return [text("b", `read ${script.reads.length}`, 5n)];
    };
    await until("a read after it", async () => `${await texts()}` === "read 2");
    stop();
  },

  async "the messages of a provisional chat move to the real one"() {
    const merge = { op: ChangeKind.MERGE, entityKind: EntityKind.CHAT, entityId: "local", mergedIntoId: "chat" };
    const script = new Script().stream(hello(3n), run(3n, [text("a", "a", 4n, "local"), merge]));
    const { texts, seqOf, stop } = await page(script, 3n);
    await until("the merge", async () => (await seqOf()) === 5n);
    same([await texts("local"), await texts("chat")], [[], ["a"]]);
    stop();
  },
};
