import type { BrokerError } from "../errors.js";
import type { WireError } from "../protocol.js";
import type { Worker } from "./worker.js";

/** A call on its way to a worker. */
export interface Job {
  method: string;
  input: unknown;
  caller: string;
  /** Milliseconds left, asked when the call is handed over. */
  remaining(): number;
  /** The call is now call `id` of `worker`. */
  placed(worker: Worker, id: number): void;
  resolve(value: unknown): void;
  reject(error: BrokerError | WireError): void;
  /** The service was replaced while the call waited: look it up again. */
  reroute(): void;
}

/** Why a service rests. */
export interface Quarantine {
  reason: string;
  /** ISO 8601. */
  since: string;
}

/** One service under one set of permissions: its worker, those who wait for it and its past. */
export interface Slot {
  readonly serviceKey: string;
  readonly permissionKey: string;
  worker: Worker | null;
  /** Whether a worker is being prepared. */
  starting: boolean;
  queue: Job[];
  /** Times of crashes within the window. */
  crashes: number[];
  quarantine: Quarantine | null;
  /** No start before this time. */
  notBefore: number;
  wakeUp: ReturnType<typeof setTimeout> | null;
  /** Replaced by a newer version: finishes what it has and goes. */
  draining: boolean;
}

export function newSlot(serviceKey: string, permissionKey: string): Slot {
  return {
    serviceKey,
    permissionKey,
    worker: null,
    starting: false,
    queue: [],
    crashes: [],
    quarantine: null,
    notBefore: 0,
    wakeUp: null,
    draining: false,
  };
}
