// Imports all services of the folder that the first argument names, one after another, without Reef.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { serveBench } from "../lib.js";

const servicesDir = join(process.argv[2] ?? "", "services");
const modules: unknown[] = [];
for (const name of readdirSync(servicesDir)) {
  if (name !== "services") modules.push((await import(join(servicesDir, name, "index.ts"))).default);
}
serveBench(1, () => modules.length);
