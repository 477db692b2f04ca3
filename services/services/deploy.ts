/** Deploys a folder: validate → test → load → verify, all or nothing. */

import { readConfig } from "../../src/core/config.js";
import { messageOf, ReefError } from "../../src/core/errors.js";
import { yieldToEventLoop } from "../../src/core/event-loop.js";
import { KeyedMutex } from "../../src/core/keyed-mutex.js";
import { type FailureStatus, failureStatus, LoadFailure } from "../../src/core/load-failure.js";
import { checkRouteDocs } from "../../src/core/route-docs.js";
import type { ServiceContext } from "../../src/core/types.js";
import { untilAborted } from "../../src/core/waiters.js";
import type { Announcer } from "./announce.js";
import { assertChangeable } from "./names.js";
import { probe } from "./probe.js";
import { type DeployReport, StepRecorder } from "./report.js";

/** A step that said no. Its message is all there is to say, in one line or more. */
class StepFailed extends Error {}

export interface DeployResult {
  report: DeployReport;
  /** 200 when deployed, else what the failure calls for; 400 for a step that said no. */
  status: 200 | FailureStatus;
}

export class Deployer {
  readonly #ctx: ServiceContext;
  readonly #announcer: Announcer;
  readonly #mutex = new KeyedMutex();
  readonly #ending = new AbortController();
  readonly #running = new Set<Promise<unknown>>();

  constructor(ctx: ServiceContext, announcer: Announcer) {
    this.#ctx = ctx;
    this.#announcer = announcer;
  }

  /**
   * Deploys the present code of a service. Resolves with the report, deployed or not. Deploys of one service run
   * one after the other.
   */
  async deploy(name: string): Promise<DeployResult> {
    let found: { dirName: string; dir: string };
    try {
      assertChangeable(name, this.#ctx.name);
      found = this.#ctx.registry.locate(name);
    } catch (error) {
      const recorder = new StepRecorder(() => undefined);
      return failed(recorder, name, error);
    }
    const { dirName, dir } = found;
    const running = this.#mutex.runExclusive(dirName, () => this.#run(name, dirName, dir));
    this.#running.add(running);
    return running.finally(() => this.#running.delete(running));
  }

  /** Ends the deploys that have not come to their load, which then fail for this reason. Resolves when all are over. */
  async end(reason: unknown): Promise<void> {
    this.#ending.abort(reason);
    await Promise.allSettled(this.#running);
  }

  async #run(name: string, dirName: string, dir: string): Promise<DeployResult> {
    const { step: announce } = this.#announcer.deploy(name, dirName);
    const recorder = new StepRecorder((step, status, outcome) => announce({ ...outcome, step, status }));
    const startedAt = performance.now();
    const result = await this.#steps(recorder, name, dirName, dir);
    const { report } = result;
    announce({
      step: "deploy",
      status: report.deployed ? "passed" : "failed",
      detail: report.error ?? `${report.name} is serving version ${report.generation}`,
      durationMs: Math.round(performance.now() - startedAt),
    });
    return result;
  }

  async #steps(recorder: StepRecorder, name: string, dirName: string, dir: string): Promise<DeployResult> {
    const { registry } = this.#ctx;
    const { signal } = this.#ending;
    const { steps } = recorder;
    try {
      recorder.begin("validate");
      const { digest, tried } = await untilAborted(registry.check(dirName), signal);
      if (tried) recorder.end("passed", "it imports and starts in a separate process");
      else recorder.end("skipped", "code checks are turned off (REEF_CHECK=off)");

      recorder.begin("test");
      const { runTests } = await import("./test-run.js");
      const verdict = await runTests({ dir, timeoutMs: readConfig().testTimeoutMs, signal });
      if (verdict.status === "failed") throw new StepFailed(verdict.detail);
      recorder.end(verdict.status, verdict.detail);
      await yieldToEventLoop();
      // What is begun after this is finished, whatever ends meanwhile.
      signal.throwIfAborted();

      recorder.begin("load");
      let seen = "";
      let warnings: string[] = [];
      const loaded = await registry.load(dirName, {
        digest,
        verify: async (candidate) => {
          recorder.passTo("verify", "started beside the running version");
          seen = await probe(candidate);
          warnings = checkRouteDocs(candidate.module);
        },
      });
      const now = registry.get(loaded.name);
      if (now?.digest !== digest)
        throw new StepFailed("another change loaded different code at the same time; deploy again");
      recorder.end("passed", `version ${now.generation} is serving; ${seen}`);
      const { generation } = now;
      const { foreignImports } = await import("./foreign-imports.js");
      warnings.push(...(await foreignImports(dir).catch(() => ["its imports could not be checked"])));
      warnings.push(...(await this.#toolProblems(loaded.name)));
      const report = { name: loaded.name, steps, deployed: true, generation, digest, warnings };
      return { status: 200, report };
    } catch (error) {
      return failed(recorder, name, error);
    }
  }

  /** What agents will not have of the service's tools, and why. */
  async #toolProblems(name: string): Promise<string[]> {
    const { registerTools, toolProvider } = this.#ctx.getModule(name) ?? {};
    if (!registerTools && !toolProvider) return [];
    const { describeTools } = await import("../../src/agent/index.js");
    return describeTools(this.#ctx)
      .problems.filter(({ service }) => service === name)
      .map(({ tool, error }) => `tool${tool === undefined ? "s" : ` "${tool}"`}: ${error}`);
  }
}

function statusOf(error: unknown): FailureStatus {
  if (error instanceof LoadFailure) return failureStatus(error);
  return error instanceof ReefError && error.code === "BUSY" ? 503 : 400;
}

function failed(recorder: StepRecorder, name: string, error: unknown): DeployResult {
  const status = statusOf(error);
  // It was started once more after it had been looked at, since the store was used meanwhile.
  if (error instanceof LoadFailure && error.step !== "verify") recorder.reopen("load");
  const text = error instanceof StepFailed ? error.message : messageOf(error);
  const [summary = ""] = text.split("\n", 1);
  const report = { name, steps: recorder.steps, deployed: false, error: recorder.fail(summary, text) };
  return { status, report };
}
