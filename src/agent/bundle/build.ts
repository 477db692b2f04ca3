/** Bundles services' client halves into one self-contained ES module. */
import { realpathSync } from "node:fs";
import { join, sep } from "node:path";
import { messageOf } from "../../core/errors.js";
import { extensionPlugin } from "./plugin.js";
import type { RemoteTool } from "./runtime/provided.js";

/** A service folder to bundle. */
export interface BundleSource {
  name: string;
  /** The folder that contains `index.ts`. */
  dir: string;
  capabilities?: readonly string[];
  /** Whether to bundle `store.ts`, `routes.ts` and the like instead of replacing them with stand-ins. */
  withServerFiles?: boolean;
}

/** Server-side tools, by the service that provides them. */
export interface RemoteSource {
  name: string;
  tools: readonly RemoteTool[];
}

/** Wire names by canonical tool name. */
export type WireNames = Readonly<Record<string, string>>;

/** A service that is not in a bundle. */
export interface LeftOut {
  name: string;
  /** The reason, one line. */
  reason: string;
}

/** A tool, or a whole registration function, that an agent will lack. */
export interface RegistrationProblem {
  service: string;
  tool?: string;
  error: string;
}

/** A finished extension file. */
export interface ExtensionBundle {
  code: string;
  /** The hexadecimal SHA-256 of the code. */
  hash: string;
  /** The names of the bundled services, sorted. */
  services: string[];
  leftOut: LeftOut[];
  /** Registrations that fail, and why. */
  problems: RegistrationProblem[];
  builtInMs: number;
}

const runtimeDir = join(import.meta.dir, "runtime");
const MAIN = "reef-extension.ts";

const SHIMMED = [
  "setTimeout",
  "setInterval",
  "setImmediate",
  "queueMicrotask",
  "fetch",
  "process",
  "Bun",
  "console",
  "globalThis",
  "global",
  "WebSocket",
  "EventSource",
  "Worker",
  "BroadcastChannel",
];

const define: Record<string, string> = Object.fromEntries(SHIMMED.map((name) => [name, `__reef.${name}`]));
// Bun's own properties of import.meta are missing on Node, where the code is evaluated as a script.
define["import.meta"] = "__reef.meta";
for (const name of [
  "url",
  "dir",
  "dirname",
  "path",
  "filename",
  "file",
  "main",
  "env",
  "resolve",
  "require",
]) {
  define[`import.meta.${name}`] = `__reef.meta.${name}`;
}

/**
 * Bundles services. Those that cannot be bundled are left out and reported; they do not make it reject.
 *
 * @param wireNames Wire names of tools that differ from their canonical names.
 */
export async function buildExtension(
  sources: readonly BundleSource[],
  remote: readonly RemoteSource[] = [],
  wireNames: WireNames = {},
): Promise<ExtensionBundle> {
  const started = performance.now();
  const leftOut: LeftOut[] = [];
  let rest: Prepared[] = [];
  for (const source of sources.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    try {
      rest.push({ ...source, dir: realpathSync(source.dir) });
    } catch (error) {
      leftOut.push({ name: source.name, reason: messageOf(error) });
    }
  }
  let code = await bundle(rest, remote);
  if (Array.isArray(code)) {
    const bad = await findBad(rest, code);
    leftOut.push(...bad);
    rest = rest.filter(({ name }) => !bad.some((one) => one.name === name));
    code = await bundle(rest, remote);
  }
  if (Array.isArray(code)) throw new Error(`the extension cannot be built: ${describe(code[0])}`);
  const services = [...new Set([...rest, ...remote].map(({ name }) => name))].toSorted();
  const text = file(services, code, wireNames);
  return {
    code: text,
    hash: new Bun.CryptoHasher("sha256").update(text).digest("hex"),
    services,
    leftOut: leftOut.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    problems: [],
    builtInMs: performance.now() - started,
  };
}

type Prepared = BundleSource;
type Message = BuildMessage | ResolveMessage;

/**
 * The ES module around the bundle. pi transpiles what it loads, in time proportional to the amount of syntax,
 * so the code is a string that is evaluated. Stack traces name the file and the position in the string.
 */
function file(services: readonly string[], code: string, wireNames: WireNames): string {
  const names = services.join(", ") || "none";
  return [
    `// Reef's side of an agent. Services: ${names}. Made by the server; changes here are lost.`,
    'import { createRequire } from "node:module";',
    `const code = ${JSON.stringify(code)};`,
    "const url = import.meta.url;",
    `const wireNames = ${JSON.stringify(wireNames)};`,
    "const reef = { real: globalThis, url, wireNames, createRequire, require: createRequire(url) };",
    `new Function("__reef", '"use strict";' + code + "\\n//# sourceURL=" + url)(reef);`,
    "export const inspect = reef.inspect;",
    "export default reef.extension;",
    "",
  ].join("\n");
}

function mainSource(sources: readonly Prepared[], remote: readonly RemoteSource[]): string {
  const units = sources.map(({ name, dir, capabilities }) => {
    const labels = capabilities?.length ? `capabilities: ${JSON.stringify(capabilities)}, ` : "";
    const entry = JSON.stringify(join(dir, "index.ts"));
    return `{ name: ${JSON.stringify(name)}, ${labels}load: () => import(${entry}) },`;
  });
  for (const { name, tools } of remote) {
    units.push(`remoteUnit(${JSON.stringify(name)}, ${JSON.stringify(tools)}),`);
  }
  return [
    `import ${JSON.stringify(join(runtimeDir, "install.ts"))};`,
    `import { createFactory } from ${JSON.stringify(join(runtimeDir, "loader.ts"))};`,
    `import { inspectUnits } from ${JSON.stringify(join(runtimeDir, "inspect.ts"))};`,
    `import { remoteUnit } from ${JSON.stringify(join(runtimeDir, "provided.ts"))};`,
    `const units = [${units.join("\n")}];`,
    "__reef.inspect = (tell) => inspectUnits(units, tell);",
    "__reef.extension = createFactory(units, __reef.url);",
  ].join("\n");
}

/** The bundled code, or the bundler's errors. */
async function bundle(
  sources: readonly Prepared[],
  remote: readonly RemoteSource[] = [],
): Promise<string | Message[]> {
  const bare = sources.filter(({ withServerFiles }) => !withServerFiles);
  const entries = new Set(bare.map(({ dir }) => join(dir, "index.ts")));
  const result = await Bun.build({
    entrypoints: [MAIN],
    target: "node",
    format: "esm",
    minify: true,
    throw: false,
    define,
    plugins: [extensionPlugin({ entries, main: { path: MAIN, contents: mainSource(sources, remote) } })],
  });
  const output = result.outputs[0];
  if (result.success && output) return output.text();
  return result.logs.filter((log) => log.level === "error") as Message[];
}

/**
 * Determines which services make a build fail: by the file named in each error, or else by building each
 * service alone.
 */
async function findBad(sources: readonly Prepared[], messages: readonly Message[]): Promise<LeftOut[]> {
  const bad = new Map<string, string>();
  let unclear = false;
  for (const message of messages) {
    const file = message.position?.file;
    const owner = file && sources.find(({ dir }) => file.startsWith(dir + sep));
    if (owner) bad.set(owner.name, bad.get(owner.name) ?? describe(message));
    else unclear = true;
  }
  if (unclear || bad.size === 0) {
    for (const source of sources) {
      if (bad.has(source.name)) continue;
      const alone = await bundle([source]);
      if (Array.isArray(alone)) bad.set(source.name, describe(alone[0]));
    }
  }
  return [...bad].map(([name, reason]) => ({ name, reason }));
}

function describe(message: Message | undefined): string {
  if (!message) return "the bundler gave no reason";
  const at = message.position;
  const where = at ? ` (${at.file.split(sep).at(-1)}:${at.line}:${at.column})` : "";
  return messageOf(message.message) + where;
}
