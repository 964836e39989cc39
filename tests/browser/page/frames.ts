/** Where frames come from: Watch, or PollChanges where the network holds streams back. */
import { Code, ConnectError } from "@connectrpc/connect";
import type { WatchResponse } from "gen/channel/query/v1/watch_pb";
import type { Query } from "./client";

export interface Ask {
  accounts: { accountId: string; cursor: Uint8Array }[];
  clientId: string;
  schema: number;
}

/** A stream that says nothing for too long. */
export class Silence extends Error {
  constructor(readonly beforeHello: boolean) {
    super(beforeHello ? "no Hello" : "no frame for three heartbeats");
  }
}

/** The frames of one stream; a stream without its Hello in `patience`, or later without any frame, ends as Silence. */
export async function* watched(query: Query, ask: Ask, patience: number, signal: AbortSignal) {
  // Leaving the loop alone would not end the request.
  const request = new AbortController();
  const end = (reason: unknown) => request.abort(ConnectError.from(reason, Code.Canceled));
  const stop = () => end(signal.reason);
  signal.addEventListener("abort", stop);
  let silence: Silence | undefined;
  const wait = (milliseconds: number, beforeHello: boolean) =>
    setTimeout(() => end((silence = new Silence(beforeHello))), milliseconds);
  let watchdog = wait(patience, true);
  let allowed = 45_000;
  try {
    for await (const frame of query.watch(ask, { signal: request.signal })) {
      if (frame.frame.case === "hello") allowed = 3 * millis(frame.frame.value.heartbeatPeriod) || allowed;
      clearTimeout(watchdog);
      yield frame;
      watchdog = wait(allowed, false);
    }
  } catch (error) {
    throw silence ?? error;
  } finally {
    clearTimeout(watchdog);
    signal.removeEventListener("abort", stop);
    request.abort();
  }
}

/** The same frames, asked for again and again, each time with the cursors of the moment. */
export async function* polled(
  query: Query,
  first: Ask,
  next: () => Promise<Ask>,
  signal: AbortSignal,
): AsyncGenerator<WatchResponse> {
  let caughtUp = false;
  for (let ask = first; ; ask = await next()) {
    // Waiting is for changes still to come; those of the past are there to be taken.
    const wait = { seconds: caughtUp ? 20n : 0n };
    const { frames } = await query.pollChanges({ ...ask, wait }, { signal });
    for (const frame of frames) yield frame;
    caughtUp = frames.at(-1)?.frame.case === "bookmark";
  }
}

export const millis = (span?: { seconds: bigint; nanos: number }) =>
  span ? Number(span.seconds) * 1000 + span.nanos / 1e6 : 0;
