/** Tries a staged package: in a child process as the server would load it, and by its own tests. */
import { join, resolve } from "node:path";
import { ChildChecker, type ModuleFacts } from "../../src/core/checker.js";
import { LoadFailure } from "../../src/core/load-failure.js";
import type { ServiceRegistry } from "../../src/core/registry-types.js";
import { InstallError, printable } from "./errors.js";
import { cleanEnvironment, run } from "./process.js";
import type { Room } from "./room.js";

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
export async function validateService(room: Room, options: ValidateOptions): Promise<ModuleFacts> {
  const { registry, dirName, timeoutMs, signal } = options;
  const checker = new ChildChecker({ servicesDir: room.services, timeoutMs });
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
    const by = taken.dirName === undefined ? "a service that has no folder" : `the folder "${taken.dirName}"`;
    throw new InstallError(409, "validate", `its service is called "${name}", which ${by} already provides.`);
  }
  const loaded = new Set(services.filter(({ state }) => state === "loaded").map((service) => service.name));
  const missing = dependencies.filter((need) => !loaded.has(need));
  if (missing.length > 0) {
    const list = missing.map((need) => `"${need}"`).join(", ");
    throw new InstallError(400, "validate", `it needs ${list}; install or enable that first.`);
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

const CONFLICTS = new Set(["DUPLICATE_NAME", "IN_USE", "PROTECTED", "DISABLED"]);

/** A failure to load, as the installer answers it. */
export function asInstallError(error: unknown, step: "validate" | "load" | "remove"): unknown {
  if (!(error instanceof LoadFailure)) return error;
  const status = CONFLICTS.has(error.code) ? 409 : 400;
  return new InstallError(status, step, error.message, { code: error.code }, { cause: error });
}

export interface TestOutcome {
  /** `skipped`: the package has no tests. */
  status: "passed" | "skipped";
  passed: number;
}

const TEST_FILES = new Bun.Glob("**/*{.test,_test,.spec,_spec}.{ts,tsx,js,jsx,mts,mjs,cts,cjs}");
const PRELOAD = resolve(import.meta.dir, "..", "..", "src", "core", "test-preload.ts");
const TEST_TIMEOUT_MS = 20_000;

/**
 * Runs the package's tests with a data folder of their own.
 *
 * @throws InstallError with status 400 when one fails; its message names the first ones.
 */
export async function runTests(dir: string, room: Room, signal: AbortSignal): Promise<TestOutcome> {
  if (!hasTests(dir)) return { status: "skipped", passed: 0 };
  const { code, stderr } = await run(
    [process.execPath, "test", `--preload=${PRELOAD}`, `--timeout=${TEST_TIMEOUT_MS}`],
    {
      cwd: dir,
      env: cleanEnvironment({ HOME: room.path, REEF_DATA_DIR: join(room.path, "test-data"), NO_COLOR: "1" }),
      signal,
      step: "test",
    },
  );
  const count = (word: string) => Number(new RegExp(`^\\s*(\\d+) ${word}\\b`, "m").exec(stderr)?.[1] ?? 0);
  if (code === 0 && count("pass") > 0) return { status: "passed", passed: count("pass") };
  const failed = [...stderr.matchAll(/^\(fail\) (.+?)(?: \[[\d.]+ms\])?$/gm)].map((match) => match[1] as string);
  const why = failed.length > 0 ? failed.slice(0, 5).join("; ") : stderr.split("\n").filter((line) => /error/i.test(line)).join("; ");
  const summary = `${count("fail") || "some"} of its tests failed: ${printable(why, 400)}`;
  throw new InstallError(400, "test", summary, { output: stderr.slice(-8000) });
}

function hasTests(dir: string): boolean {
  for (const path of TEST_FILES.scanSync({ cwd: dir, followSymlinks: false })) {
    if (!path.includes("node_modules/")) return true;
  }
  return false;
}
