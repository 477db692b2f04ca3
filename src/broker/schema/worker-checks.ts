/** What workers need to validate values themselves. */
import { join } from "node:path";
import type { ServiceManifest } from "../manifest.js";
import type { MethodSchemas, WorkerSetup } from "../protocol.js";

const CHECKS = join(import.meta.dir, "..", "worker", "checks.ts");

/** Bundled into one file, since a confined worker cannot resolve packages. Takes 20 ms, once. */
let source: Promise<string> | undefined;

async function bundle(): Promise<string> {
  const { outputs } = await Bun.build({ entrypoints: [CHECKS], target: "bun", minify: true });
  return (outputs[0] as Bun.BuildArtifact).text();
}

/** The validation code for workers. */
export function checksSource(): Promise<string> {
  source ??= bundle().catch((error) => {
    source = undefined;
    throw error;
  });
  return source;
}

/** The schemas of a service that workers may need; null when there are none. */
export function schemasOf({ methods }: ServiceManifest): WorkerSetup["schemas"] {
  const schemas: Record<string, MethodSchemas> = {};
  for (const { name, input, output } of methods.values()) {
    if (input.schema === true && output.schema === true) continue;
    schemas[name] = { input: input.schema, output: output.schema, checksOutput: !output.isCheap };
  }
  return Object.keys(schemas).length > 0 ? schemas : null;
}
