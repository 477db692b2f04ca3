/**
 * Services reach the real `process` through `node:process` and `globalThis`. Ending and moving it is not theirs to do,
 * and what they listen to there is kept as if they had asked their own `process`.
 */
import { LISTENING, processOfGraph } from "./own-process.js";

type Call = (...args: unknown[]) => unknown;

/**
 * Makes `process.exit` and the like throw when a service calls them, and has its listeners kept by its own process; all
 * work as ever for the server.
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

/** Whether a signal would arrive here. The signal 0 is only a question. */
function reachesServer([pid, signal]: unknown[]): boolean {
  return signal !== 0 && [process.pid, -process.pid, 0, -1].includes(Number(pid));
}

function ownMethod(graph: object, name: string): Call | undefined {
  const own = processOfGraph.get(graph) as unknown as Record<string, Call> | undefined;
  return own?.[name];
}

const GUARDED = new WeakSet<object>();

/** Has `inGraph` say what a call from the code of a graph calls. */
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
