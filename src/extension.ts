/**
 * The pi extension of a source checkout (see "pi" in package.json). Services are written for Bun, pi may run on
 * Node: so the checkout's own Bun makes the extension file, when something has changed since the last time.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { accessSync, existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { follow } from "./core/code/code-files.js";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const ownServices = join(root, "services");
const services = resolve(process.env.REEF_SERVICES_DIR || ownServices);
const output = join(root, "dist", `extension${services === ownServices ? "" : `-${labelOf(services)}`}.js`);
const BUILD_LIMIT_MS = 15_000;

type Factory = (pi: unknown) => Promise<void>;

const warn = (error: unknown, what: string) =>
  console.warn(`[reef] ${what}: ${error instanceof Error ? error.message : String(error)}`);

/** Tells the files of several services folders apart. */
function labelOf(dir: string): string {
  return createHash("sha256").update(dir).digest("hex").slice(0, 8);
}

/**
 * When the newest file in a folder was written, in milliseconds. Links are followed, but none to nowhere, and to no
 * folder in `seen`, which are real paths: they may lead round in circles.
 */
function newest(dir: string, seen = new Set<string>(), except?: string): number {
  const { real, stat } = follow(dir) ?? {};
  if (!real || !stat || seen.has(real)) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  seen.add(real);
  let latest = stat.mtimeMs;
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const { name } = entry;
    if (name.startsWith(".") || name === "node_modules" || name === except) continue;
    // What is in the `data` folder of a service is none of its code; deeper ones may be.
    const data = dir === services ? "data" : undefined;
    const path = join(dir, name);
    const written = entry.isFile()
      ? statSync(path, { throwIfNoEntry: false })?.mtimeMs
      : newest(path, seen, data);
    latest = Math.max(latest, written ?? 0);
  }
  return latest;
}

function isCurrent(): boolean {
  if (!existsSync(output)) return false;
  // A folder that is gone is not one without changes.
  accessSync(services);
  return statSync(output).mtimeMs > Math.max(newest(services), newest(join(root, "src")));
}

/** Never rejects: an agent without Reef's tools is better than none. */
export default async function reef(pi: unknown): Promise<void> {
  try {
    if (!isCurrent()) {
      const bun = join(root, "node_modules", ".bin", "bun");
      const args = [join(root, "scripts", "build-extension.ts"), "--from", services, "--out", output];
      await promisify(execFile)(bun, args, { cwd: root, timeout: BUILD_LIMIT_MS, killSignal: "SIGKILL" });
    }
  } catch (error) {
    warn(error, "the extension cannot be built from source");
  }
  if (!existsSync(output)) return;
  try {
    // The query makes it another module after a change, for an agent that reloads its extensions.
    const url = `${pathToFileURL(output).href}?${statSync(output).mtimeMs}`;
    const { default: factory } = (await import(url)) as { default: Factory };
    await factory(pi);
  } catch (error) {
    warn(error, "the extension built from source cannot be used");
  }
}
