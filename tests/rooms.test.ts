import { expect, test } from "bun:test";
import { dirname, join, relative } from "node:path";

const root = join(import.meta.dir, "..");

/** Types leave no import behind for the scanner, so the text is read for them. */
const STATEMENT = /^(?:import|export) [^;]*? from "(\.[^"]+)"/gm;

/** The files that are served or shipped, without what only tests use. */
const files = [...new Bun.Glob("{src,services}/**/*.{ts,tsx}").scanSync({ cwd: root })].filter(
  (file) => !/\.test\.tsx?$|\/testing\//.test(file),
);

async function importsOf(file: string): Promise<string[]> {
  const source = await Bun.file(join(root, file)).text();
  const values = new Bun.Transpiler({ loader: file.endsWith("x") ? "tsx" : "ts" })
    .scanImports(source)
    .map(({ path }) => path);
  const types = [...source.matchAll(STATEMENT)].map(([, path]) => path as string);
  return [...values, ...types]
    .filter((path) => path.startsWith("."))
    .map((path) => relative(root, join(root, dirname(file), path)));
}

const MAY_IMPORT: [room: string, rooms: string[]][] = [
  ["src/core/", ["src/core/"]],
  ["src/storage/", ["src/storage/", "src/core/"]],
  ["src/broker/", ["src/broker/", "src/core/"]],
  ["src/agent/", ["src/agent/", "src/core/"]],
  ["services/", ["services/", "src/"]],
];

test.each(MAY_IMPORT)("%s imports only from %p", async (room, rooms) => {
  const own = files.filter((file) => file.startsWith(room));
  expect(own.length).toBeGreaterThan(5);
  const wrong: string[] = [];
  for (const file of own) {
    for (const path of await importsOf(file)) {
      if (!rooms.some((allowed) => path.startsWith(allowed))) wrong.push(`${file} imports ${path}`);
    }
  }
  expect(wrong).toEqual([]);
});
