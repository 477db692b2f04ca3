/** Builds an extension file from a services folder, without a running Reef. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { codeFiles } from "../core/code/code-files.js";
import { scanServices } from "../core/discover.js";
import { messageOf } from "../core/errors.js";
import { isSelected } from "../core/extension/selection.js";
import { TEST_FILE } from "../core/test-files.js";
import { buildTried, type Choice } from "./builder.js";
import { type BundleSource, buildExtension, type ExtensionBundle } from "./bundle/build.js";
import { inspectBundle } from "./bundle/inspect.js";

const CLIENT_HALF = /\b(?:registerTools|registerBehaviors|widget)\b/;
const SOURCE = /\.[jt]sx?$/;

/** Whether a service's code mentions a client half; avoids bundling services without one. */
function mayHaveClientHalf(dir: string): boolean {
  const sources = codeFiles(dir).filter((path) => SOURCE.test(path) && !TEST_FILE.test(path));
  return sources.some((path) => CLIENT_HALF.test(readFileSync(join(dir, path), "utf8")));
}

/** Bundles the client halves of all services below `servicesDir`, each under its module's name. */
export async function buildFromFolder(servicesDir: string, choice: Choice = {}): Promise<ExtensionBundle> {
  const started = performance.now();
  const { candidates, failures } = scanServices(servicesDir);
  const leftOut = failures.map(({ dirName, failure }) => ({ name: dirName, reason: failure.message }));
  const found = candidates.filter(({ dirName, dir }) => {
    try {
      return mayHaveClientHalf(dir);
    } catch (error) {
      leftOut.push({ name: dirName, reason: messageOf(error) });
      return false;
    }
  });
  const first = await buildExtension(found.map(({ dirName, dir }) => ({ name: dirName, dir })));
  leftOut.push(...first.leftOut);
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
