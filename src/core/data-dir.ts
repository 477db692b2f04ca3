/** Determines the data folder. Several servers can run in one process, each with its own. */
import { AsyncLocalStorage } from "node:async_hooks";
import { resolve } from "node:path";

type Environment = Record<string, string | undefined>;

/** The data folder of each module graph. */
export const dataDirOfGraph = new WeakMap<object, string>();
const current = new AsyncLocalStorage<string>();

const ended = new Set<string>();

/** Marks a data folder as retired: stores that resolved to it resolve their path again at the next use. */
export function endDataDir(dir: string): void {
  ended.add(dir);
}

/** Whether {@link endDataDir} was called for a folder. */
export function hasEnded(dir: string): boolean {
  return ended.has(dir);
}

/** Runs `fn` with `dir` as the data folder, for code that has no module graph of its own. */
export function withDataDir<A extends unknown[], R>(dir: string, fn: (...args: A) => R, ...args: A): R {
  return current.run(dir, fn, ...args);
}

/** `REEF_DATA_DIR` as an absolute path. The default is `data` below the working directory. */
export function dataDirOf(env: Environment): string {
  return resolve(env.REEF_DATA_DIR || "data");
}

/**
 * The absolute path of the data folder: that of the server whose service is running, else what the environment
 * says. Evaluated at each call.
 */
export function dataDir(env?: Environment): string {
  if (env) return dataDirOf(env);
  const graph = Bun.ModuleGraph.current;
  return (graph && dataDirOfGraph.get(graph)) ?? current.getStore() ?? dataDirOf(process.env);
}
