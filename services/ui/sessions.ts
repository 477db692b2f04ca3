/** Who is logged in at the dashboard, and the links that log in. Secrets are kept as hashes only. */
import { createHash, createHmac, randomBytes } from "node:crypto";
import { Type } from "@sinclair/typebox";
import { JsonCollection } from "../../src/storage/index.js";

/** One login. `id` is the SHA-256 of the cookie's value; times are ISO 8601. */
export interface Session {
  id: string;
  /** What the cookie's value makes of the token under which it began; nobody can guess at the token without that. */
  token: string;
  createdAt: string;
  expiresAt: string;
}

export const SESSION_DAYS = 7;
export const LINK_MINUTES = 5;
const DAY_MS = 86_400_000;
const MAX_SESSIONS = 200;
const MAX_LINKS = 100;

const sessionSchema = Type.Object({
  id: Type.String(),
  token: Type.String(),
  createdAt: Type.String(),
  expiresAt: Type.String(),
});
/** Earlier versions did not write down the token; such a session is nobody's. */
const upgradeItem = (stored: unknown) =>
  typeof stored === "object" && stored !== null ? { token: "", ...stored } : stored;

const hash = (secret: string) => createHash("sha256").update(secret).digest("hex");
const secret = () => randomBytes(32).toString("base64url");

/** Sessions survive a restart; links do not, they live five minutes and work once. */
export class SessionStore {
  readonly #sessions: JsonCollection<Session>;
  readonly #links = new Map<string, number>();
  readonly #now: () => number;
  #token = "";

  constructor(path = "ui-sessions.json", now: () => number = Date.now) {
    this.#sessions = new JsonCollection<Session>({
      path,
      itemSchema: sessionSchema,
      upgradeItem,
      mode: 0o600,
    });
    this.#now = now;
  }

  /** From here on sessions that began under another token are over: whoever has that may have a session as well. */
  useToken(token: string): void {
    this.#token = token;
  }

  #mark(value: string): string {
    return createHmac("sha256", value).update(this.#token).digest("hex");
  }

  /** Starts a session; returns the cookie's value once the session is on disk. */
  async start(): Promise<{ value: string; session: Session }> {
    await this.#prune();
    const value = secret();
    const now = this.#now();
    const session: Session = {
      id: hash(value),
      token: this.#mark(value),
      createdAt: new Date(now).toISOString(),
      expiresAt: new Date(now + SESSION_DAYS * DAY_MS).toISOString(),
    };
    await this.#sessions.put(session);
    return { value, session };
  }

  /** The living session that a cookie's value stands for. */
  find(value: string | undefined): Session | undefined {
    if (!value) return undefined;
    const session = this.#sessions.get(hash(value));
    return session && this.isAlive(session.id) && session.token === this.#mark(value) ? session : undefined;
  }

  isAlive(id: string): boolean {
    const session = this.#sessions.get(id);
    return session !== undefined && Date.parse(session.expiresAt) > this.#now();
  }

  async end(id: string): Promise<void> {
    await this.#sessions.delete(id);
  }

  /** A new one-time login token. */
  createLink(): { token: string; expiresAt: string } {
    const now = this.#now();
    for (const [known, expires] of this.#links) if (expires <= now) this.#links.delete(known);
    const oldest = this.#links.keys().next().value;
    if (this.#links.size >= MAX_LINKS && oldest !== undefined) this.#links.delete(oldest);
    const token = secret();
    const expires = now + LINK_MINUTES * 60_000;
    this.#links.set(hash(token), expires);
    return { token, expiresAt: new Date(expires).toISOString() };
  }

  /** Whether a link's token is good; it is spent by asking. */
  redeem(token: string): boolean {
    const key = hash(token);
    const expires = this.#links.get(key);
    this.#links.delete(key);
    return expires !== undefined && expires > this.#now();
  }

  async #prune(): Promise<void> {
    const all = this.#sessions.list().toSorted((a, b) => a.createdAt.localeCompare(b.createdAt));
    const surplus = Math.max(0, all.length - MAX_SESSIONS + 1);
    for (const [index, session] of all.entries()) {
      if (index < surplus || Date.parse(session.expiresAt) <= this.#now())
        await this.#sessions.delete(session.id);
    }
  }

  flush(): void {
    this.#sessions.flush();
  }

  close(): void {
    this.#sessions.close();
  }
}
