/** Delays restarts after crashes and quarantines services that crash repeatedly. */
import type { BrokerLimits } from "../limits.js";

/** Why a service is quarantined, and since when. */
export interface Quarantine {
  reason: string;
  /** ISO 8601. */
  since: string;
}

type CrashLimits = Pick<BrokerLimits, "crashWindow" | "crashLimit" | "restartDelay" | "maxRestartDelay">;

/** Delays restarts, longer after each crash, and quarantines services that crash too often. */
export class CrashBackoff {
  /** The earliest next start, in `performance.now()` time. */
  notBefore = 0;
  quarantine: Quarantine | null = null;
  /** The times of recent crashes. */
  #crashes: number[] = [];

  constructor(private readonly limits: CrashLimits) {}

  /** Records a crash at time `now`. */
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

  /** Clears the record. Returns whether there was a quarantine. */
  forget(): boolean {
    const rested = this.quarantine !== null;
    this.#crashes = [];
    this.notBefore = 0;
    this.quarantine = null;
    return rested;
  }
}
