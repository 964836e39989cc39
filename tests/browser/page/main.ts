/**
 * The page. Its address carries what it needs after the `#`, which a browser sends to no server:
 * `#gateway=http://127.0.0.1:8080&token=…&patience=10000`.
 */
import { Cache } from "./cache";
import { connect } from "./client";
import { counts, Follower, type State } from "./follow";
import { probes } from "./probes";
import { type ChatRef, Reader } from "./reader";
import { coalesced } from "./repeat";
import { rules } from "./rules";
import { draw } from "./view";

const settings = new URLSearchParams(location.hash.slice(1));
const gateway = { baseUrl: settings.get("gateway") ?? "", token: settings.get("token") ?? "" };
const patience = Number(settings.get("patience") ?? 10_000);

// Before anything is awaited, so that it is there once the page is loaded.
Object.assign(globalThis, { probes: probes(gateway), rules });

const leaving = new AbortController();
const cache = await Cache.open("channel");
const query = connect(gateway);
const reader = new Reader(query, cache, () => void redraw(), leaving.signal);
const remembered = sessionStorage.getItem("open");
if (remembered) reader.open = JSON.parse(remembered);

const redraw = coalesced(async () => {
  await draw(cache, reader.open, open);
  for (const [name, count] of Object.entries(counts)) {
    document.querySelector(`[data-count="${name}"]`)!.textContent = String(count);
  }
});

function open(chat: ChatRef): void {
  reader.open = chat;
  sessionStorage.setItem("open", JSON.stringify(chat));
  void redraw();
  void reader.refresh();
}

function tell(state: State, detail: string): void {
  document.body.dataset.state = state;
  document.querySelector("#state")!.textContent = detail ? `${state}: ${detail}` : state;
  void redraw();
}

/** One name per browser, for as long as it keeps its data. */
function clientId(): string {
  const known = localStorage.getItem("client-id") ?? crypto.randomUUID();
  localStorage.setItem("client-id", known);
  return known;
}

addEventListener("pagehide", () => leaving.abort());

// What is stored is shown at once, with or without a network.
await redraw();
const follower = new Follower(query, cache, reader, { clientId: clientId(), patience }, tell, () => void redraw());
await follower.run(leaving.signal);
