/**
 * Modules that all services share with the server: one `Hono`, one `Type`, one instance of every file of Reef.
 * Sharing keeps `instanceof` true across services and spares each load the work of evaluating them again. Each is
 * loaded when something first asks for it.
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
 * Packages of which every service gets the server's own instance, with all their entries that run on a server: parts
 * of one package know each other by identity.
 */
export const SHARED_PACKAGES: readonly string[] = [
  "hono",
  ...HONO.flatMap((line) => line.split(" ")).map((entry) => `hono/${entry}`),
  "@sinclair/typebox",
  ...TYPEBOX.map((entry) => `@sinclair/typebox/${entry}`),
];

/** Folders below `src/` that services use through their `index.ts`; of `core/` they may import every file. */
const FOLDERS = ["storage", "broker", "agent"];

/** Tests, and files that do something when they are imported. */
const NOT_SHARED =
  /\.test\.ts$|^(checker\/child|test-preload|generation\/source-preload)\.ts$|(^|\/)testing\//;

const NAMESPACE = "reef";

/** The empty module that every graph begins with. */
export const GRAPH_MAIN = "reef:graph";

/**
 * Specifiers that point at Reef's own source, or at what one of its services has for the tests of others, however many
 * folders up the author believes it to be.
 */
const OWN_SOURCE =
  /^(?:\.\.\/)+(src\/(?:core|storage|broker|agent)\/.+|services\/[^/]+\/testing)\.(?:js|ts)$/;

/**
 * Where an import of Reef's source leads. Services are written for `services/<name>/` and for
 * `examples/services/<name>/` and may be moved between the two, or live outside the checkout.
 */
export function resolveOwnSource(specifier: string, importer: string): string | undefined {
  const match = OWN_SOURCE.exec(specifier);
  if (!match) return undefined;
  const literal = resolve(dirname(importer), specifier.replace(/\.js$/, ".ts"));
  // By its real path, under which it is shared. Reef's own is known by it, and asking again takes its time.
  if (existsSync(literal)) return literal.startsWith(`${sourceRoot}/`) ? literal : realpathSync(literal);
  const own = join(projectRoot, `${match[1]}.ts`);
  return existsSync(own) ? own : undefined;
}

/** The key under which services get the server's own instance of a source file; undefined when they get their own. */
function sharedKey(path: string): string | undefined {
  if (!path.startsWith(`${sourceRoot}/`)) return undefined;
  const key = path.slice(sourceRoot.length + 1);
  const file = key.slice(key.indexOf("/") + 1);
  const folder = key.slice(0, key.indexOf("/"));
  const isOwn = folder === "core" ? !NOT_SHARED.test(file) : FOLDERS.includes(folder) && file === "index.ts";
  return isOwn ? key : undefined;
}

let sharing = false;

/** Lets imports of Reef's source resolve from wherever a service lives. Used by the server and by tests. */
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

/** Whether a file is where the packages that services share can be found from. */
export function isInProject(path: string): boolean {
  return path.startsWith(`${projectRoot}/`);
}

/** Shares the modules, once per process, with everything that is imported from now on. */
export function shareHostModules(): void {
  if (sharing) return;
  sharing = true;
  Bun.plugin({
    name: "reef shared packages",
    setup(build) {
      for (const name of SHARED_PACKAGES) {
        build.module(name, () => hostInstance(Bun.resolveSync(name, sourceRoot)));
      }
      // Imported first, it is a graph's main module, so that `import.meta.main` is false in services.
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

/** A module of the server's own graph, loaded into it when it is not there yet; at once, since it may be required. */
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
    // Somebody is just importing it. What else is wrong with it, importing it says too.
    return import(path).then(keep);
  }
}
