/** Webhooks as UniPile sends them: the captured bodies, with fresh ids, for one chat of one account. */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

const FIXTURES = join(import.meta.dirname, "../../../services/shared/unipile/tests/fixtures");

const fixture = async (name) => JSON.parse(await readFile(join(FIXTURES, `webhook_${name}.json`), "utf8"));
const id = () => randomBytes(16).toString("base64url");
const digits = (count) => Array.from(randomBytes(count), (byte) => byte % 10).join("");

/** One contact of a new account, who writes to it. */
export class Contact {
  accountId = id();
  accountPhone = `+1555${digits(7)}`;
  chatId = id();
  attendeeId = id();
  lid = `9${digits(14)}@lid`;
  phone = `+1555${digits(7)}`;
  name = `Browser contact ${digits(4)}`;

  constructor({ url, secretHeader, secret }) {
    this.url = url;
    this.headers = { "content-type": "application/json", [secretHeader]: secret };
  }

  /** Sends a text; resolves with what `edit` needs once the webhook is acknowledged. */
  async write(text) {
    const message = {
      message_id: id(),
      provider_message_id: `3A${randomBytes(9).toString("hex").toUpperCase()}`,
      timestamp: new Date().toISOString(),
    };
    await this.#post("message_received_text", { ...message, message: text });
    return message;
  }

  async edit(message, text) {
    await this.#post("message_edited", { ...message, message: text });
  }

  async #post(name, fields) {
    const body = JSON.stringify({ ...(await fixture(name)), ...this.#place(), ...fields });
    const answer = await fetch(this.url, { method: "POST", headers: this.headers, body });
    const words = await answer.text();
    if (answer.status !== 200) throw new Error(`the webhook was answered ${answer.status} ${words.slice(0, 200)}`);
  }

  #place() {
    const person = {
      attendee_id: this.attendeeId,
      attendee_provider_id: this.lid,
      attendee_name: this.name,
      attendee_profile_url: null,
      attendee_specifics: { provider: "WHATSAPP", phone_number: this.phone, lid: this.lid },
      attendee_public_identifier: `${this.phone.slice(1)}@s.whatsapp.net`,
    };
    return {
      account_id: this.accountId,
      account_info: { type: "WHATSAPP", phone_number: this.accountPhone },
      chat_id: this.chatId,
      provider_chat_id: this.lid,
      attendees: [person],
      sender: person,
    };
  }
}
