/** Tries a staged package: in a child process as the server would load it, and by its own tests. */
import { realpathSync } from "node:fs";
import { ChildChecker, type ModuleFacts } from "../../../src/core/checker.js";
import { contentDigest } from "../../../src/core/code/digest.js";
import {
  asLoadFailure,
  changedMeanwhile,
  failureStatus,
  LoadFailure,
} from "../../../src/core/load-failure.js";
import type { ServiceRegistry } from "../../../src/core/registry-types.js";
import type { TestVerdict } from "../../services/test-run/verdict.js";
import { runTests } from "../../services/test-run.js";
import { InstallError, isForbidden, printable, type Step } from "../errors.js";
import type { Workspace } from "../workspace.js";

export interface ValidateOptions {
  registry: ServiceRegistry;
  servicesDir: string;
  dirName: string;
  /** How long importing and `init` may each take, in milliseconds. */
  timeoutMs: number;
  signal: AbortSignal;
}

/**
 * Imports and starts the staged service beside the services it needs. Returns what it says about itself.
 *
 * @throws InstallError 409 when its name is taken, else 400 with what its author has to mend.
 */
export async function validateService(workspace: Workspace, options: ValidateOptions): Promise<ModuleFacts> {
  const { registry, dirName, timeoutMs, signal } = options;
  const checker = new ChildChecker({ servicesDir: workspace.services, timeoutMs });
  const end = () => void checker.close();
  signal.addEventListener("abort", end);
  try {
    const facts = await checker.import(dirName);
    assertFits(facts, registry, dirName);
    const order = startOrder(facts.dependencies, registry);
    if (facts.hasInit && order) await checker.start([...order, dirName]);
    return facts;
  } catch (error) {
    signal.throwIfAborted();
    throw asInstallError(error, "validate");
  } finally {
    signal.removeEventListener("abort", end);
    await checker.close();
  }
}

function assertFits({ name, dependencies }: ModuleFacts, registry: ServiceRegistry, dirName: string): void {
  const services = registry.list();
  const taken = services.find((service) => service.name === name && service.dirName !== dirName);
  if (taken) {
    const by = taken.dirName === undefined ? "a service without a folder" : `the folder "${taken.dirName}"`;
    throw new InstallError(409, "validate", `the service name "${name}" is already used by ${by}.`);
  }
  const loaded = new Set(services.filter(({ state }) => state === "loaded").map((service) => service.name));
  const missing = dependencies.filter((need) => !loaded.has(need));
  if (missing.length > 0) {
    const list = missing.map((need) => `"${need}"`).join(", ");
    throw new InstallError(400, "validate", `it depends on ${list}; install or enable that first.`);
  }
}

/** The folders of what is needed, dependencies first; undefined when one of them has no folder to start from. */
function startOrder(names: readonly string[], registry: ServiceRegistry): string[] | undefined {
  const folders = new Set<string>();
  let complete = true;
  const visit = (name: string) => {
    const service = registry.get(name);
    for (const need of service?.module?.dependencies ?? []) visit(need);
    if (service?.dirName === undefined) complete = false;
    else folders.add(service.dirName);
  };
  for (const name of names) visit(name);
  return complete ? [...folders] : undefined;
}

/** A failure to load, as the installer answers it. */
export function asInstallError(error: unknown, step: Step): unknown {
  if (!(error instanceof LoadFailure)) return error;
  return new InstallError(failureStatus(error), step, error.message, { code: error.code }, { cause: error });
}

/** The same for what was thrown while somebody else's folder was looked at, which may be closed. */
export function asUnreadable(error: unknown, step: Step): unknown {
  return asInstallError(isForbidden(error) ? asLoadFailure(error) : error, step);
}

/**
 * Runs the tests of the staged package, away from the server's data.
 *
 * @throws InstallError with status 400 when they do not pass; its details hold the end of their output. 409 when the
 * code is another one after them.
 */
export async function testPackage(
  { incoming }: Workspace,
  dirName: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<TestVerdict> {
  const digest = contentDigest(incoming);
  const verdict = await runTests({ dir: realpathSync(incoming), timeoutMs, signal });
  signal.throwIfAborted();
  if (verdict.status !== "failed") {
    if (contentDigest(incoming) === digest) return verdict;
    throw asInstallError(changedMeanwhile(dirName), "test");
  }
  const [summary = "", ...output] = verdict.detail.split("\n");
  throw new InstallError(400, "test", printable(summary, 400), { output: output.join("\n") });
}
