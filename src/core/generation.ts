/** Imports a service folder as a new generation. Only this file and `extension/owner.ts` use `Bun.ModuleGraph`. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { hintWhereItRuns } from "./checker/hints.js";
import { dataDirOfGraph, withDataDir } from "./data-dir.js";
import { isA, messageOf } from "./errors.js";
import { GRAPH_MAIN, shareHostModules } from "./generation/host-modules.js";
import { checkModule } from "./generation/module-check.js";
import { ownConsole } from "./generation/own-console.js";
import { type Invoke, ownProcess, processOfGraph } from "./generation/own-process.js";
import { forgetPackages, forgetPaths, isStale } from "./generation/stale-paths.js";
import { LoadFailure } from "./load-failure.js";
import type { LogBook } from "./log.js";
import { type Run, Scope, withTimeout } from "./scope.js";
import type { ServiceModule } from "./types.js";
import type { PendingWaits } from "./waiters.js";

/** One version of a service's code: its exports, and the scope that owns what it opens. */
export interface Generation {
  module: ServiceModule;
  scope: Scope;
  /** Ends the scope, closes everything that the code opened, and rejects pending waits for its code. */
  dispose(): Promise<void>;
}

/** Options of an import. */
export interface ImportOptions {
  /** The service's folder, absolute. */
  dir: string;
  /** The name for its log lines until the service's name is known. */
  label: string;
  logs: LogBook;
  /** How long the import may take, in milliseconds. */
  timeoutMs: number;
  /** The data folder, absolute. */
  dataDir: string;
  /** Can abandon the import. */
  waits?: PendingWaits;
}

/**
 * Imports `<dir>/index.ts` into a module graph of its own and validates its exports. Rejects with a
 * `LoadFailure`; nothing of the attempt is left then.
 */
export async function importGeneration(options: ImportOptions): Promise<Generation> {
  const { dir } = options;
  shareHostModules();
  const entry = join(dir, "index.ts");
  if (!statSync(entry, { throwIfNoEntry: false })?.isFile()) {
    throw new LoadFailure("NO_ENTRY", "find", "the folder has no index.ts.");
  }
  forgetPaths(dir);
  const importing = () => importOnce(entry, options);
  return importing().catch((error: LoadFailure) => {
    if (!isStale(firstOf(error.cause))) throw error;
    forgetPackages(dir);
    return importing();
  });
}

async function importOnce(entry: string, options: ImportOptions): Promise<Generation> {
  const { dir, label, logs, timeoutMs, dataDir, waits } = options;
  const onListener: Invoke = (event, listener) => scope.call(`listener of process "${event}"`, listener);
  const own = ownProcess(label, dataDir, onListener);
  const graph = new Bun.ModuleGraph({
    globals: { process: own.process, console: ownConsole(label, logs) },
    onError: (error, kind) => scope.fault(kind, error),
  });
  dataDirOfGraph.set(graph, dataDir);
  processOfGraph.set(graph, own.process);
  const scope = new Scope(label, logs.logger(label), graph.run.bind(graph) as Run);
  scope.own(() => own.release());
  own.onChange = (count) => {
    scope.processListeners = count;
  };
  const dispose = async () => {
    await scope.end();
    graph.dispose();
    scope.abandon();
  };
  try {
    const loading = graph.import(GRAPH_MAIN).then(() => graph.import(entry));
    const tooLong = () => {
      const message = `importing index.ts did not finish within ${timeoutMs} ms.`;
      return new LoadFailure("IMPORT_TIMEOUT", "import", message);
    };
    const exports = await withTimeout(loading, timeoutMs, tooLong, waits);
    const module = checkModule((exports as { default?: unknown }).default);
    scope.service = module.name;
    return { module, scope, dispose };
  } catch (error) {
    await dispose();
    if (isA(error, LoadFailure)) throw error;
    throw new LoadFailure("IMPORT_FAILED", "import", importMessage(error, dir), { cause: error });
  }
}

/** Wraps an already imported module object as a generation; only its scope is owned. */
export function wrapModule(exported: unknown, logs: LogBook, dataDir: string): Generation {
  const module = checkModule(exported);
  const scope = new Scope(module.name, logs.logger(module.name), (fn, ...args) =>
    withDataDir(dataDir, fn, ...args),
  );
  return {
    module,
    scope,
    dispose: async () => {
      await scope.end();
      scope.abandon();
    },
  };
}

/** The first of several errors: syntax errors come as a list, and the first one is the one to fix. */
function firstOf(error: unknown): unknown {
  return isA(error, AggregateError) && error.errors.length > 0 ? error.errors[0] : error;
}

/** The error of an import of React, which is not installed, from a file with JSX. */
const WITHOUT_REACT = /Cannot find \w+ 'react(\/jsx-[\w-]+)?'.*\.[jt]sx\b/;

const WHOSE_JSX =
  " (JSX defaults to React. For hono/jsx, start the file with /** @jsxImportSource hono/jsx */)";

function importMessage(error: unknown, dir: string): string {
  const first = firstOf(error);
  const { position } = Object(first) as { position?: { file: string; line: number; column: number } | null };
  const where = position ? ` (${position.file}:${position.line}:${position.column})` : "";
  const message = `importing index.ts failed: ${messageOf(first)}${where}`.replaceAll(`${dir}/`, "");
  return (WITHOUT_REACT.test(message) ? message + WHOSE_JSX : message) + hintWhereItRuns(first);
}
