/**
 * Guards the real `process`, which services reach through `node:process` and `globalThis`: they cannot end or
 * move the server, and their listeners are registered on their own `process`.
 */
import { LISTENING, processOfGraph } from "./own-process.js";

type Call = (...args: unknown[]) => unknown;

/**
 * Makes `process.exit` and similar methods throw when a service calls them, and redirects its listeners to its
 * own `process`. Nothing changes for the server.
 */
export function guardProcess(): void {
  for (const name of ["exit", "reallyExit", "abort"]) guard(name, () => () => refuse(name, "end"));
  guard("chdir", () => () => refuse("chdir", "move"));
  guard(
    "kill",
    (_graph, kill) =>
      (...args) =>
        reachesServer(args) ? refuse("kill", "end") : kill(...args),
  );
  for (const name of LISTENING) guard(name, (graph, real) => ownMethod(graph, name) ?? real);
}

function refuse(name: string, harm: string): never {
  throw new Error(`process.${name}() would ${harm} the whole server; services cannot call it`);
}

/** Whether a signal would reach this process. Signal 0 only probes. */
function reachesServer([pid, signal]: unknown[]): boolean {
  return signal !== 0 && [process.pid, -process.pid, 0, -1].includes(Number(pid));
}

function ownMethod(graph: object, name: string): Call | undefined {
  const own = processOfGraph.get(graph) as unknown as Record<string, Call> | undefined;
  return own?.[name];
}

const GUARDED = new WeakSet<object>();

/** Replaces a method of `process`: calls from a module graph go to what `inGraph` returns. */
function guard(name: string, inGraph: (graph: object, real: Call) => Call): void {
  const target = process as unknown as Record<string, unknown>;
  const real = target[name];
  if (typeof real !== "function" || GUARDED.has(real)) return;
  const call: Call = (...args) => Reflect.apply(real, process, args);
  const guarded: Call = (...args) => {
    const graph = Bun.ModuleGraph.current;
    return graph ? inGraph(graph, call)(...args) : call(...args);
  };
  GUARDED.add(guarded);
  target[name] = guarded;
}
