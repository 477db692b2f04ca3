/** What workers check themselves. */
import { join } from "node:path";
import type { ServiceManifest } from "./manifest.js";
import type { MethodSchemas, WorkerSetup } from "./protocol.js";

const CHECKS = join(import.meta.dir, "worker", "checks.ts");

/** In one piece, since a confined worker cannot look for packages. It takes 20 ms, once. */
let source: Promise<string> | undefined;

async function bundle(): Promise<string> {
  const { outputs } = await Bun.build({ entrypoints: [CHECKS], target: "bun", minify: true });
  return (outputs[0] as Bun.BuildArtifact).text();
}

/** The schemas of a service, with what a worker needs to check them. */
export async function checksOf({ methods }: ServiceManifest): Promise<WorkerSetup["checks"]> {
  const schemas: Record<string, MethodSchemas> = {};
  for (const { name, input, output } of methods.values()) {
    if (input.schema === true && output.schema === true) continue;
    schemas[name] = { input: input.schema, output: output.schema, checksOutput: !output.isCheap };
  }
  if (Object.keys(schemas).length === 0) return null;
  source ??= bundle().catch((error) => {
    source = undefined;
    throw error;
  });
  return { schemas, source: await source };
}
