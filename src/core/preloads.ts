/** The absolute paths of scripts to pass to Bun with `--preload`. */
import { join } from "node:path";

/** For `bun test`, when it runs the tests of a service outside of Reef's folder; see test-preload.ts. */
export const testPreload = join(import.meta.dir, "test-preload.ts");

/**
 * For workers and child processes of a service outside of Reef's folder, so that they find Reef's source, `hono` and
 * `@sinclair/typebox`.
 *
 * @example
 * new Worker(new URL("./worker.ts", import.meta.url), { preload: [sourcePreload] });
 */
export const sourcePreload = join(import.meta.dir, "generation", "source-preload.ts");
