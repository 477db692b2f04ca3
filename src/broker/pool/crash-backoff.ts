import type { BrokerLimits } from "../limits.js";

/** Why a service rests. */
export interface Quarantine {
  reason: string;
  /** ISO 8601. */
  since: string;
}

type CrashLimits = Pick<BrokerLimits, "crashWindow" | "crashLimit" | "restartDelay" | "maxRestartDelay">;

/** Holds restarts back, longer after each crash, and quarantines what crashes too often. */
export class CrashBackoff {
  /** No start before this time, as `performance.now()` has it. */
  notBefore = 0;
  quarantine: Quarantine | null = null;
  /** Times of crashes within the window. */
  #crashes: number[] = [];

  constructor(private readonly limits: CrashLimits) {}

  /** Counts a crash at the time `now`. */
  crashed(reason: string, now: number): void {
    const { crashWindow, crashLimit, restartDelay, maxRestartDelay } = this.limits;
    this.#crashes = [...this.#crashes.filter((time) => now - time < crashWindow), now];
    const { length } = this.#crashes;
    this.notBefore = now + Math.min(restartDelay * 2 ** (length - 1), maxRestartDelay);
    if (length < crashLimit) return;
    const minutes = Math.round(crashWindow / 60_000);
    this.quarantine = {
      reason: `${length} crashes in ${minutes} minutes, the last one: ${reason}`,
      since: new Date().toISOString(),
    };
  }

  /** Starts with a clean record. Returns whether there was a quarantine to end. */
  forget(): boolean {
    const rested = this.quarantine !== null;
    this.#crashes = [];
    this.notBefore = 0;
    this.quarantine = null;
    return rested;
  }
}
