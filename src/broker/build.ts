/** The build plugin for plugins' code. */
import type { BunPlugin } from "bun";
import { RUNTIME_SPECIFIERS } from "./worker/specifiers.js";

/** Options of {@link kunkunCommandPlugin}. */
export interface PluginBuildOptions {
  /** The kind of code; `service` is code for a worker. */
  mode: "service";
}

/**
 * A `Bun.build` plugin that prepares a service file for a worker: dependencies are bundled, while the runtime
 * API stays an import that the worker provides.
 *
 * @example
 * ```ts
 * await Bun.build({
 *   entrypoints: ["./src/MathService.ts"],
 *   outdir: "./dist/node",
 *   target: "node",
 *   format: "esm",
 *   plugins: [kunkunCommandPlugin({ mode: "service" })],
 * });
 * ```
 */
export function kunkunCommandPlugin(options: PluginBuildOptions): BunPlugin {
  if (options?.mode !== "service") {
    throw new TypeError(`mode must be "service", not ${JSON.stringify(options?.mode)}`);
  }
  return {
    name: "reef-service",
    setup(build) {
      const names = new Set<string>(RUNTIME_SPECIFIERS);
      build.onResolve({ filter: /^(reef\/broker|@kunkunsh\/api)(\/runtime)?$/ }, ({ path }) =>
        names.has(path) ? { path, external: true } : undefined,
      );
    },
  };
}

/** An alias of {@link kunkunCommandPlugin}. */
export const servicePlugin = kunkunCommandPlugin;
