import { messageOf } from "../../core/errors.js";
import { BrokerError } from "../errors.js";
import type { BrokerLimits } from "../limits.js";
import { type Job, newSlot, type Quarantine, type Slot } from "./slot.js";
import type { Worker } from "./worker.js";

/** What the pool needs from its owner. */
export interface PoolHost {
  /** Makes a worker for a slot; `onExit` is called once when it has ended, with a reason unless it was asked to. */
  create(slot: Slot, onExit: (reason: string | null) => void): Promise<Worker>;
  crashed(slot: Slot, reason: string): void;
  quarantined(slot: Slot, quarantine: Quarantine): void;
}

/** A slot as it is shown. */
export interface WorkerInfo {
  service: string;
  permissions: string;
  state: "queued" | "starting" | "ready" | "ending" | "ended" | "resting" | "quarantined" | "idle";
  pid: number | null;
  inFlight: number;
  queued: number;
  memory: number | null;
  quarantine: Quarantine | null;
}

/** Workers by service and permission key, started when needed and ended when idle. */
export class WorkerPool {
  readonly #slots = new Map<string, Map<string, Slot>>();
  readonly #live = new Set<Worker>();
  readonly #ended = new Set<Promise<void>>();
  /** Slots that wait for a place in the pool. */
  readonly #waiting = new Set<Slot>();
  #reserved = 0;
  #closed = false;
  #watch: ReturnType<typeof setInterval> | null = null;

  constructor(
    private readonly limits: BrokerLimits,
    private readonly host: PoolHost,
  ) {}

  /** Hands a call to the worker for its service and permissions. */
  submit(serviceKey: string, permissionKey: string, job: Job): Slot {
    const slot = this.#slotFor(serviceKey, permissionKey);
    if (this.#closed) job.reject(new BrokerError("unavailable", "the broker is closing"));
    else if (slot.quarantine) job.reject(quarantineError(slot.quarantine));
    else if (this.#canTake(slot)) this.#place(slot, job);
    else if (slot.queue.length >= this.limits.maxQueue) job.reject(this.#overloaded(slot));
    else {
      slot.queue.push(job);
      this.#ensureWorker(slot);
    }
    return slot;
  }

  /** Takes a call out of the queue, if it is still there. */
  withdraw(slot: Slot, job: Job): void {
    const index = slot.queue.indexOf(job);
    if (index >= 0) slot.queue.splice(index, 1);
  }

  /** A call of this worker has ended: there may be room for the next one. */
  released(slot: Slot): void {
    this.#pump(slot);
    this.#makeRoom();
  }

  #slotFor(serviceKey: string, permissionKey: string): Slot {
    let byPermission = this.#slots.get(serviceKey);
    if (!byPermission) {
      byPermission = new Map();
      this.#slots.set(serviceKey, byPermission);
    }
    let slot = byPermission.get(permissionKey);
    if (!slot) {
      slot = newSlot(serviceKey, permissionKey);
      byPermission.set(permissionKey, slot);
    }
    return slot;
  }

  #overloaded(slot: Slot): BrokerError {
    return new BrokerError(
      "overloaded",
      `${slot.serviceKey} has ${slot.queue.length} calls waiting already`,
      { retryAfter: 1 },
    );
  }

  #canTake(slot: Slot): boolean {
    return slot.worker?.isResponsive === true && slot.worker.inFlight.size < this.limits.maxInFlight;
  }

  #place(slot: Slot, job: Job): void {
    const worker = slot.worker as Worker;
    try {
      const id = worker.call(job.method, job.input, job.remaining(), job.caller, {
        resolve: (value) => {
          job.resolve(value);
          this.released(slot);
        },
        reject: (error) => {
          job.reject(error);
          this.released(slot);
        },
      });
      job.placed(worker, id);
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
      job.reject(error);
    }
  }

  #pump(slot: Slot): void {
    while (slot.queue.length > 0 && this.#canTake(slot)) this.#place(slot, slot.queue.shift() as Job);
    if (slot.queue.length > 0) this.#ensureWorker(slot);
    else if (slot.draining && slot.worker?.state === "ready" && slot.worker.inFlight.size === 0) {
      this.#retire(slot);
    }
  }

  #ensureWorker(slot: Slot): void {
    if (slot.worker || slot.starting || slot.wakeUp || slot.quarantine || this.#closed) return;
    const wait = slot.notBefore - performance.now();
    if (wait > 0) {
      slot.wakeUp = setTimeout(() => {
        slot.wakeUp = null;
        this.#pump(slot);
      }, wait);
      return;
    }
    if (this.#live.size + this.#reserved >= this.limits.maxWorkers) {
      this.#waiting.add(slot);
      this.#makeRoom();
      return;
    }
    void this.#start(slot);
  }

  /** Ends the longest idle worker when somebody waits for its place. */
  #makeRoom(): void {
    if (this.#waiting.size === 0) return;
    let oldest: Slot | null = null;
    for (const slot of this.#everySlot()) {
      if (slot.worker?.state !== "ready" || slot.worker.inFlight.size > 0 || slot.queue.length > 0) continue;
      if (!oldest?.worker || slot.worker.lastUsed < oldest.worker.lastUsed) oldest = slot;
    }
    if (oldest) this.#retire(oldest);
  }

  *#everySlot(): Generator<Slot> {
    for (const byPermission of this.#slots.values()) yield* byPermission.values();
  }

  async #start(slot: Slot): Promise<void> {
    slot.starting = true;
    this.#reserved++;
    let worker: Worker | null = null;
    try {
      worker = await this.host.create(slot, (reason) => this.#onExit(slot, worker, reason));
      this.#live.add(worker);
      slot.worker = worker;
      this.#startWatch();
    } catch (error) {
      const failure =
        error instanceof BrokerError
          ? error
          : new BrokerError("start_failed", `the worker could not be made: ${messageOf(error)}`);
      this.#rejectQueue(slot, failure);
      return;
    } finally {
      slot.starting = false;
      this.#reserved--;
    }
    if (this.#closed || slot.draining) {
      this.#retire(slot);
      return;
    }
    try {
      await worker.started;
      this.#pump(slot);
    } catch (error) {
      if (slot.worker === worker || !slot.draining) this.#rejectQueue(slot, error as BrokerError);
    }
  }

  #rejectQueue(slot: Slot, error: BrokerError): void {
    for (const job of slot.queue.splice(0)) job.reject(error);
  }

  #onExit(slot: Slot, worker: Worker | null, reason: string | null): void {
    if (worker) this.#live.delete(worker);
    if (slot.worker === worker) slot.worker = null;
    if (reason !== null && !this.#closed) this.#noteCrash(slot, reason);
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const next of waiting) this.#pump(next);
    if (!slot.draining) queueMicrotask(() => this.#pump(slot));
    if (this.#live.size === 0) this.#stopWatch();
  }

  #noteCrash(slot: Slot, reason: string): void {
    const now = performance.now();
    slot.crashes = [...slot.crashes.filter((time) => now - time < this.limits.crashWindow), now];
    const { restartDelay, maxRestartDelay, crashLimit } = this.limits;
    slot.notBefore = now + Math.min(restartDelay * 2 ** (slot.crashes.length - 1), maxRestartDelay);
    this.host.crashed(slot, reason);
    if (slot.crashes.length < crashLimit) return;
    slot.quarantine = {
      reason: `${slot.crashes.length} crashes in ${Math.round(this.limits.crashWindow / 60_000)} minutes, the last one: ${reason}`,
      since: new Date().toISOString(),
    };
    this.#rejectQueue(slot, quarantineError(slot.quarantine));
    this.host.quarantined(slot, slot.quarantine);
  }

  #retire(slot: Slot): void {
    const { worker } = slot;
    if (!worker) return;
    slot.worker = null;
    const end = worker.terminate().finally(() => this.#ended.delete(end));
    this.#ended.add(end);
  }

  #startWatch(): void {
    this.#watch ??= setInterval(() => this.#look(), this.limits.memoryInterval);
  }

  #stopWatch(): void {
    if (this.#watch) clearInterval(this.#watch);
    this.#watch = null;
  }

  #look(): void {
    for (const worker of this.#live) {
      const memory = worker.memory();
      if (memory !== null && memory > this.limits.maxMemory) {
        worker.kill(`it used more than ${Math.round(this.limits.maxMemory / 1024 / 1024)} MB of memory`);
      }
    }
    const idleSince = performance.now() - this.limits.idleTimeout;
    for (const slot of this.#everySlot()) {
      const { worker } = slot;
      if (worker?.state === "ready" && worker.inFlight.size === 0 && worker.lastUsed < idleSince)
        this.#retire(slot);
    }
  }

  /**
   * Lets go of all slots of some services: waiting calls are looked up again, running ones
   * finish on the old workers, which then end. Crashes and quarantines are forgotten.
   */
  drain(isReplaced: (serviceKey: string) => boolean): void {
    for (const [serviceKey, byPermission] of [...this.#slots]) {
      if (!isReplaced(serviceKey)) continue;
      this.#slots.delete(serviceKey);
      for (const slot of byPermission.values()) this.#drainSlot(slot);
    }
  }

  #drainSlot(slot: Slot): void {
    slot.draining = true;
    this.#waiting.delete(slot);
    if (slot.wakeUp) clearTimeout(slot.wakeUp);
    slot.wakeUp = null;
    const jobs = slot.queue.splice(0);
    if (slot.worker && slot.worker.inFlight.size === 0) this.#retire(slot);
    for (const job of jobs) job.reroute();
  }

  /** Lets a resting service try again. Returns whether there was one. */
  release(serviceKey: string): boolean {
    let released = false;
    for (const slot of this.#slots.get(serviceKey)?.values() ?? []) {
      released ||= slot.quarantine !== null;
      slot.quarantine = null;
      slot.crashes = [];
      slot.notBefore = 0;
    }
    return released;
  }

  /** Every slot, for display. */
  describe(): WorkerInfo[] {
    return [...this.#everySlot()].map((slot) => ({
      service: slot.serviceKey,
      permissions: slot.permissionKey,
      state: stateOf(slot),
      pid: slot.worker?.pid ?? null,
      inFlight: slot.worker?.inFlight.size ?? 0,
      queued: slot.queue.length,
      memory: slot.worker?.memory() ?? null,
      quarantine: slot.quarantine,
    }));
  }

  /** Ends all workers, each with the chance to run `onDestroy`. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#waiting.clear();
    for (const slot of this.#everySlot()) {
      if (slot.wakeUp) clearTimeout(slot.wakeUp);
      this.#rejectQueue(slot, new BrokerError("unavailable", "the broker is closing"));
    }
    this.#slots.clear();
    const ends = [...this.#live].map((worker) => worker.terminate());
    await Promise.all([...ends, ...this.#ended]);
    this.#stopWatch();
  }
}

function stateOf(slot: Slot): WorkerInfo["state"] {
  if (slot.quarantine) return "quarantined";
  if (slot.worker) return slot.worker.state;
  if (slot.starting) return "starting";
  if (slot.wakeUp) return "resting";
  return slot.queue.length > 0 ? "queued" : "idle";
}

function quarantineError({ reason, since }: Quarantine): BrokerError {
  return new BrokerError("quarantined", `the service rests since ${since}: ${reason}`);
}
