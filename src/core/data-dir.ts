/** Which data folder is it? Several servers can run in one process, each with its own. */
import { AsyncLocalStorage } from "node:async_hooks";
import { resolve } from "node:path";

type Environment = Record<string, string | undefined>;

/** The data folder of the code in each graph. */
export const dataDirOfGraph = new WeakMap<object, string>();
const current = new AsyncLocalStorage<string>();

const ended = new Set<string>();

/** Says that nobody works in `dir` any more: stores that were at home there find themselves another folder. */
export function endDataDir(dir: string): void {
  ended.add(dir);
}

/** Whether {@link endDataDir} was told so. */
export function hasEnded(dir: string): boolean {
  return ended.has(dir);
}

/** Runs `fn` with `dir` as the data folder, for code that has no graph of its own. */
export function withDataDir<A extends unknown[], R>(dir: string, fn: (...args: A) => R, ...args: A): R {
  return current.run(dir, fn, ...args);
}

/** `REEF_DATA_DIR` as an absolute path. The default is `data` below the working directory. */
export function dataDirOf(env: Environment): string {
  return resolve(env.REEF_DATA_DIR || "data");
}

/**
 * The data folder of the server whose service is running, as an absolute path; outside of services, what the
 * environment says. Determined at each call.
 */
export function dataDir(env?: Environment): string {
  if (env) return dataDirOf(env);
  const graph = Bun.ModuleGraph.current;
  return (graph && dataDirOfGraph.get(graph)) ?? current.getStore() ?? dataDirOf(process.env);
}
