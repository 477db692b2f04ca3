import { afterAll, expect, test } from "bun:test";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { type Runtime, runSession } from "./agents.js";

const root = resolve(import.meta.dir, "..", "..");

/** A checkout with the same source and packages, and services of its own. */
const checkout = mkdtempSync(join(tmpdir(), "reef-checkout-"));
for (const name of ["src", "scripts", "package.json", "tsconfig.json"]) {
  cpSync(join(root, name), join(checkout, name), { recursive: true });
}
symlinkSync(join(root, "node_modules"), join(checkout, "node_modules"));
mkdirSync(join(checkout, "services", "log"), { recursive: true });
cpSync(join(root, "examples", "services", "log"), join(checkout, "services", "log"), { recursive: true });
afterAll(() => rmSync(checkout, { recursive: true, force: true }));

const extension = join(checkout, "src", "extension.ts");
const reefTools = (tools: string[]) => tools.filter((name) => /^(?:log|extra)_/.test(name)).toSorted();

test.each<Runtime>(["node", "bun"])(
  "a checkout is an extension on %s, and follows its services",
  async (runtime) => {
    const first = await runSession(runtime, { extensions: [extension] });
    expect(first.report.loadErrors).toEqual([]);
    expect(reefTools(first.report.tools)).toEqual(["log_append", "log_query"]);
    await Bun.write(
      join(checkout, "services", "extra", "index.ts"),
      `export default { name: "extra", registerTools(pi, client) {
      pi.registerTool({ name: "extra_${runtime}", label: "", description: "", parameters: {}, execute: async () => client.ok("") }); } };`,
    );
    const second = await runSession(runtime, { extensions: [extension] });
    expect(reefTools(second.report.tools)).toEqual([`extra_${runtime}`, "log_append", "log_query"]);
    rmSync(join(checkout, "services", "extra"), { recursive: true });
  },
);

const named = (name: string) =>
  `export default { name: "extra", registerTools(pi, client) {
    pi.registerTool({ name: "extra_${name}", label: "", description: "", parameters: {}, execute: async () => client.ok("") }); } };`;

test("each services folder has a file of its own, whichever is older", async () => {
  const folders = ["one", "two"].map((name) => join(checkout, "elsewhere", name));
  for (const dir of folders) await Bun.write(join(dir, "extra", "index.ts"), named(basename(dir)));
  const longAgo = new Date("2020-01-01");
  for (const path of ["", "extra", "extra/index.ts"].map((path) => join(folders[1] as string, path)))
    utimesSync(path, longAgo, longAgo);
  for (const dir of [...folders, ...folders]) {
    const { report } = await runSession("bun", { extensions: [extension] }, { REEF_SERVICES_DIR: dir });
    expect(reefTools(report.tools)).toEqual([`extra_${basename(dir)}`]);
  }
  const { report } = await runSession("bun", { extensions: [extension] });
  expect(reefTools(report.tools)).toEqual(["log_append", "log_query"]);
});

test("a change of a service's code is taken up wherever it is, one of its data is not", async () => {
  const services = join(checkout, "elsewhere", "data");
  const words = join(services, "extra", "lib", "data", "words.json");
  const data = join(services, "extra", "data", "state.json");
  await Bun.write(words, '{ "name": "first" }');
  await Bun.write(data, "1");
  await Bun.write(
    join(services, "extra", "index.ts"),
    `import words from "./lib/data/words.json";\n${named("NAME").replace('"extra_NAME"', '"extra_" + words.name')}`,
  );
  const env = { REEF_SERVICES_DIR: services };
  const tools = async () =>
    reefTools((await runSession("bun", { extensions: [extension] }, env)).report.tools);
  expect(await tools()).toEqual(["extra_first"]);
  const built = () =>
    Math.max(
      ...readdirSync(join(checkout, "dist")).map((name) => statSync(join(checkout, "dist", name)).mtimeMs),
    );
  const before = built();
  const later = new Date(Date.now() + 60_000);
  utimesSync(data, later, later);
  expect(await tools()).toEqual(["extra_first"]);
  expect(built()).toBe(before);
  await Bun.write(words, '{ "name": "second" }');
  expect(await tools()).toEqual(["extra_second"]);
});

test("links that lead nowhere or round in circles keep nothing from being taken up", async () => {
  const services = join(checkout, "elsewhere", "links");
  const folder = join(services, "extra");
  await Bun.write(join(folder, "index.ts"), named("first"));
  symlinkSync("itself", join(folder, "itself"));
  symlinkSync("nowhere", join(folder, "gone"));
  for (const name of ["up", "up-again"]) symlinkSync("..", join(folder, name));
  const tools = async () => {
    const { report, stderr } = await runSession(
      "bun",
      { extensions: [extension] },
      { REEF_SERVICES_DIR: services },
    );
    expect(stderr).toBe("");
    return reefTools(report.tools);
  };
  expect(await tools()).toEqual(["extra_first"]);
  await Bun.write(join(folder, "index.ts"), named("second"));
  expect(await tools()).toEqual(["extra_second"]);
});

test("a services folder that is gone leaves the last file in use, and is named", async () => {
  const services = join(checkout, "elsewhere", "gone");
  await Bun.write(join(services, "extra", "index.ts"), named("kept"));
  const start = () => runSession("bun", { extensions: [extension] }, { REEF_SERVICES_DIR: services });
  expect(reefTools((await start()).report.tools)).toEqual(["extra_kept"]);
  rmSync(services, { recursive: true });
  const { report, stderr } = await start();
  expect(stderr).toContain(services);
  expect(reefTools(report.tools)).toEqual(["extra_kept"]);
});

test("what cannot be built leaves the last file in use, and says so", async () => {
  const { report } = await runSession("bun", { extensions: [extension] });
  expect(reefTools(report.tools)).toEqual(["log_append", "log_query"]);
  await Bun.write(join(checkout, "scripts", "build-extension.ts"), "process.exit(1)");
  await Bun.write(join(checkout, "services", "log", "touched.ts"), "");
  const broken = await runSession("bun", { extensions: [extension] });
  expect(broken.stderr).toContain("cannot be built from source");
  expect(reefTools(broken.report.tools)).toEqual(["log_append", "log_query"]);
});
