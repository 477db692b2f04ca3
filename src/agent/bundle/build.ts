/** Client halves of services become one self-contained ESM file. */
import { realpathSync } from "node:fs";
import { join, sep } from "node:path";
import { messageOf } from "../../core/errors.js";
import { extensionPlugin } from "./plugin.js";
import type { RemoteTool } from "./runtime/provided.js";

/** A service folder whose client half is to be bundled. */
export interface BundleSource {
  name: string;
  /** Folder with the `index.ts`. */
  dir: string;
  capabilities?: readonly string[];
  /** Takes `store.ts`, `routes.ts` and the like along instead of standing in for them. */
  withServerFiles?: boolean;
}

/** Tools that the server runs, under the name of the service that provides them. */
export interface RemoteSource {
  name: string;
  tools: readonly RemoteTool[];
}

/** The names that models see, by the names that Reef goes by. */
export type WireNames = Readonly<Record<string, string>>;

export interface LeftOut {
  name: string;
  /** One line: why it is not in the bundle. */
  reason: string;
}

/** A tool, or a whole half of a service, that an agent will not have. */
export interface RegistrationProblem {
  service: string;
  tool?: string;
  error: string;
}

/** A finished extension file. */
export interface ExtensionBundle {
  code: string;
  /** SHA-256 of the code, hexadecimal. */
  hash: string;
  /** Services in the bundle, sorted. */
  services: string[];
  leftOut: LeftOut[];
  /** What services in the bundle will not get registered, and why. */
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
// Bun's own properties are missing on Node, and a path joined with nothing throws; the code is no module there.
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
 * Bundles the services' own `index.ts`. A service that cannot be bundled is left out and named; never rejects for one.
 *
 * @param wireNames Of tools that have another one than their own.
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
 * The ES module around the code. pi transpiles what it loads, which takes longer the more syntax there is: so the
 * code is one string, and evaluated as it is. Stack traces name the file and the place in the string.
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

/** The code, or what the bundler had to say instead. */
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

/** Whose fault a failed build is: by the file named in the message, and where none is, by trying each alone. */
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
