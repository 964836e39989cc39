/**
 * A real browser opens Watch through the gateway and sees webhooks arrive. See README.md for the command line.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { launch } from "./lib/browser.mjs";
import { build } from "./lib/build.mjs";
import { relay } from "./lib/relay.mjs";
import { serve } from "./lib/serve.mjs";
import { files } from "./files.mjs";
import { scenario } from "./scenario.mjs";

const OWN = "page.localhost";
const FOREIGN = "foreign.localhost";
const LIMIT_SECONDS = 60;

const { values: options } = parseArgs({
  options: {
    gateway: { type: "string" },
    token: { type: "string" },
    webhook: { type: "string" },
    "secret-header": { type: "string", default: "Unipile-Auth" },
    secret: { type: "string" },
    links: { type: "string" },
    screenshot: { type: "string" },
    chromium: { type: "string", default: "/usr/bin/chromium" },
  },
});
const needed = options.links ? ["gateway"] : ["gateway", "token", "webhook", "secret"];
for (const name of needed) {
  if (!options[name]) {
    console.error(`usage: --${name} is missing, see README.md`);
    process.exit(64);
  }
}

const limit = setTimeout(() => {
  console.log(`FAIL  not done within ${LIMIT_SECONDS} s`);
  process.exit(1);
}, LIMIT_SECONDS * 1000);

const work = await mkdtemp(join(tmpdir(), "channel-browser-"));
const undo = [() => rm(work, { recursive: true, force: true })];
try {
  const wire = await relay(options.gateway);
  undo.unshift(wire.stop);
  const server = await serve(await build(work), wire.url);
  undo.unshift(server.stop);
  const profile = join(work, "profile");
  const browser = await launch({ executable: options.chromium, profile, hosts: [OWN, FOREIGN], port: server.port });
  undo.unshift(() => browser.close());
  const play = options.links ? files : scenario;
  await play(browser, {
    ...options,
    links: options.links && JSON.parse(options.links),
    wire,
    secretHeader: options["secret-header"],
    origin: `http://${OWN}`,
    foreign: `http://${FOREIGN}`,
  });
} catch (error) {
  const words = [error.message, error.cause?.message].filter(Boolean).join(": ");
  console.log(words.replace(/^/gm, "      ").trimEnd());
  process.exitCode = 1;
} finally {
  for (const step of undo) await step();
  clearTimeout(limit);
}
