import type { BrokerError } from "../errors.js";
import type { BrokerLimits } from "../limits.js";
import type { Permissions } from "../permissions/set.js";
import type { WireError } from "../protocol.js";
import { CrashBackoff, type Quarantine } from "./crash-backoff.js";
import type { Worker } from "./worker.js";
import type { WorkerCall } from "./worker-connection.js";

/** A call on its way to a worker. */
export interface Job extends WorkerCall {
  /** The call is now call `id` of `worker`. */
  placed(worker: Worker, id: number): void;
  resolve(value: unknown): void;
  reject(error: BrokerError | WireError): void;
  /** The service was replaced while the call waited: look it up again. */
  reroute(): void;
}

/** One service under one set of permissions: its worker, those who wait for it and its past. */
export interface Slot {
  readonly serviceKey: string;
  readonly permissions: Permissions;
  readonly permissionKey: string;
  worker: Worker | null;
  /** Whether a worker is being prepared. */
  starting: boolean;
  queue: Job[];
  readonly backoff: CrashBackoff;
  wakeUp: ReturnType<typeof setTimeout> | null;
  /** Replaced by a newer version: finishes what it has and goes. */
  draining: boolean;
}

/** A slot without a worker, a queue or a past. */
export function newSlot(
  serviceKey: string,
  permissions: Permissions,
  permissionKey: string,
  limits: BrokerLimits,
): Slot {
  return {
    serviceKey,
    permissions,
    permissionKey,
    worker: null,
    starting: false,
    queue: [],
    backoff: new CrashBackoff(limits),
    wakeUp: null,
    draining: false,
  };
}

/** A slot as it is shown. */
export interface WorkerInfo {
  /** `pluginId/service`. */
  service: string;
  /** The key of the permissions that it runs under. */
  permissions: string;
  state: "queued" | "starting" | "ready" | "ending" | "ended" | "resting" | "quarantined" | "idle";
  pid: number | null;
  /** Calls that it is answering. */
  inFlight: number;
  /** Calls that wait for it. */
  queued: number;
  /** The memory that it holds, in bytes; null without a process or where it cannot be told. */
  memory: number | null;
  quarantine: Quarantine | null;
}

/** Shows a slot. */
export function describeSlot(slot: Slot): WorkerInfo {
  const { worker, queue, backoff } = slot;
  return {
    service: slot.serviceKey,
    permissions: slot.permissionKey,
    state: stateOf(slot),
    pid: worker?.pid ?? null,
    inFlight: worker?.inFlight.size ?? 0,
    queued: queue.length,
    memory: worker?.usage()?.memory ?? null,
    quarantine: backoff.quarantine,
  };
}

function stateOf({ backoff, worker, starting, wakeUp, queue }: Slot): WorkerInfo["state"] {
  if (backoff.quarantine) return "quarantined";
  if (worker) return worker.state;
  if (starting) return "starting";
  if (wakeUp) return "resting";
  return queue.length > 0 ? "queued" : "idle";
}
