/** What a person at a browser may rely on, in the order of a day: open, receive, reload, lose the network. */
import { check, same } from "./lib/checks.mjs";
import { Screen } from "./lib/screen.mjs";
import { Contact } from "./lib/webhooks.mjs";

export async function scenario(browser, options) {
  const faults = [];
  const page = browser.pages()[0] ?? (await browser.newPage());
  page.on("pageerror", (error) => faults.push(error.message));
  const screen = new Screen(page, { origin: options.origin, gateway: options.wire.url, token: options.token });
  const contact = new Contact({ url: options.webhook, secretHeader: options.secretHeader, secret: options.secret });
  try {
    await receive(screen, contact, options);
    await comeBack(screen, contact);
    await loseTheNetwork(screen, contact, page, options);
    await beRefused(screen, page, options);
    await upload(screen, page, contact, options);
    await keepTheRules(screen, page);
    await check("no error on the page went uncaught", () => same("uncaught errors", faults, []));
  } catch (error) {
    await describe(screen, page, options, faults);
    throw error;
  }
}

async function receive(screen, contact, { screenshot }) {
  await check("a webhook is acknowledged", async () => {
    await contact.write("written before anyone looked");
  });

  await check("the page goes live through the gateway, from another origin", async () => {
    await screen.open();
    await screen.until("live");
  });

  await check("what arrived before is read from the lists", async () => {
    await screen.openChat(contact.chatId);
    await screen.message("written before anyone looked");
  });

  let first;
  let shown;
  await check("a webhook appears on the open page, and nothing is asked for it", async () => {
    screen.callsAbout(contact.accountId);
    const begin = performance.now();
    first = await contact.write("hello from a webhook");
    shown = await screen.message("hello from a webhook");
    const took = Math.round(performance.now() - begin);
    same("calls", screen.callsAbout(contact.accountId), []);
    return `${took} ms from sending to seeing`;
  });

  await check("an edit changes the message in its place", async () => {
    await contact.edit(first, "hello, with second thoughts");
    same("message", await screen.message("hello, with second thoughts"), shown);
    same("texts", await screen.texts(), ["written before anyone looked", "hello, with second thoughts"]);
    if (screenshot) await screen.page.screenshot({ path: screenshot });
  });
}

async function comeBack(screen, contact) {
  await check("a reloaded page resumes from its cursor, and reads no list again", async () => {
    await screen.leave();
    await contact.write("written while nobody looked");
    screen.callsAbout(contact.accountId);
    await screen.open();
    await screen.until("live");
    await screen.message("written while nobody looked");
    const before = ["written before anyone looked", "hello, with second thoughts", "written while nobody looked"];
    same("texts", await screen.texts(), before);
    same("calls", screen.callsAbout(contact.accountId), ["Watch"]);
    same("resets", await screen.count("resets"), 0);
  });

  await check("reloads amid a burst lose nothing and repeat nothing", async () => {
    const earlier = await screen.texts();
    const burst = Array.from({ length: 60 }, (_, index) => `burst ${index}`);
    const sending = sendAll(contact, burst, 6);
    for (const text of ["burst 10", "burst 30", "burst 50"]) {
      await screen.message(text);
      same("gaps", await screen.count("gaps"), 0);
      await screen.open();
    }
    await sending;
    for (const text of burst) await screen.message(text);
    same("texts", (await screen.texts()).sort(), [...earlier, ...burst].sort());
    same("resets and gaps", [await screen.count("resets"), await screen.count("gaps")], [0, 0]);
  });
}

/** Sends the texts, so many at a time. */
async function sendAll(contact, texts, lanes) {
  const rest = [...texts];
  const lane = async () => {
    for (let text = rest.shift(); text; text = rest.shift()) await contact.write(text);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

async function loseTheNetwork(screen, contact, page, { wire }) {
  await check("without a network the page keeps what it has, and catches up afterwards", async () => {
    const before = await screen.texts();
    wire.cut();
    await screen.until("waiting");
    await contact.write("written while offline");
    same("texts", await screen.texts(), before);
    wire.mend();
    await screen.message("written while offline");
    same("resets and gaps", [await screen.count("resets"), await screen.count("gaps")], [0, 0]);
  });

  await check("where the network holds streams back, the page polls and still sees a webhook", async () => {
    await page.route(/QueryService\/Watch$/, () => {});
    await screen.open({ patience: 500 });
    await screen.until("live");
    same("state", await screen.state(), "live: by polling");
    await contact.write("seen by polling");
    await screen.message("seen by polling");
    await screen.leave();
    await page.unrouteAll({ behavior: "ignoreErrors" });
  });
}

async function beRefused(screen, page, { foreign }) {
  await check("a wrong token is refused with a reason that the page can read", async () => {
    await screen.open({ token: "wrong" });
    await screen.until("refused");
    same("state", await screen.state(), "refused: TOKEN_INVALID");
    const failure = await page.evaluate(() => probes.unaryWithToken("wrong"));
    same("failure", failure, { code: "Unauthenticated", reason: "TOKEN_INVALID", domain: "channel" });
  });

  await check("the server ends a stream at its deadline of 1 s, and says so", async () => {
    await screen.open();
    const outcome = await page.evaluate(() => probes.watchWithDeadline("1S"));
    const { frames, milliseconds, ...failure } = outcome;
    same("failure", failure, { code: "DeadlineExceeded", reason: "DEADLINE_EXCEEDED", domain: "channel" });
    if (!frames || milliseconds < 950 || milliseconds > 5000) throw new Error(`odd: ${JSON.stringify(outcome)}`);
    return `ended after ${Math.round(milliseconds)} ms`;
  });

  await check("a page of an origin that is not allowed gets nothing", async () => {
    const blocked = page.waitForEvent("console", (message) => message.text().includes("blocked by CORS policy"));
    await screen.open({ origin: foreign });
    await blocked;
    await screen.until("waiting");
    same("texts", await page.locator("#chats").textContent(), "");
  });
}

async function upload(screen, page, { accountId }, { wire, token }) {
  await screen.open();
  const send = (request) =>
    page.evaluate(async ({ url, token, type, size }) => {
      const headers = { "content-type": type, ...(token && { authorization: `Bearer ${token}` }) };
      const answer = await fetch(url, { method: "POST", headers, body: new Uint8Array(size).fill(65) });
      return { status: answer.status, body: await answer.json() };
    }, request);
  const named = new URLSearchParams({ account_id: accountId, file_name: "letter.txt" });
  const url = `${wire.url}/v1/uploads?${named}`;

  await check("a page uploads a file over HTTP, from another origin", async () => {
    const { status, body } = await send({ url, token, type: "text/plain", size: 3_000_000 });
    same("answer", [status, body.kind, body.mimeType, body.sizeBytes], [
      200,
      "ATTACHMENT_KIND_DOCUMENT",
      "text/plain",
      "3000000",
    ]);
  });

  await check("without a token the page is told why its file is refused", async () => {
    const { status, body } = await send({ url, token: "", type: "text/plain", size: 10 });
    same("answer", [status, body.reason], [401, "TOKEN_MISSING"]);
  });
}

async function keepTheRules(screen, page) {
  await screen.open();
  for (const name of await page.evaluate(() => Object.keys(rules))) {
    await check(`rule: ${name}`, () => page.evaluate((rule) => rules[rule](), name));
  }
}

async function describe(screen, page, { screenshot }, faults) {
  console.log(`      the page says: ${await screen.state({ timeout: 500 }).catch(() => "nothing")}`);
  for (const fault of faults) console.log(`      uncaught on the page: ${fault}`);
  if (screenshot) await page.screenshot({ path: screenshot }).catch(() => {});
}
