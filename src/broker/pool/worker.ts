/** One worker process. */
import { join } from "node:path";
import { BrokerError } from "../errors.js";
import type { BrokerLimits } from "../limits.js";
import type { LoadedPlugin } from "../manifest.js";
import { OP, type WireError, type WorkerSetup } from "../protocol.js";
import type { FileRule } from "../sandbox/landlock.js";
import { BUN } from "../sandbox/launcher-command.js";
import { type ConfinedProcess, spawnConfined, workerRules } from "../sandbox/spawn.js";
import { checksSource } from "../schema/worker-checks.js";
import { type Usage, usageOf } from "../usage.js";
import { toWire } from "../worker/wire-error.js";
import { forwardLines } from "./output.js";
import {
  type ConnectionListener,
  type Reply,
  type WorkerCall,
  WorkerConnection,
} from "./worker-connection.js";

/** What is needed to start a worker. */
export interface WorkerSpec {
  setup: WorkerSetup;
  plugin: LoadedPlugin;
  env: Record<string, string>;
  layers: FileRule[][];
  proxySocket: string | null;
  confined: boolean;
}

/** What a worker reports to its owner. */
export interface WorkerEvents extends Pick<ConnectionListener, "request" | "withdraw" | "recovered"> {
  log(stream: "stdout" | "stderr" | "broker", line: string): void;
  /** It has ended; `reason` is null if it was asked to. */
  exit(reason: string | null): void;
}

const ENTRY = join(import.meta.dir, "..", "worker", "entry.ts");
/** A factor on the ping timeout for cancelled calls, as opposed to calls that missed their deadline. */
const WITHDRAWN_FACTOR = 10;

/** A process that runs one service with one permission set. */
export class Worker {
  readonly #process: ConfinedProcess;
  readonly #connection: WorkerConnection;
  #started = Promise.withResolvers<void>();
  #state: "starting" | "ready" | "ending" | "ended" = "starting";
  #reason: string | null = null;
  #terminator: ReturnType<typeof setTimeout> | null = null;

  constructor(
    private readonly spec: WorkerSpec,
    private readonly limits: BrokerLimits,
    private readonly events: WorkerEvents,
  ) {
    this.#process = spawnConfined({
      confined: spec.confined,
      channel: true,
      plan: {
        program: BUN,
        argv: [BUN, "--no-install", "--no-addons", ENTRY],
        env: spec.env,
        cwd: spec.plugin.code.path,
        base: workerRules(spec.plugin),
        layers: spec.layers,
        proxySocket: spec.proxySocket,
        children: false,
      },
    });
    this.#connection = new WorkerConnection(limits, {
      ...events,
      ready: () => this.#onReady(),
      fatal: (error) => this.#onFatal(error),
      closed: (reason) => this.#onClosed(reason),
      failed: (reason) => this.kill(reason),
      shown: (text) => this.#shown(text),
    });
    this.#started.promise.catch(() => undefined);
    void this.#run();
  }

  get state(): "starting" | "ready" | "ending" | "ended" {
    return this.#state;
  }

  /** Whether it can take a call now: ready, reading its queue, and without an unanswered ping. */
  get isResponsive(): boolean {
    return this.#state === "ready" && this.#connection.isOpen;
  }

  /** When a call last ended, in `performance.now()` time. */
  get lastUsed(): number {
    return this.#connection.lastUsed;
  }

  /** The running calls by number. */
  get inFlight(): ReadonlyMap<number, Reply> {
    return this.#connection.inFlight;
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Resolves when the service is loaded and `onInit` has run; rejects when it cannot start. */
  get started(): Promise<void> {
    return this.#started.promise;
  }

  async #run(): Promise<void> {
    const { maxLogRate } = this.limits;
    const outputs = Promise.all([
      forwardLines(this.#process.stdout, maxLogRate, (line) => this.#onLine("stdout", line)),
      forwardLines(this.#process.stderr, maxLogRate, (line) => this.#onLine("stderr", line)),
    ]);
    const startTimer = setTimeout(
      () => this.kill(`it did not start within ${this.limits.startTimeout} ms`),
      this.limits.startTimeout,
    );
    this.#started.promise.then(
      () => clearTimeout(startTimer),
      () => clearTimeout(startTimer),
    );
    try {
      await this.#connection.begin(Number(this.#process.stdio[3]), this.spec.setup);
      if (this.spec.setup.schemas) void this.#sendChecks();
    } catch (error) {
      this.kill(`its channel failed: ${toWire(error).message}`);
    }
    const code = await this.#process.exited;
    this.#finish(this.#reason ?? `it ended with ${this.#process.signalCode ?? `exit code ${code}`}`);
    await outputs;
  }

  /** Sends the validation code last: few values need it, and it must be built once. */
  async #sendChecks(): Promise<void> {
    try {
      this.#connection.send([OP.checks, await checksSource()]);
    } catch (error) {
      this.kill(`it did not receive the code for its checks: ${toWire(error).message}`);
    }
  }

  #onLine(stream: "stdout" | "stderr", line: string): void {
    const isNoStart = stream === "stderr" && this.#state === "starting" && line.startsWith("sandbox: ");
    if (isNoStart) this.#reason ??= line;
    this.events.log(stream, this.#shown(line));
  }

  /**
   * Replaces paths in the copy by those in the plugin's folder, where its author would look for and fix
   * mistakes.
   */
  #shown(text: string): string {
    const { code, root } = this.spec.plugin;
    return text.replaceAll(code.path, root);
  }

  #onReady(): boolean {
    if (this.#state !== "starting") return false;
    this.#state = "ready";
    this.#connection.lastUsed = performance.now();
    this.#started.resolve();
    return true;
  }

  #onFatal({ name, message }: WireError): boolean {
    if (this.#reason !== null) return false;
    this.#reason = `${name}: ${message}`;
    return true;
  }

  #onClosed(reason: string | null): void {
    if (reason !== null) this.kill(`it broke its channel: ${reason}`);
    else if (this.#state === "ready" || this.#state === "starting") {
      // Usually the process is ending, and its exit says more; a worker that only closed the channel is
      // useless.
      this.#terminator ??= setTimeout(() => this.kill("it closed its channel"), this.limits.pingTimeout);
    }
  }

  #finish(reason: string): void {
    const wanted = this.#state === "ending";
    this.#state = "ended";
    if (this.#terminator) clearTimeout(this.#terminator);
    this.#process.stdin.end();
    this.#started.reject(new BrokerError("start_failed", `the worker did not start: ${reason}`));
    this.#connection.end(
      wanted
        ? new BrokerError("unavailable", "the worker was stopped before it responded")
        : new BrokerError("worker_died", `the worker died: ${reason}`),
    );
    this.events.exit(wanted ? null : reason);
  }

  /** Sends a call and returns its number. Throws when the input cannot be sent. */
  call(call: WorkerCall, reply: Reply): number {
    return this.#connection.call(call, reply);
  }

  /**
   * Abandons a call and pings the worker, which gets no further calls until it answers. A cancelled call has
   * `left` milliseconds: within limits, the worker may keep working on it.
   */
  abandon(id: number, left = 0): void {
    if (!this.#connection.abandon(id) || this.#state !== "ready") return;
    const { pingTimeout } = this.limits;
    this.#connection.ping(Math.max(pingTimeout, Math.min(left, WITHDRAWN_FACTOR * pingTimeout)));
  }

  /** Answers a request of the worker. */
  respond(id: number, value: unknown): void {
    this.#connection.respond(id, value);
  }

  /** Answers a request with an error. */
  refuse(id: number, error: unknown): void {
    this.#connection.refuse(id, error);
  }

  /** Its resource usage; null when unknown. */
  usage(): Usage | null {
    return usageOf(this.#process.pid);
  }

  /** Kills the worker. Its calls fail with `reason`. */
  kill(reason: string): void {
    if (this.#state === "ended") return;
    this.#reason ??= reason;
    this.#process.kill("SIGKILL");
  }

  /** Ends the worker after `onDestroy`; kills it when that takes too long. Resolves when it has ended. */
  async terminate(): Promise<void> {
    if (this.#state !== "ended") {
      const starting = this.#state === "starting";
      this.#state = "ending";
      this.#started.reject(new BrokerError("unavailable", "the worker was stopped before it had started"));
      if (starting) this.#process.kill("SIGKILL");
      else this.#connection.send([OP.destroy]);
      this.#terminator ??= setTimeout(() => this.#process.kill("SIGKILL"), this.limits.terminateTimeout);
    }
    await this.#process.exited;
  }
}
