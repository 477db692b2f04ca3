/**
 * A process beside the server that runs tests of services. Starting a process, seeing it end, looking for what it has
 * left and reading what it prints take the server's one thread for milliseconds each; there they are in nobody's way.
 */
import { join } from "node:path";
import { messageOf } from "../../../src/core/errors.js";
import { sourcePreload } from "../../../src/core/preloads.js";
import { endProcessTree } from "../../../src/core/process-tree.js";
import { MARK, type TestExecution } from "./execution.js";
import type { KeeperAnswer, KeeperRequest } from "./keeper-child.js";
import type { TestVerdict } from "./verdict.js";

interface Run {
  resolve(verdict: TestVerdict): void;
  reject(reason: unknown): void;
  mark: string;
}

const CHILD = join(import.meta.dir, "keeper-child.ts");

/** Without a run for so long it is ended, in milliseconds. */
const IDLE_MS = 60_000;

export class TestKeeper {
  /** Whether it takes no more runs. */
  ended = false;
  readonly #process: Bun.Subprocess<"ignore", "ignore", "inherit">;
  readonly #runs = new Map<number, Run>();
  #numbers = 0;
  #idle: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    this.#process = Bun.spawn(
      [process.execPath, "--no-install", "--no-orphans", "--preload", sourcePreload, CHILD],
      {
        env: environment(),
        detached: true,
        stdin: "ignore",
        stdout: "ignore",
        stderr: "inherit",
        serialization: "json",
        ipc: (message) => this.#heard(message as KeeperAnswer),
        onExit: (_process, code, signal) => this.#gone(signal ? `signal ${signal}` : `exit code ${code}`),
      },
    );
    this.#process.unref();
  }

  /** Resolves with what came of the tests; rejects with the signal's reason, and when the process ends. */
  async run({ signal, ...execution }: Omit<TestExecution, "mark" | "server">): Promise<TestVerdict> {
    const number = ++this.#numbers;
    const mark = Bun.randomUUIDv7();
    const { promise, resolve, reject } = Promise.withResolvers<TestVerdict>();
    this.#runs.set(number, { resolve, reject, mark });
    clearTimeout(this.#idle);
    const end = () => this.#send({ number, end: true });
    signal.addEventListener("abort", end);
    try {
      this.#send({ ...execution, number, mark, server: process.pid });
      return await promise;
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener("abort", end);
      this.#runs.delete(number);
      if (this.#runs.size === 0) this.#waitForMore();
    }
  }

  #send(request: KeeperRequest): void {
    try {
      this.#process.send(request);
    } catch (error) {
      // It has just ended, and who waits for its runs is about to be told.
      this.ended = true;
      console.debug(`the test process does not accept requests: ${messageOf(error)}`);
    }
  }

  #heard({ number, verdict, error }: KeeperAnswer): void {
    const run = this.#runs.get(number);
    if (verdict) run?.resolve(verdict);
    else run?.reject(new Error(`the tests could not be run: ${error}`));
  }

  #waitForMore(): void {
    this.#idle = setTimeout(() => {
      this.ended = true;
      this.#process.kill();
    }, IDLE_MS);
    this.#idle.unref();
  }

  /** Ends what it was looking after. */
  #gone(how: string): void {
    this.ended = true;
    clearTimeout(this.#idle);
    for (const { mark, reject } of this.#runs.values()) {
      endProcessTree(this.#process.pid, `${MARK}=${mark}`)
        .catch((error) => console.warn(`processes left by a test run cannot be stopped: ${messageOf(error)}`))
        .finally(() => reject(new Error(`the test process ended (${how})`)));
    }
  }
}

/** Nothing that would lead tests to the running server, its token or its data. */
function environment(): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(process.env).filter(([key]) => !/^(VERS|REEF)_/.test(key)));
}
