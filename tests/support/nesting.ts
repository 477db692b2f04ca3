import type { Run } from "../../src/core/scope.js";

/** A way into a service's context that knows how deep in it the code that asks is running. */
export function nesting(): { run: Run; depth(): number } {
  let depth = 0;
  const run: Run = (fn, ...args) => {
    depth++;
    try {
      return fn(...args);
    } finally {
      depth--;
    }
  };
  return { run, depth: () => depth };
}
