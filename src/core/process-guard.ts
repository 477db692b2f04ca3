/** Services reach the real `process` through `node:process` and `globalThis`; ending it is not theirs to do. */

/** Makes `process.exit` and the like throw when a service calls them, and work as ever for the server. */
export function refuseProcessExit(): void {
  for (const name of ["exit", "reallyExit", "abort"] as const) {
    const target = process as unknown as Record<string, unknown>;
    const real = target[name];
    if (typeof real !== "function" || GUARDED.has(real)) continue;
    const guarded = (...args: unknown[]): unknown => {
      if (Bun.ModuleGraph.current)
        throw new Error(`process.${name}() would end the whole server; services cannot call it`);
      return Reflect.apply(real, process, args);
    };
    GUARDED.add(guarded);
    target[name] = guarded;
  }
}

const GUARDED = new WeakSet<object>();
