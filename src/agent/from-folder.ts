/** An extension file from a services folder alone, without a running Reef. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { scanServices } from "../core/discover.js";
import { isSelected } from "../core/extension/selection.js";
import { buildTried, type Choice } from "./builder.js";
import { type BundleSource, buildExtension, type ExtensionBundle } from "./bundle/build.js";
import { inspectBundle } from "./bundle/inspect.js";

const CLIENT_HALF = /\b(?:registerTools|registerBehaviors|widget)\b/;
const TEST = /\.(?:test|spec)\.[jt]sx?$/;

/** Whether a service's code says anything that sounds like a client half; spares bundling the others. */
function mayHaveClientHalf(dir: string): boolean {
  return readdirSync(dir, { recursive: true, withFileTypes: true }).some((entry) => {
    const path = join(entry.parentPath, entry.name);
    if (!/\.[jt]sx?$/.test(path) || TEST.test(path) || path.includes("/node_modules/")) return false;
    return CLIENT_HALF.test(readFileSync(path, "utf8"));
  });
}

/** Bundles the client halves of all services below `servicesDir`, each under the name that its module says. */
export async function buildFromFolder(servicesDir: string, choice: Choice = {}): Promise<ExtensionBundle> {
  const started = performance.now();
  const { candidates, failures } = scanServices(servicesDir);
  const found = candidates.filter(({ dir }) => mayHaveClientHalf(dir));
  const first = await buildExtension(found.map(({ dirName, dir }) => ({ name: dirName, dir })));
  const failed = failures.map(({ dirName, failure }) => ({ name: dirName, reason: failure.message }));
  const leftOut = [...failed, ...first.leftOut];
  const sources: BundleSource[] = [];
  for (const { unit, name = unit, capabilities, hasClientHalf, error } of await inspectBundle(first.code)) {
    const dir = found.find(({ dirName }) => dirName === unit)?.dir;
    if (error !== undefined) leftOut.push({ name, reason: error });
    else if (dir && hasClientHalf && isSelected({ name, capabilities }, choice))
      sources.push({ name, dir, capabilities });
  }
  const bundle = await buildTried(sources);
  return { ...bundle, leftOut: [...leftOut, ...bundle.leftOut], builtInMs: performance.now() - started };
}
