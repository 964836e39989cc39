/** What a page does with files by their links alone: it shows a picture, plays a sound from anywhere, saves the rest. */
import { check, same } from "./lib/checks.mjs";

export async function files(browser, { origin, wire, links }) {
  const page = browser.pages()[0] ?? (await browser.newPage());
  // Any document of the page's origin, under its rules, without the client.
  await page.goto(`${origin}/style.css`);
  const at = (link) => `${wire.url}${link}`;

  await check("an <img> shows a picture from a link", async () => {
    const size = await page.evaluate(async (src) => {
      const image = Object.assign(new Image(), { src });
      await image.decode();
      return [image.naturalWidth, image.naturalHeight];
    }, at(links.picture));
    same("size", size, [1, 1]);
  });

  await check("an <audio> jumps ahead in what a link leads to", async () => {
    const played = await page.evaluate(async (src) => {
      const audio = Object.assign(new Audio(), { preload: "metadata", src });
      const until = (event) =>
        new Promise((resolve, reject) => {
          audio.addEventListener(event, resolve, { once: true });
          audio.addEventListener("error", () => reject(new Error(audio.error.message)), { once: true });
        });
      await until("loadedmetadata");
      audio.currentTime = 50;
      await until("seeked");
      return [Math.round(audio.duration), Math.round(audio.currentTime)];
    }, at(links.sound));
    same("seconds", played, [60, 50]);
  });

  await check("a script reads a part, and what the answer says of it", async () => {
    const answer = await page.evaluate(async (url) => {
      const answer = await fetch(url, { headers: { range: "bytes=0-3" } });
      const header = (name) => answer.headers.get(name);
      const text = await answer.text();
      return [answer.status, text, header("content-range"), header("content-type"), Boolean(header("etag"))];
    }, at(links.sound));
    same("answer", answer, [206, "RIFF", "bytes 0-3/480044", "audio/x-wav", true]);
  });

  await check("a link that is none shows nothing, and a script is told why", async () => {
    const answer = await page.evaluate(async (url) => {
      const image = Object.assign(new Image(), { src: url });
      const shown = await image.decode().then(
        () => true,
        () => false,
      );
      const answer = await fetch(url);
      return [shown, answer.status, (await answer.json()).reason];
    }, at("/v1/attachments/none"));
    same("answer", answer, [false, 401, "LINK_INVALID"]);
  });

  await check("a page that somebody sent is saved and not opened", async () => {
    const saved = page.waitForEvent("download");
    await page.goto(at(links.page)).catch(() => {});
    same("name", (await saved).suggestedFilename(), "offer.html");
  });
}
