/** Debian's Chromium without a window, with a profile of its own. */
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** `hosts` are names that lead to this port of loopback, so that the pages' origins are the same in every run. */
export async function launch({ executable, profile, hosts, port }) {
  if (!existsSync(executable)) throw new Error(`${executable} is missing: run tests/setup`);
  const rules = hosts.map((host) => `MAP ${host}:80 127.0.0.1:${port}`).join(", ");
  return chromium.launchPersistentContext(profile, {
    executablePath: executable,
    args: [...FLAGS, `--host-resolver-rules=${rules}`],
    viewport: { width: 1100, height: 700 },
  });
}
