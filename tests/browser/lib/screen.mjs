/** The page as the test sees it: by what a person reads on it, and by the calls that it makes. */
const PATIENCE = 10_000;

export class Screen {
  /** Names of the calls that name an account, in order. */
  #calls = [];

  constructor(page, url) {
    this.page = page;
    this.url = url;
    page.setDefaultTimeout(PATIENCE);
    page.on("request", (request) => {
      const method = /QueryService\/(\w+)$/.exec(request.url())?.[1];
      if (method && request.method() === "POST") this.#calls.push({ method, body: request.postDataBuffer() });
    });
  }

  async open(settings = {}) {
    const { origin, ...fragment } = { ...this.url, ...settings };
    // A new fragment alone would not load the page anew.
    await this.leave();
    await this.page.goto(`${origin}/#${new URLSearchParams(fragment)}`);
  }

  leave() {
    return this.page.goto("about:blank");
  }

  until(state) {
    return this.page.locator(`body[data-state="${state}"]`).waitFor();
  }

  state(options) {
    return this.page.locator("#state").textContent(options);
  }

  openChat(chatId) {
    return this.page.locator(`[data-chat="${chatId}"]`).click();
  }

  /** Waits for a message with exactly this text; resolves with its id. */
  async message(text) {
    const words = this.page.getByText(text, { exact: true });
    return this.page.locator("#messages li", { has: words }).getAttribute("data-message");
  }

  texts() {
    return this.page.locator("#messages span").allTextContents();
  }

  async count(name) {
    return Number(await this.page.locator(`[data-count="${name}"]`).textContent());
  }

  /** The calls that name this account since the last time it was asked. */
  callsAbout(accountId) {
    const calls = this.#calls.filter(({ body }) => body?.includes(accountId)).map(({ method }) => method);
    this.#calls = [];
    return calls;
  }
}
