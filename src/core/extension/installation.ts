/** What all services of one installation share: the client, the way to report trouble, and the end of it. */
import { createFleetClient } from "../client.js";
import { messageOf } from "../errors.js";
import type { FleetClient } from "../types.js";
import { currentLimits } from "./limits.js";
import { Owner } from "./owner.js";

/** How long calls may still take once the session is over, in milliseconds. */
const FAREWELL_MS = 1000;

/** How long a call may take in a handler for which the agent waits, in milliseconds. */
const HANDLER_CALL_MS = 1500;

/** The same while the control plane does not answer: the agent is not to pay for it again and again. */
const AWAY_CALL_MS = 250;

/** More reports than these help nobody. */
const MAX_REPORTS = 50;

export interface InstallationOptions {
  env?: Record<string, string | undefined>;
  warn?: (line: string) => void;
}

/** One loaded extension, from its registration to the end of its session. */
export class Installation {
  readonly client: FleetClient;
  /** Whether the control plane left the last call without an answer. */
  away = false;
  /** Shows a warning in the agent's terminal, while there is one. */
  notify: ((line: string) => void) | undefined;
  readonly #warn: (line: string) => void;
  readonly #said = new Set<string>();
  readonly #owners = new Map<string, Owner>();
  readonly #session = new AbortController();
  #closing = false;

  constructor(options: InstallationOptions) {
    this.#warn = options.warn ?? ((line) => console.warn(line));
    this.client = createFleetClient({
      env: options.env,
      onAttempt: (answered) => {
        this.away = !answered;
      },
      timeoutMs: () => {
        const { timeoutMs } = currentLimits();
        return this.#closing ? Math.min(timeoutMs ?? FAREWELL_MS, FAREWELL_MS) : timeoutMs;
      },
      signal: () => {
        const { signal } = currentLimits();
        if (this.#closing) return signal;
        return signal ? AbortSignal.any([signal, this.#session.signal]) : this.#session.signal;
      },
    });
  }

  /** How long a call may take in a handler, in milliseconds. */
  get handlerCallMs(): number {
    return this.away ? AWAY_CALL_MS : HANDLER_CALL_MS;
  }

  /** On whose account a service's code runs. */
  ownerOf(service: string): Owner {
    const known = this.#owners.get(service);
    if (known) return known;
    const owner = new Owner((error) => this.report(`unhandled error in ${service}`, error));
    this.#owners.set(service, owner);
    return owner;
  }

  /** Says what went wrong, once, where the agent's user sees it. Never throws. */
  report(where: string, error: unknown): void {
    this.say(`${where}: ${messageOf(error)}`);
  }

  say(text: string): void {
    if (this.#said.has(text) || this.#said.size >= MAX_REPORTS) return;
    this.#said.add(text);
    const line = `[reef] ${text}`;
    try {
      if (this.notify) this.notify(line);
      else this.#warn(line);
    } catch {
      // The terminal went away between two lines; the plain way is left.
      this.#warn(line);
    }
  }

  /** The session is over: calls under way get a little longer, later ones are short. */
  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.notify = undefined;
    const timer = setTimeout(() => this.#session.abort(), FAREWELL_MS);
    if (typeof timer === "object") timer.unref();
  }
}
