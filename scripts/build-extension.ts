/**
 * Writes the extension file for pi from the services folder.
 *   bun run build:extension [--services board,log] [--category ops] [--from services] [--out dist/extension.js]
 */
import { mkdirSync, renameSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { buildFromFolder } from "../src/agent/from-folder.js";
import { messageOf } from "../src/core/errors.js";

const root = join(import.meta.dir, "..");

try {
  const { values } = parseArgs({
    options: {
      services: { type: "string" },
      category: { type: "string" },
      from: { type: "string", default: process.env.REEF_SERVICES_DIR || join(root, "services") },
      out: { type: "string", default: join(root, "dist", "extension.js") },
    },
  });
  const services = values.services?.split(",").filter(Boolean);
  const bundle = await buildFromFolder(resolve(values.from), { services, category: values.category });
  const out = resolve(values.out);
  mkdirSync(dirname(out), { recursive: true });
  const unfinished = `${out}.${process.pid}`;
  await Bun.write(unfinished, bundle.code);
  renameSync(unfinished, out);
  console.log(`${out}: ${bundle.services.join(", ") || "no services"} (${bundle.code.length} bytes)`);
  for (const { name, reason } of bundle.leftOut) console.warn(`without "${name}": ${reason}`);
  for (const { service, tool, error } of bundle.problems) {
    console.warn(`in "${service}"${tool === undefined ? "" : `, tool "${tool}"`}: ${error}`);
  }
} catch (error) {
  console.error(`The extension cannot be built: ${messageOf(error)}`);
  process.exit(1);
}
