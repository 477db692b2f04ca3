/** A folder becomes a fresh generation of a service. The only file that knows `Bun.ModuleGraph`. */
import { join } from "node:path";
import { format } from "node:util";
import { messageOf } from "./errors.js";
import { shareHostModules } from "./host-modules.js";
import { LoadFailure } from "./load-failure.js";
import type { LogBook, LogLevel } from "./log.js";
import { checkModule } from "./module-check.js";
import { type Run, Scope, within } from "./scope.js";
import type { ServiceModule } from "./types.js";

/** One version of a service's code: what it exports, and the scope that owns what it opens. */
export interface Generation {
  module: ServiceModule;
  scope: Scope;
  /** Ends the scope, closes everything that the code opened, and releases those who wait for it. */
  dispose(): Promise<void>;
}

// Being imported first makes this file the graph's main module, so that `import.meta.main` is false in services.
const GRAPH_MAIN = join(import.meta.dir, "graph-main.ts");

/**
 * Imports `<dir>/index.ts` into a graph of its own and checks what it exports. Rejects with a `LoadFailure`;
 * then nothing of the attempt is left.
 */
export async function importGeneration(
  dir: string,
  label: string,
  logs: LogBook,
  timeoutMs: number,
): Promise<Generation> {
  await shareHostModules();
  const entry = join(dir, "index.ts");
  if (!(await Bun.file(entry).exists())) {
    throw new LoadFailure("NO_ENTRY", "find", "the folder has no index.ts.");
  }
  const own = ownProcess(label);
  const graph = new Bun.ModuleGraph({
    globals: { process: own.process, console: ownConsole(label, logs) },
    onError: (error, kind) => scope.fault(kind, error),
  });
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
    const exports = await within(
      loading,
      timeoutMs,
      () =>
        new LoadFailure("IMPORT_TIMEOUT", "import", `importing index.ts did not finish in ${timeoutMs} ms.`),
    );
    const module = checkModule((exports as { default?: unknown }).default);
    scope.service = module.name;
    return { module, scope, dispose };
  } catch (error) {
    await dispose();
    if (error instanceof LoadFailure) throw error;
    throw new LoadFailure("IMPORT_FAILED", "import", importMessage(error, dir), { cause: error });
  }
}

/** A generation around a module object that somebody else imported; nothing but its scope is owned. */
export function wrapModule(exported: unknown, logs: LogBook): Generation {
  const module = checkModule(exported);
  const scope = new Scope(module.name, logs.logger(module.name));
  return {
    module,
    scope,
    dispose: async () => {
      await scope.end();
      scope.abandon();
    },
  };
}

/** Syntax errors come as several messages with a position each; the first one is the one to mend. */
function importMessage(error: unknown, dir: string): string {
  const first = error instanceof AggregateError && error.errors.length > 0 ? error.errors[0] : error;
  const position = (first as { position?: { file: string; line: number; column: number } | null }).position;
  const where = position ? ` (${position.file}:${position.line}:${position.column})` : "";
  return `importing index.ts failed: ${messageOf(first)}${where}`.replaceAll(`${dir}/`, "");
}

type Listener = (...args: unknown[]) => void;

/** A `process` for one service: its own `env`, no way to end the server, and listeners that can be taken back. */
function ownProcess(label: string) {
  const listeners = new Set<{ event: string | symbol; listener: Listener }>();
  const state = {
    process: undefined as unknown as NodeJS.Process,
    onChange: (_count: number): void => undefined,
    release: () => {
      for (const { event, listener } of listeners) process.off(event, listener);
      listeners.clear();
      state.onChange(0);
    },
  };
  const refuse = (what: string) => () => {
    throw new Error(
      `process.${what}() is not available to service "${label}": it would end or move the whole server`,
    );
  };
  const add = (method: "on" | "once" | "prependListener") => (event: string | symbol, listener: Listener) => {
    const entry = { event, listener };
    listeners.add(entry);
    state.onChange(listeners.size);
    process[method](event, listener);
    return state.process;
  };
  const remove = (event: string | symbol, listener: Listener) => {
    for (const entry of listeners) {
      if (entry.event === event && entry.listener === listener) listeners.delete(entry);
    }
    state.onChange(listeners.size);
    process.off(event, listener);
    return state.process;
  };
  const members: Record<string, unknown> = {
    env: { ...process.env },
    exit: refuse("exit"),
    reallyExit: refuse("reallyExit"),
    abort: refuse("abort"),
    chdir: refuse("chdir"),
    on: add("on"),
    addListener: add("on"),
    once: add("once"),
    prependListener: add("prependListener"),
    off: remove,
    removeListener: remove,
    removeAllListeners: () => {
      state.release();
      return state.process;
    },
  };
  const descriptors: PropertyDescriptorMap = {};
  for (const [key, value] of Object.entries(members)) {
    descriptors[key] = { value, writable: true, enumerable: true, configurable: true };
  }
  state.process = Object.create(process, descriptors);
  return state;
}

const LEVELS: Record<string, LogLevel> = {
  log: "info",
  info: "info",
  debug: "debug",
  trace: "debug",
  dir: "info",
  warn: "warn",
  error: "error",
};

/** A `console` whose lines go to the service's log. */
function ownConsole(label: string, logs: LogBook): Console {
  const own = Object.create(console) as Record<string, unknown>;
  for (const [method, level] of Object.entries(LEVELS)) {
    own[method] = (...args: unknown[]) =>
      logs.write(label, level, method === "dir" ? args.slice(0, 1) : args);
  }
  own.assert = (condition: unknown, ...args: unknown[]) => {
    if (!condition) logs.write(label, "error", [`Assertion failed: ${format(...args)}`]);
  };
  return own as unknown as Console;
}
