/**
 * The bundler plugin that resolves services' imports: bundled, made inert during evaluation, or replaced by
 * stand-ins.
 */
import { existsSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, extname, join, resolve, sep } from "node:path";
import type { BunPlugin } from "bun";
import { resolveOwnSource } from "../../core/generation/host-modules.js";
import { hasReadableEnding, saysHowToRead } from "./readable.js";

const projectRoot = resolve(import.meta.dir, "..", "..", "..");
const sourceRoot = join(projectRoot, "src");

/** Modules that Node 20 provides. All others are server-only. */
const NODE_MODULES = new Set(
  `assert assert/strict async_hooks buffer child_process cluster console constants crypto dgram
  diagnostics_channel dns dns/promises domain events fs fs/promises http http2 https module net os path
  path/posix path/win32 perf_hooks process punycode querystring readline readline/promises stream
  stream/consumers stream/promises stream/web string_decoder timers timers/promises tls tty url util
  util/types v8 vm worker_threads zlib`.split(/\s+/),
);

/** Node modules without side effects, which are used unchanged. */
const PURE = new Set(
  `assert assert/strict async_hooks buffer console constants crypto diagnostics_channel events os path path/posix
  path/win32 perf_hooks punycode querystring stream stream/consumers stream/promises stream/web string_decoder
  url util util/types zlib`.split(/\s+/),
);

/** Packages that only the server uses, and those that every agent brings itself. */
const SERVER_PACKAGES = /^(?:hono|@hono\/[^/]+|@(?:mariozechner|earendil-works)\/[^/]+)(?:\/|$)/;

/** Reef's own files and folders that client halves may use. */
export const CLIENT_SOURCES = [
  ...["types", "client", "errors", "config", "objects", "truncate", "tool-params", "extension"].map(
    (name) => `core/${name}.ts`,
  ),
  "core/extension/",
  "core/tools/",
];

const isClientSource = (path: string) =>
  CLIENT_SOURCES.some((source) => (source.endsWith("/") ? path.startsWith(source) : path === source));

/** Files that a service's `index.ts` needs on the server only, by conventional names. */
const SERVER_FILE = /(?:^|[-_.])(?:store|routes?|db|database|panel|docs|server)$/i;

const INERT = "reef-inert";
const QUIET = "reef-quiet";
const REAL = "reef-real";

/** The resolution of an import. */
interface Resolution {
  path: string;
  namespace?: string;
}

const inert = (name: string): Resolution => ({ path: name, namespace: INERT });

function nodeModule(name: string): Resolution {
  if (!NODE_MODULES.has(name)) return inert(`node:${name}`);
  return { path: `node:${name}`, namespace: QUIET };
}

function packageFile(specifier: string, importer: string): Resolution | undefined {
  if (SERVER_PACKAGES.test(specifier)) return inert(specifier);
  // All services share Reef's TypeBox: two copies would double the size.
  const bases = /^@sinclair\/typebox(?:\/|$)/.test(specifier)
    ? [projectRoot]
    : [dirname(importer), projectRoot];
  for (const base of bases) {
    try {
      const path = Bun.resolveSync(specifier, base);
      // Bun replaces some packages by built-in modules, which agents lack.
      if (!path.startsWith("/")) break;
      return hasReadableEnding(path) || saysHowToRead(specifier, importer) ? { path } : inert(specifier);
    } catch {
      // Not installed here; try the next base.
    }
  }
  return inert(specifier);
}

function localFile(
  specifier: string,
  importer: string,
  entries: ReadonlySet<string>,
): Resolution | undefined {
  const own = resolveOwnSource(specifier, importer);
  if (own) {
    const inSource = own
      .slice(sourceRoot.length + 1)
      .split(sep)
      .join("/");
    return isClientSource(inSource) ? { path: own } : inert(inSource);
  }
  const stem = specifier.replace(/\.[cm]?[jt]sx?$/, "").replace(/\/index$/, "");
  const isServers = entries.has(importer) && SERVER_FILE.test(stem.split("/").at(-1) ?? "");
  const path = resolve(dirname(importer), specifier);
  const isUnreadable = extname(specifier) !== "" && !hasReadableEnding(specifier) && existsSync(path);
  return (isServers || isUnreadable) && !saysHowToRead(specifier, importer) ? inert(specifier) : undefined;
}

/** Options of {@link extensionPlugin}. */
export interface PluginOptions {
  /** The `index.ts` of each service whose server files are replaced. */
  entries: ReadonlySet<string>;
  /** The path and source of the bundle's entry. */
  main: { path: string; contents: string };
}

/** Creates the bundler plugin. */
export function extensionPlugin({ entries, main }: PluginOptions): BunPlugin {
  const isService = (importer: string) => importer.startsWith("/") && !importer.startsWith(sourceRoot + sep);
  return {
    name: "reef extension",
    setup(build) {
      build.onResolve({ filter: /.*/ }, ({ path, importer, kind }) => {
        if (kind === "entry-point-build" || path === main.path) return { path, namespace: "reef-main" };
        const bare = path.replace(/^node:/, "");
        if (!isService(importer)) {
          // A distinct name, because the bundler may otherwise confuse it with services' imports of the same
          // module.
          return builtinModules.includes(bare) ? { path: `real:${bare}`, namespace: REAL } : undefined;
        }
        if (path.startsWith("node:") || builtinModules.includes(bare)) {
          return /^bun(?::|$)/.test(bare) ? inert(bare) : nodeModule(bare);
        }
        if (/^bun(?::|$)/.test(path)) return inert(path);
        if (/^(?:\.|\/)/.test(path)) return localFile(path, importer, entries);
        return packageFile(path, importer);
      });
      build.onLoad({ filter: /.*/, namespace: "reef-main" }, () => ({
        contents: main.contents,
        loader: "ts",
      }));
      build.onLoad({ filter: /.*/, namespace: INERT }, ({ path }) => ({
        contents: `module.exports = __reef.inertModule(${JSON.stringify(path)});`,
        loader: "js",
      }));
      build.onLoad({ filter: /.*/, namespace: REAL }, ({ path }) => ({
        contents: realModule(path),
        loader: "js",
      }));
      build.onLoad({ filter: /.*/, namespace: QUIET }, async ({ path }) => ({
        contents: await quietModule(path),
        loader: "js",
      }));
    },
  };
}

/**
 * The source of a Node module for Reef's own code. The bundler's runtime needs a single function of one of
 * them.
 */
function realModule(path: string): string {
  const name = path.replace(/^real:/, "node:");
  if (name === "node:module") return "export const createRequire = __reef.createRequire;";
  return `module.exports = __reef.require("${name}");`;
}

/** The source of a Node module whose exports have no effect while modules are evaluated. */
async function quietModule(path: string): Promise<string> {
  const names = Object.keys(await import(path)).filter((name) => /^[A-Za-z_$][\w$]*$/.test(name));
  const pure = PURE.has(path.replace(/^node:/, ""));
  const of = (name: string) =>
    pure ? `real[${JSON.stringify(name)}]` : `/* @__PURE__ */ __reef.member(real, "${path}", "${name}")`;
  // Read through a variable, so that exports missing in the agent's Node are undefined rather than errors.
  const lines = [
    `const all = /* @__PURE__ */ __reef.require("${path}");`,
    "const real = /* @__PURE__ */ Object.assign({ default: all }, all);",
  ];
  for (const name of names) {
    if (name !== "default") lines.push(`const $${name} = ${of(name)};`, `export { $${name} as ${name} };`);
  }
  lines.push(`export default ${of("default")};`);
  return lines.join("\n");
}
