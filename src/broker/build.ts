import type { BunPlugin } from "bun";
import { RUNTIME_SPECIFIERS } from "./worker/specifiers.js";

/** How a plugin's code is built. */
export interface PluginBuildOptions {
  /** `service`: code for a worker. */
  mode: "service";
}

/**
 * The plugin for `Bun.build` that makes a service file ready for a worker: dependencies
 * are bundled, the runtime API stays an import that the worker answers.
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

/** The same under our own name. */
export const servicePlugin = kunkunCommandPlugin;
