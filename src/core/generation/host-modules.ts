/**
 * Shares the server's own modules with all services: one `Hono`, one `Type`, one instance of each of Reef's
 * files. This keeps `instanceof` working across services and saves each load from evaluating them again. Each
 * is loaded on first use.
 */
import { existsSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";

const sourceRoot = resolve(import.meta.dir, "..", "..");
const requireInHost = createRequire(import.meta.path);
const projectRoot = resolve(sourceRoot, "..");

const HONO = [
  "accepts adapter basic-auth bearer-auth body-limit bun cache client combine compress conninfo context-storage cookie",
  "cors csrf css dev etag factory hono-base html http-exception ip-restriction jsx jsx/jsx-dev-runtime jsx/jsx-runtime",
  "jsx/streaming jsx-renderer jwk jwt language logger method-not-allowed method-override mount powered-by pretty-json",
  "proxy quick request request-id route router router/linear-router router/pattern-router router/reg-exp-router",
  "router/smart-router router/trie-router secure-headers serve-static ssg streaming testing timeout timing tiny",
  "trailing-slash types utils/jwt validator ws",
];
const TYPEBOX = ["compiler", "errors", "system", "type", "value"];

/**
 * Packages, with all server-side entries, of which every service gets the server's instance: the parts of a
 * package recognise each other by identity.
 */
export const SHARED_PACKAGES: readonly string[] = [
  "hono",
  ...HONO.flatMap((line) => line.split(" ")).map((entry) => `hono/${entry}`),
  "@sinclair/typebox",
  ...TYPEBOX.map((entry) => `@sinclair/typebox/${entry}`),
];

/** Folders below `src/` that services use through their `index.ts`. In `core/` they may import every file. */
const FOLDERS = ["storage", "broker", "agent"];

/** Files that are not shared: tests, and files with side effects at import. */
const NOT_SHARED =
  /\.test\.ts$|^(checker\/child|test-preload|generation\/source-preload)\.ts$|(^|\/)testing\//;

const NAMESPACE = "reef";

/** The empty module that is imported first into every graph. */
export const GRAPH_MAIN = "reef:graph";

/** Specifiers of Reef's own source, or of a service's test helpers, with any number of leading `../`. */
const OWN_SOURCE =
  /^(?:\.\.\/)+(src\/(?:core|storage|broker|agent)\/.+|services\/[^/]+\/testing)\.(?:js|ts)$/;

/**
 * Resolves an import of Reef's source. Services are written for `services/<name>/` or
 * `examples/services/<name>/`, but may be moved between the two or live outside the checkout.
 */
export function resolveOwnSource(specifier: string, importer: string): string | undefined {
  const match = OWN_SOURCE.exec(specifier);
  if (!match) return undefined;
  const literal = resolve(dirname(importer), specifier.replace(/\.js$/, ".ts"));
  // Shared under its real path. Paths in the source root are real already; resolving them takes time.
  if (existsSync(literal)) return literal.startsWith(`${sourceRoot}/`) ? literal : realpathSync(literal);
  const own = join(projectRoot, `${match[1]}.ts`);
  return existsSync(own) ? own : undefined;
}

/** The key under which a source file is shared; undefined when services get their own instance. */
function sharedKey(path: string): string | undefined {
  if (!path.startsWith(`${sourceRoot}/`)) return undefined;
  const key = path.slice(sourceRoot.length + 1);
  const file = key.slice(key.indexOf("/") + 1);
  const folder = key.slice(0, key.indexOf("/"));
  const isOwn = folder === "core" ? !NOT_SHARED.test(file) : FOLDERS.includes(folder) && file === "index.ts";
  return isOwn ? key : undefined;
}

let sharing = false;

/** Makes imports of Reef's source resolve from wherever a service lives. Used by the server and by tests. */
export function installSourceResolution(): void {
  Bun.plugin({
    name: "reef source",
    setup(build) {
      build.onResolve({ filter: OWN_SOURCE }, ({ path, importer }) => {
        const found = resolveOwnSource(path, importer);
        if (found === undefined) return undefined;
        const key = sharing ? sharedKey(found) : undefined;
        return key === undefined ? { path: found } : { path: key, namespace: NAMESPACE };
      });
      build.onLoad({ filter: /./, namespace: NAMESPACE }, ({ path }) => hostInstance(join(sourceRoot, path)));
    },
  });
}

/** Whether a file is inside the project, where it can resolve the shared packages by itself. */
export function isInProject(path: string): boolean {
  return path.startsWith(`${projectRoot}/`);
}

/** Shares the modules, once per process, with all subsequent imports. */
export function shareHostModules(): void {
  if (sharing) return;
  sharing = true;
  Bun.plugin({
    name: "reef shared packages",
    setup(build) {
      for (const name of SHARED_PACKAGES) {
        build.module(name, () => hostInstance(Bun.resolveSync(name, sourceRoot)));
      }
      // As the graph's main module, it makes `import.meta.main` false in services.
      build.module(GRAPH_MAIN, () => ({ exports: {}, loader: "object" }));
    },
  });
  installSourceResolution();
}

interface HostModule {
  exports: Record<string, unknown>;
  loader: "object";
}

const loaded = new Map<string, HostModule>();

/** A module of the server's own graph, loaded on first use; synchronously if possible, as `require` needs it. */
function hostInstance(path: string): HostModule | Promise<HostModule> {
  return loaded.get(path) ?? loadInHost(path);
}

function loadInHost(path: string): HostModule | Promise<HostModule> {
  const keep = (exports: HostModule["exports"]) => {
    const module: HostModule = { exports, loader: "object" };
    loaded.set(path, module);
    return module;
  };
  try {
    return keep(requireInHost(path));
  } catch {
    // It is just being imported. Any other error is thrown by the import as well.
    return import(path).then(keep);
  }
}
