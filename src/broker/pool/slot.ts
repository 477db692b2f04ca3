/** Slots: one per service and permission set. */
import type { BrokerError } from "../errors.js";
import type { BrokerLimits } from "../limits.js";
import type { Permissions } from "../permissions/set.js";
import type { WireError } from "../protocol.js";
import { CrashBackoff, type Quarantine } from "./crash-backoff.js";
import type { Worker } from "./worker.js";
import type { WorkerCall } from "./worker-connection.js";

/** A call that is queued for, or assigned to, a worker. */
export interface Job extends WorkerCall {
  /** The call was assigned to `worker` under the number `id`. */
  placed(worker: Worker, id: number): void;
  resolve(value: unknown): void;
  reject(error: BrokerError | WireError): void;
  /** The service was replaced while the call was queued: dispatch it again. */
  reroute(): void;
}

/** A service with a permission set: its worker, queue and crash record. */
export interface Slot {
  readonly serviceKey: string;
  readonly permissions: Permissions;
  readonly permissionKey: string;
  worker: Worker | null;
  /** Whether a worker is being created. */
  starting: boolean;
  queue: Job[];
  readonly backoff: CrashBackoff;
  wakeUp: ReturnType<typeof setTimeout> | null;
  /** Whether it was replaced by a newer version: it finishes its calls and ends. */
  draining: boolean;
}

/** A new slot. */
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

/** A slot, for display. */
export interface WorkerInfo {
  /** `pluginId/service`. */
  service: string;
  /** The key of its permission set. */
  permissions: string;
  state: "queued" | "starting" | "ready" | "ending" | "ended" | "resting" | "quarantined" | "idle";
  pid: number | null;
  /** The number of running calls. */
  inFlight: number;
  /** The number of queued calls. */
  queued: number;
  /** Its memory in bytes; null without a process, or where it is unknown. */
  memory: number | null;
  quarantine: Quarantine | null;
}

/** Describes a slot. */
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
