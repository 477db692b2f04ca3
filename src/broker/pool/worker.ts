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
import { Conversation, type Listener, type Reply, type WorkerCall } from "./conversation.js";
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
export interface WorkerEvents extends Pick<Listener, "request" | "withdraw" | "recovered"> {
  log(stream: "stdout" | "stderr" | "broker", line: string): void;
  /** It has ended. `reason` is null when it was asked to end. */
  exit(reason: string | null): void;
}

const ENTRY = join(import.meta.dir, "..", "worker", "entry.ts");
/** How much longer it may be busy with a call that was withdrawn than with one that missed its deadline. */
const WITHDRAWN_PATIENCE = 10;

/** One process that runs one service under one set of permissions. */
export class Worker {
  readonly #process: ConfinedProcess;
  readonly #conversation: Conversation;
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
    this.#conversation = new Conversation(limits, {
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

  /** Whether a call would be taken up: it is ready, reads what it is sent, and has not just missed a deadline. */
  get isResponsive(): boolean {
    return this.#state === "ready" && this.#conversation.isOpen;
  }

  /** When it last had a call in flight. */
  get lastUsed(): number {
    return this.#conversation.lastUsed;
  }

  /** The calls that it is answering, by their numbers. */
  get inFlight(): ReadonlyMap<number, Reply> {
    return this.#conversation.inFlight;
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
      await this.#conversation.begin(Number(this.#process.stdio[3]), this.spec.setup);
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
      this.#conversation.send([OP.checks, await checksSource()]);
    } catch (error) {
      this.kill(`it did not receive the code for its checks: ${toWire(error).message}`);
    }
  }

  #onLine(stream: "stdout" | "stderr", line: string): void {
    const isNoStart = stream === "stderr" && this.#state === "starting" && line.startsWith("sandbox: ");
    if (isNoStart) this.#reason ??= line;
    this.events.log(stream, this.#shown(line));
  }

  /** Its files as its author knows them: nobody is to look for a mistake in the copy, or to mend it there. */
  #shown(text: string): string {
    const { code, root } = this.spec.plugin;
    return text.replaceAll(code.path, root);
  }

  #onReady(): boolean {
    if (this.#state !== "starting") return false;
    this.#state = "ready";
    this.#conversation.lastUsed = performance.now();
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
      // Usually its end, of which the exit tells more; a worker that only hung up is of no use.
      this.#terminator ??= setTimeout(() => this.kill("it closed its channel"), this.limits.pingTimeout);
    }
  }

  #finish(reason: string): void {
    const wanted = this.#state === "ending";
    this.#state = "ended";
    if (this.#terminator) clearTimeout(this.#terminator);
    this.#process.stdin.end();
    this.#started.reject(new BrokerError("start_failed", `the worker did not start: ${reason}`));
    this.#conversation.end(
      wanted
        ? new BrokerError("unavailable", "the worker was stopped before it responded")
        : new BrokerError("worker_died", `the worker died: ${reason}`),
    );
    this.events.exit(wanted ? null : reason);
  }

  /** Hands a call over and returns its number. Throws when the input cannot be sent. */
  call(call: WorkerCall, reply: Reply): number {
    return this.#conversation.call(call, reply);
  }

  /**
   * No longer waits for a call, and makes sure that the worker still lives; until it shows that, it gets no further
   * calls. A call that its caller withdrew has `left` milliseconds: within reason the worker may still be at work on it.
   */
  abandon(id: number, left = 0): void {
    if (!this.#conversation.abandon(id) || this.#state !== "ready") return;
    const { pingTimeout } = this.limits;
    this.#conversation.ping(Math.max(pingTimeout, Math.min(left, WITHDRAWN_PATIENCE * pingTimeout)));
  }

  /** Answers a request of the worker. */
  respond(id: number, value: unknown): void {
    this.#conversation.respond(id, value);
  }

  /** Answers it with an error. */
  refuse(id: number, error: unknown): void {
    this.#conversation.refuse(id, error);
  }

  /** What it uses of the machine, or null when it cannot be told. */
  usage(): Usage | null {
    return usageOf(this.#process.pid);
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
      this.#started.reject(new BrokerError("unavailable", "the worker was stopped before it had started"));
      if (starting) this.#process.kill("SIGKILL");
      else this.#conversation.send([OP.destroy]);
      this.#terminator ??= setTimeout(() => this.#process.kill("SIGKILL"), this.limits.terminateTimeout);
    }
    await this.#process.exited;
  }
}
