/**
 * Modules that all services share with the server: one `Hono`, one `Type`, one instance of every file of Reef.
 * Sharing keeps `instanceof` true across services and spares each load the work of evaluating them again.
 * Must be imported for its effect before the first service is.
 */
import { existsSync, realpathSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

const sourceRoot = resolve(import.meta.dir, "..");
const projectRoot = resolve(sourceRoot, "..");

/** Absolute path of what `bun test` must load first when it runs the tests of a service; see test-preload.ts. */
export const testPreload = join(import.meta.dir, "test-preload.ts");

/** Packages of which every service gets the server's own instance. */
export const SHARED_PACKAGES = [
  "hono",
  "hono/cookie",
  "hono/factory",
  "hono/html",
  "hono/http-exception",
  "hono/streaming",
  "hono/validator",
  "@sinclair/typebox",
];

/** Folders below `src/` that services use through their `index.ts`; of `core/` they may import every file. */
const FOLDERS = ["storage", "broker", "agent"];

/** Tests, and files that do something when they are imported. */
const NOT_SHARED = /\.test\.ts$|^(check-child|graph-main|test-preload)\.ts$|(^|\/)testing\//;

/** Specifiers that point at Reef's own source, however many folders up the author believes it to be. */
const OWN_SOURCE = /^(?:\.\.\/)+(src\/(?:core|storage|broker|agent)\/.+)\.(?:js|ts)$/;

/**
 * Where an import of Reef's source leads. Services are written for `services/<name>/` and for
 * `examples/services/<name>/` and may be moved between the two, or live outside the checkout.
 */
export function resolveOwnSource(specifier: string, importer: string): string | undefined {
  const match = OWN_SOURCE.exec(specifier);
  if (!match) return undefined;
  const literal = resolve(dirname(importer), specifier.replace(/\.js$/, ".ts"));
  // By its real path, under which it is shared.
  if (existsSync(literal)) return realpathSync(literal);
  const own = join(projectRoot, `${match[1]}.ts`);
  return existsSync(own) ? own : undefined;
}

/** Lets imports of Reef's source resolve from wherever a service lives. Used by the server and by tests. */
export function installSourceResolution(): void {
  Bun.plugin({
    name: "reef source",
    setup(build) {
      build.onResolve({ filter: OWN_SOURCE }, ({ path, importer }) => {
        const found = resolveOwnSource(path, importer);
        return found ? { path: found } : undefined;
      });
    },
  });
}

/** Whether a file is where the packages that services share can be found from. */
export function isInProject(path: string): boolean {
  return path.startsWith(`${projectRoot}/`);
}

let shared: Promise<void> | undefined;

/** Shares the modules, once per process. */
export function shareHostModules(): Promise<void> {
  shared ??= share();
  return shared;
}

async function share(): Promise<void> {
  const keys = [...SHARED_PACKAGES];
  for (const file of new Bun.Glob("**/*.ts").scanSync(join(sourceRoot, "core"))) {
    if (!NOT_SHARED.test(file)) keys.push(join(sourceRoot, "core", file));
  }
  for (const folder of FOLDERS) {
    const index = join(sourceRoot, folder, "index.ts");
    if (existsSync(index)) keys.push(index);
  }
  const loaded = await Promise.all(keys.map(async (key) => [key, await import(key)] as const));
  Bun.plugin({
    name: "reef shared modules",
    setup(build) {
      for (const [key, exports] of loaded) build.module(key, () => ({ exports, loader: "object" }));
    },
  });
  installSourceResolution();
}
