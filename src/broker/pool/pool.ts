/** The pool of workers: assigns calls, starts and ends workers. */
import { messageOf } from "../../core/errors.js";
import { BrokerError } from "../errors.js";
import type { BrokerLimits } from "../limits.js";
import type { Permissions } from "../permissions/set.js";
import type { Quarantine } from "./crash-backoff.js";
import { describeSlot, type Job, type Slot, type WorkerInfo } from "./slot.js";
import { SlotTable } from "./slot-table.js";
import type { Worker } from "./worker.js";

/** What the pool needs from its owner. */
export interface PoolHost {
  /** Creates a worker for a slot and reports its state to `owner`. */
  create(slot: Slot, owner: WorkerOwner): Promise<Worker>;
  /** Whether all calls of a worker wait for calls of their own. */
  isWaiting(worker: Worker): boolean;
  crashed(slot: Slot, reason: string): void;
  quarantined(slot: Slot, quarantine: Quarantine): void;
}

/** Receives state changes of a worker. */
export interface WorkerOwner {
  /** It responds again. */
  recovered(): void;
  /** It has ended; called once, with a reason unless it was asked to end. */
  exited(reason: string | null): void;
}

/** Workers by service and permissions, started on demand and ended when idle. */
export class WorkerPool {
  readonly #slots: SlotTable;
  readonly #live = new Set<Worker>();
  readonly #ended = new Set<Promise<void>>();
  /** Workers being created; they count towards the limit. */
  readonly #creating = new Set<Promise<Worker>>();
  /** Slots that wait for the number of workers to drop. */
  readonly #waiting = new Set<Slot>();
  #closed = false;
  #watch: ReturnType<typeof setInterval> | null = null;

  constructor(
    private readonly limits: BrokerLimits,
    private readonly host: PoolHost,
  ) {
    this.#slots = new SlotTable(limits);
  }

  /** Assigns a call to the worker for its service and permissions. */
  submit(serviceKey: string, permissions: Permissions, permissionKey: string, job: Job): Slot {
    const slot = this.#slots.slotFor(serviceKey, permissions, permissionKey);
    const { quarantine } = slot.backoff;
    if (this.#closed) job.reject(new BrokerError("unavailable", "the broker is closing"));
    else if (quarantine) job.reject(quarantineError(quarantine));
    else if (this.#canTake(slot)) this.#assign(slot, job);
    else if (slot.queue.length >= this.limits.maxQueue) job.reject(this.#overloaded(slot));
    else {
      slot.queue.push(job);
      this.#ensureWorker(slot);
    }
    return slot;
  }

  /** Removes a call from the queue, if it is still there. */
  withdraw(slot: Slot, job: Job): void {
    const index = slot.queue.indexOf(job);
    if (index >= 0) slot.queue.splice(index, 1);
  }

  /** Called when a call of a slot's worker has ended: starts the next one. */
  released(slot: Slot): void {
    this.#pump(slot);
    this.#makeRoom();
  }

  #overloaded(slot: Slot): BrokerError {
    return new BrokerError("overloaded", `${slot.serviceKey} already has ${slot.queue.length} calls queued`, {
      retryAfter: 1,
    });
  }

  #canTake(slot: Slot): boolean {
    return slot.worker?.isResponsive === true && slot.worker.inFlight.size < this.limits.maxInFlight;
  }

  #assign(slot: Slot, job: Job): void {
    const worker = slot.worker as Worker;
    try {
      const id = worker.call(job, {
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
    while (slot.queue.length > 0 && this.#canTake(slot)) this.#assign(slot, slot.queue.shift() as Job);
    if (slot.queue.length > 0) this.#ensureWorker(slot);
    else if (slot.draining && slot.worker?.state === "ready" && slot.worker.inFlight.size === 0) {
      this.#retire(slot);
    }
  }

  #ensureWorker(slot: Slot): void {
    const { notBefore, quarantine } = slot.backoff;
    if (slot.worker || slot.starting || slot.wakeUp || quarantine || this.#closed) return;
    const wait = notBefore - performance.now();
    if (wait > 0) {
      slot.wakeUp = setTimeout(() => {
        slot.wakeUp = null;
        this.#pump(slot);
      }, wait);
      return;
    }
    if (this.#live.size + this.#creating.size >= this.limits.maxWorkers && !this.#isStuck()) {
      this.#waiting.add(slot);
      this.#makeRoom();
      return;
    }
    void this.#start(slot);
  }

  /**
   * Whether all workers wait for calls that themselves wait for a worker: a deadlock. Then the limit may be
   * exceeded, up to the maximum call depth.
   */
  #isStuck(): boolean {
    if (this.#creating.size > 0 || this.#live.size >= this.limits.maxWorkers + this.limits.maxDepth)
      return false;
    for (const worker of this.#live) if (!this.host.isWaiting(worker)) return false;
    return true;
  }

  /** Ends the worker that has been idle longest if a slot waits. */
  #makeRoom(): void {
    if (this.#waiting.size === 0) return;
    let oldest: Slot | null = null;
    for (const slot of this.#slots) {
      if (slot.worker?.state !== "ready" || slot.worker.inFlight.size > 0 || slot.queue.length > 0) continue;
      if (!oldest?.worker || slot.worker.lastUsed < oldest.worker.lastUsed) oldest = slot;
    }
    if (oldest) this.#retire(oldest);
  }

  async #start(slot: Slot): Promise<void> {
    slot.starting = true;
    let worker: Worker | null = null;
    const creating = this.host.create(slot, {
      recovered: () => this.released(slot),
      exited: (reason) => this.#onExit(slot, worker, reason),
    });
    this.#creating.add(creating);
    try {
      worker = await creating;
      this.#live.add(worker);
      slot.worker = worker;
      this.#startWatch();
    } catch (error) {
      const failure =
        error instanceof BrokerError
          ? error
          : new BrokerError("start_failed", `the worker could not be created: ${messageOf(error)}`);
      this.#rejectQueue(slot, failure);
    } finally {
      slot.starting = false;
      this.#creating.delete(creating);
    }
    if (!worker) return this.#pumpWaiting();
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
    if (reason !== null && !this.#closed) this.#recordCrash(slot, reason);
    this.#pumpWaiting();
    if (!slot.draining) queueMicrotask(() => this.#pump(slot));
    if (this.#live.size === 0) this.#stopWatch();
  }

  /** Retries slots that wait for a worker. */
  #pumpWaiting(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const next of waiting) this.#pump(next);
  }

  #recordCrash(slot: Slot, reason: string): void {
    slot.backoff.crashed(reason, performance.now());
    this.host.crashed(slot, reason);
    const { quarantine } = slot.backoff;
    if (!quarantine) return;
    this.#rejectQueue(slot, quarantineError(quarantine));
    this.host.quarantined(slot, quarantine);
  }

  #retire(slot: Slot): void {
    const { worker } = slot;
    if (!worker) return;
    slot.worker = null;
    const end = worker.terminate().finally(() => this.#ended.delete(end));
    this.#ended.add(end);
  }

  #startWatch(): void {
    this.#watch ??= setInterval(() => this.#checkLimits(), this.limits.memoryInterval);
  }

  #stopWatch(): void {
    if (this.#watch) clearInterval(this.#watch);
    this.#watch = null;
  }

  #checkLimits(): void {
    for (const worker of this.#live) {
      const { memory, threads } = worker.usage() ?? { memory: 0, threads: 0 };
      const { maxMemory, maxThreads } = this.limits;
      if (memory > maxMemory)
        worker.kill(`it used more than ${Math.round(maxMemory / 1024 / 1024)} MB of memory`);
      else if (threads > maxThreads) worker.kill(`it had more than ${maxThreads} threads`);
    }
    const idleSince = performance.now() - this.limits.idleTimeout;
    for (const slot of this.#slots) {
      const { worker } = slot;
      if (worker?.state === "ready" && worker.inFlight.size === 0 && worker.lastUsed < idleSince)
        this.#retire(slot);
    }
  }

  /**
   * Retires all slots of some services: queued calls are dispatched again, running ones finish on the old
   * workers, which then end. Crashes and quarantines are forgotten.
   */
  drain(isReplaced: (serviceKey: string) => boolean): void {
    for (const slot of this.#slots.take(isReplaced)) this.#drainSlot(slot);
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

  /** Ends the quarantine of a service. Returns whether there was one. */
  release(serviceKey: string): boolean {
    let released = false;
    for (const slot of this.#slots.of(serviceKey)) {
      if (slot.backoff.forget()) released = true;
    }
    return released;
  }

  /** All slots, for display. */
  describe(): WorkerInfo[] {
    return [...this.#slots].map(describeSlot);
  }

  /** Ends all workers, running their `onDestroy`. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#waiting.clear();
    for (const slot of this.#slots.take(() => true)) {
      if (slot.wakeUp) clearTimeout(slot.wakeUp);
      this.#rejectQueue(slot, new BrokerError("unavailable", "the broker is closing"));
    }
    const ends = [...this.#live].map((worker) => worker.terminate());
    // Workers being created are ended as soon as they exist.
    await Promise.allSettled([...ends, ...this.#creating]);
    await Promise.all(this.#ended);
    this.#stopWatch();
  }
}

function quarantineError({ reason, since }: Quarantine): BrokerError {
  return new BrokerError("quarantined", `the service is quarantined since ${since}: ${reason}`);
}
