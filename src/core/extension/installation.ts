/** State shared by all services of one installation: the client, problem reports, and the end of the session. */
import { createFleetClient } from "../client.js";
import { messageOf } from "../errors.js";
import type { FleetClient } from "../types.js";
import { currentLimits } from "./limits.js";
import { Owner } from "./owner.js";

/** How long calls may take after the session has ended, in milliseconds. */
const SHUTDOWN_CALL_MS = 1000;

/** How long a call may take in a handler that the agent waits for, in milliseconds. */
const HANDLER_CALL_MS = 1500;

/** The same while the control plane is unreachable, so that the agent does not pay for it repeatedly. */
const UNREACHABLE_CALL_MS = 250;

/** The maximum number of reports per session. */
const MAX_REPORTS = 50;

/** Options of an installation. */
export interface InstallationOptions {
  env?: Record<string, string | undefined>;
  warn?: (line: string) => void;
}

/** One loaded extension, from registration to the end of its session. */
export class Installation {
  readonly client: FleetClient;
  /** Whether the last call got no reply. */
  unreachable = false;
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
        this.unreachable = !answered;
      },
      timeoutMs: () => {
        const { timeoutMs } = currentLimits();
        return this.#closing ? Math.min(timeoutMs ?? SHUTDOWN_CALL_MS, SHUTDOWN_CALL_MS) : timeoutMs;
      },
      signal: () => {
        const { signal } = currentLimits();
        if (this.#closing) return signal;
        return signal ? AbortSignal.any([signal, this.#session.signal]) : this.#session.signal;
      },
    });
  }

  /** The current time limit of calls in handlers, in milliseconds. */
  get handlerCallMs(): number {
    return this.unreachable ? UNREACHABLE_CALL_MS : HANDLER_CALL_MS;
  }

  /** The owner under which a service's code runs. */
  ownerOf(service: string): Owner {
    const known = this.#owners.get(service);
    if (known) return known;
    const owner = new Owner((error) => this.report(`unhandled error in ${service}`, error));
    this.#owners.set(service, owner);
    return owner;
  }

  /** Reports an error once, where the agent's user sees it. Never throws. */
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
      // The terminal has gone; fall back to the plain output.
      this.#warn(line);
    }
  }

  /** Ends the session: calls in progress get a little longer, later ones are short. */
  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.notify = undefined;
    const timer = setTimeout(() => this.#session.abort(), SHUTDOWN_CALL_MS);
    if (typeof timer === "object") timer.unref();
  }
}
