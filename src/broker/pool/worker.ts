import { join } from "node:path";
import { Channel, MessageTooLarge } from "../channel.js";
import { BrokerError } from "../errors.js";
import type { BrokerLimits } from "../limits.js";
import type { LoadedPlugin } from "../manifest.js";
import { memoryOf } from "../memory.js";
import { OP, type WireError, type WireRequest, type WorkerSetup } from "../protocol.js";
import type { FileRule } from "../sandbox/landlock.js";
import { BUN } from "../sandbox/launcher-command.js";
import { type ConfinedProcess, spawnConfined, workerRules } from "../sandbox/spawn.js";
import { readWire, toWire } from "../worker/wire-error.js";
import { checksSource } from "../worker-checks.js";
import { forwardLines } from "./output.js";

/** Everything needed to start one worker. */
export interface WorkerSpec {
  setup: WorkerSetup;
  plugin: LoadedPlugin;
  env: Record<string, string>;
  layers: FileRule[][];
  proxySocket: string | null;
  confined: boolean;
}

/** What a worker tells its owner. */
export interface WorkerEvents {
  log(stream: "stdout" | "stderr" | "broker", line: string): void;
  /** The worker asks the broker for something on behalf of a call (0: of none). */
  request(id: number, parent: number, request: WireRequest): void;
  /** It withdraws such a request. */
  withdraw(id: number): void;
  /** It answers again after it was in doubt. */
  recovered(): void;
  /** It has ended. `reason` is null when it was asked to end. */
  exit(reason: string | null): void;
}

/** What a worker is told of a call. */
export interface WorkerCall {
  method: string;
  input: unknown;
  /** Whether the worker is to check the input. */
  isToCheck: boolean;
  caller: string;
  /** Milliseconds left, asked when the call is handed over. */
  remaining(): number;
}

/** The two ways a call in a worker ends. */
export interface Reply {
  resolve(value: unknown): void;
  reject(error: BrokerError | WireError): void;
}

const ENTRY = join(import.meta.dir, "..", "worker", "entry.ts");
/** Messages that nobody asked for, in so many milliseconds. */
const MAX_STRAYS = 1_000;
const STRAYS_WINDOW_MS = 10_000;

/** How much longer it may be busy with a call that was withdrawn than with one that missed its deadline. */
const WITHDRAWN_PATIENCE = 10;

/** One process that runs one service under one set of permissions. */
export class Worker {
  /** When it last had a call in flight. */
  lastUsed = performance.now();
  readonly inFlight = new Map<number, Reply>();
  #process: ConfinedProcess;
  #channel: Channel | null = null;
  #started = Promise.withResolvers<void>();
  #state: "starting" | "ready" | "ending" | "ended" = "starting";
  #reason: string | null = null;
  #lastId = 0;
  #strays = 0;
  #straysSince = performance.now();
  /** Requests that it made, and that it withdrew. */
  #requested = 0;
  #withdrawn = 0;
  #pinged: ReturnType<typeof setTimeout> | null = null;
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
        argv: [BUN, "--no-install", "--no-addons", ENTRY],
        env: spec.env,
        cwd: spec.plugin.code.path,
        base: workerRules(spec.plugin),
        layers: spec.layers,
        proxySocket: spec.proxySocket,
        children: false,
      },
    });
    this.#started.promise.catch(() => undefined);
    void this.#run();
  }

  get state(): "starting" | "ready" | "ending" | "ended" {
    return this.#state;
  }

  /** Whether a call would be taken up now: it is ready, and has not just missed a deadline. */
  get isResponsive(): boolean {
    return this.#state === "ready" && this.#pinged === null;
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Resolves when the service is loaded and `onInit` is through; rejects when it cannot start. */
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
      this.#channel = await Channel.open(Number(this.#process.stdio[3]), this.limits, {
        onMessage: (message) => this.#receive(message),
        onClose: (reason) => this.#onChannelClosed(reason),
      });
      this.#channel.send([OP.init, this.spec.setup]);
      if (this.spec.setup.schemas) void this.#sendChecks();
    } catch (error) {
      this.kill(`its channel failed: ${toWire(error).message}`);
    }
    const code = await this.#process.exited;
    this.#finish(this.#reason ?? `it ended with ${this.#process.signalCode ?? `exit code ${code}`}`);
    await outputs;
  }

  /** After all else: few values need it, and the first time it has to be made. */
  async #sendChecks(): Promise<void> {
    try {
      this.#channel?.send([OP.checks, await checksSource()]);
    } catch (error) {
      this.kill(`it cannot be given the code for its checks: ${toWire(error).message}`);
    }
  }

  #onLine(stream: "stdout" | "stderr", line: string): void {
    const isNoStart = stream === "stderr" && this.#state === "starting" && line.startsWith("sandbox: ");
    if (isNoStart) this.#reason ??= line;
    this.events.log(stream, this.#shown(line));
  }

  #errorOf(thrown: unknown): WireError {
    const error = readWire(thrown);
    return { ...error, message: this.#shown(error.message) };
  }

  /** Its files as its author knows them: nobody is to look for a mistake in the copy, or to mend it there. */
  #shown(text: string): string {
    const { code, root } = this.spec.plugin;
    return text.replaceAll(code.path, root);
  }

  #onChannelClosed(reason: string | null): void {
    if (reason !== null) this.kill(`it broke its channel: ${reason}`);
    else if (this.#state === "ready" || this.#state === "starting") {
      // Usually its end, of which the exit tells more; a worker that only hung up is of no use.
      this.#terminator ??= setTimeout(() => this.kill("it closed its channel"), this.limits.pingTimeout);
    }
  }

  #finish(reason: string): void {
    const wanted = this.#state === "ending";
    this.#state = "ended";
    if (this.#pinged) clearTimeout(this.#pinged);
    if (this.#terminator) clearTimeout(this.#terminator);
    this.#process.stdin.end();
    this.#channel?.close();
    this.#started.reject(new BrokerError("start_failed", `the worker did not start: ${reason}`));
    const lost = [...this.inFlight.values()];
    this.inFlight.clear();
    const error = wanted
      ? new BrokerError("unavailable", "the worker was ended before it answered")
      : new BrokerError("worker_died", `the worker died: ${reason}`);
    for (const reply of lost) reply.reject(error);
    this.events.exit(wanted ? null : reason);
  }

  /** Hands a call over and returns its number. Throws when the input cannot be sent. */
  call(call: WorkerCall, reply: Reply): number {
    const { method, input, caller, isToCheck } = call;
    const id = ++this.#lastId;
    try {
      this.#channel?.send([OP.call, id, method, input, call.remaining(), caller, isToCheck]);
    } catch (error) {
      const tooLarge = error instanceof MessageTooLarge;
      throw new BrokerError(
        "invalid_input",
        tooLarge ? error.message : "the input is not JSON",
        {},
        { cause: error },
      );
    }
    this.inFlight.set(id, reply);
    return id;
  }

  /**
   * No longer waits for a call, and makes sure that the worker still lives; until it shows that, it gets no further
   * calls. A call that its caller withdrew has `left` milliseconds: within reason the worker may still be at work on it.
   */
  abandon(id: number, left = 0): void {
    if (!this.inFlight.delete(id)) return;
    this.lastUsed = performance.now();
    this.#strays--;
    this.#channel?.send([OP.cancel, id]);
    if (this.#pinged || this.#state !== "ready") return;
    this.#channel?.send([OP.ping]);
    const { pingTimeout } = this.limits;
    const patience = Math.max(pingTimeout, Math.min(left, WITHDRAWN_PATIENCE * pingTimeout));
    this.#pinged = setTimeout(
      () => this.kill(`it did not answer for ${patience} ms after a call that was given up`),
      patience,
    );
  }

  /** Answers a request of the worker. */
  respond(id: number, value: unknown): void {
    try {
      this.#channel?.send([OP.result, id, value]);
    } catch (error) {
      this.refuse(id, new BrokerError("invalid_output", toWire(error).message));
    }
  }

  refuse(id: number, error: unknown): void {
    const { details, ...wire } = toWire(error);
    try {
      this.#channel?.send([OP.error, id, { ...wire, details }]);
    } catch (tooLarge) {
      // What a plugin puts in its errors may be of any size.
      if (!(tooLarge instanceof MessageTooLarge)) throw tooLarge;
      this.#channel?.send([OP.error, id, wire]);
    }
  }

  #receive(message: unknown[]): void {
    switch (message[0]) {
      case OP.result:
        this.#settle(message[1], (reply) => reply.resolve(message[2]));
        return;
      case OP.error:
        this.#settle(message[1], (reply) => reply.reject(this.#errorOf(message[2])));
        return;
      case OP.nested:
        this.#onNested(message);
        return;
      case OP.cancel:
        // Each request can be withdrawn once, also one that was answered a moment ago.
        if (++this.#withdrawn > this.#requested) this.#stray();
        else this.events.withdraw(Number(message[1]));
        return;
      case OP.pong:
        if (this.#pinged === null) {
          this.#stray();
          return;
        }
        clearTimeout(this.#pinged);
        this.#pinged = null;
        this.events.recovered();
        return;
      case OP.ready:
        if (this.#state !== "starting") {
          this.#stray();
          return;
        }
        this.#state = "ready";
        this.lastUsed = performance.now();
        this.#started.resolve();
        return;
      case OP.fatal: {
        if (this.#reason !== null) {
          this.#stray();
          return;
        }
        const { name, message: text } = this.#errorOf(message[1]);
        this.#reason = `${name}: ${text}`;
        return;
      }
      default:
        this.#stray();
    }
  }

  #settle(id: unknown, how: (reply: Reply) => void): void {
    const reply = this.inFlight.get(id as number);
    if (!reply) {
      this.#stray();
      return;
    }
    this.inFlight.delete(id as number);
    this.lastUsed = performance.now();
    how(reply);
  }

  #onNested([, id, parent, request]: unknown[]): void {
    const wanted = request as WireRequest | null;
    if (
      typeof id !== "number" ||
      typeof parent !== "number" ||
      typeof wanted !== "object" ||
      wanted === null
    ) {
      this.#stray();
      return;
    }
    this.#requested++;
    this.events.request(id, parent, wanted);
  }

  /** Late answers to abandoned calls are ordinary; a flood of them is not. */
  #stray(): void {
    const now = performance.now();
    if (now - this.#straysSince > STRAYS_WINDOW_MS) {
      // Calls that were given up may still be answered.
      this.#strays = Math.min(this.#strays, 0);
      this.#straysSince = now;
    }
    if (++this.#strays > MAX_STRAYS) this.kill(`it sent more than ${MAX_STRAYS} messages nobody asked for`);
  }

  /** What it holds in bytes, or null when it cannot be told. */
  memory(): number | null {
    return memoryOf(this.#process.pid);
  }

  /** Ends it now. The reason reaches whoever waits for it. */
  kill(reason: string): void {
    if (this.#state === "ended") return;
    this.#reason ??= reason;
    this.#process.kill("SIGKILL");
  }

  /** Lets `onDestroy` run and ends it; kills it when that takes too long. Resolves when it is gone. */
  async terminate(): Promise<void> {
    if (this.#state !== "ended") {
      const starting = this.#state === "starting";
      this.#state = "ending";
      this.#started.reject(new BrokerError("unavailable", "the worker was ended before it had started"));
      if (starting) this.#process.kill("SIGKILL");
      else this.#channel?.send([OP.destroy]);
      this.#terminator ??= setTimeout(() => this.#process.kill("SIGKILL"), this.limits.terminateTimeout);
    }
    await this.#process.exited;
  }
}
