import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import { renameSync, rmSync, symlinkSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { type Files, Sandbox } from "../../../tests/support/sandbox.js";
import { importGeneration } from "../generation.js";
import { LogBook } from "../log.js";

let sandbox: Sandbox;
beforeEach(() => {
  sandbox = new Sandbox();
});
afterEach(() => sandbox.remove());

const logs = new LogBook(() => undefined);
const at = (...path: string[]) => join(sandbox.servicesDir, ...path);
const put = (files: Files) => sandbox.services(files);

/** What the service in the folder `s` says it is, loaded as it is now; or why it cannot be loaded. */
async function present(): Promise<string | undefined> {
  try {
    const { module, dispose } = await importGeneration({
      dir: at("s"),
      label: "s",
      logs,
      timeoutMs: 10_000,
      dataDir: "/data",
    });
    await dispose();
    return module.description;
  } catch (error) {
    return String(error);
  }
}
const exporting = (text: string) => `export const text = ${JSON.stringify(text)};`;
const saying = (from: string) =>
  `import { text } from ${JSON.stringify(from)}; export default { name: "s", description: text };`;

test.each([
  ["view.tsx", "./view.js"],
  ["view.js", "./view.js"],
  ["view/index.ts", "./view"],
])("a file that becomes %s is found where it is now", async (path, specifier) => {
  put({ "s/index.ts": saying(specifier), "s/view.ts": exporting("as view.ts") });
  expect(await present()).toBe("as view.ts");
  rmSync(at("s", "view.ts"));
  put({ [`s/${path}`]: exporting(`as ${path}`) });
  expect(await present()).toBe(`as ${path}`);
  rmSync(at("s", path.split("/")[0] as string), { recursive: true });
  expect(await present()).toContain("view");
  put({ "s/view.ts": exporting("back again") });
  expect(await present()).toBe("back again");
});

test("a file in a folder of the service is found under its new ending", async () => {
  put({ "s/index.ts": saying("./lib/deep/a.js"), "s/lib/deep/a.ts": exporting("ts") });
  expect(await present()).toBe("ts");
  renameSync(at("s", "lib", "deep", "a.ts"), at("s", "lib", "deep", "a.tsx"));
  expect(await present()).toBe("ts");
});

test.each(["the service's folder", "a folder in it", "a file in it"])(
  "a link that leads elsewhere is followed anew: %s",
  async (what) => {
    const file = { "the service's folder": "index.ts", "a folder in it": "lib/a.ts", "a file in it": "a.ts" }[
      what
    ];
    for (const version of ["v1", "v2"]) {
      put({
        [`../${version}/index.ts`]: saying("./a.js"),
        [`../${version}/a.ts`]: exporting(version),
      });
    }
    const [link, target] =
      what === "the service's folder"
        ? ["s", "../%"]
        : what === "a folder in it"
          ? ["s/lib", "../../%"]
          : ["s/a.ts", "../../%/a.ts"];
    if (link !== "s") put({ "s/index.ts": saying(file === "lib/a.ts" ? "./lib/a.js" : "./a.js") });
    symlinkSync(target.replace("%", "v1"), at(link));
    expect(await present()).toBe("v1");
    unlinkSync(at(link));
    symlinkSync(target.replace("%", "v2"), at(link));
    expect(await present()).toBe("v2");
    rmSync(join(sandbox.servicesDir, "..", "v1"), { recursive: true });
    expect(await present()).toBe("v2");
  },
);

test("a link within a linked folder that leads elsewhere is followed anew", async () => {
  put({
    "s/index.ts": saying("./lib/words.js"),
    "../shared/words.ts": 'export { text } from "./inner/text.js";',
    "../shared/one/text.ts": exporting("one"),
    "../shared/two/text.ts": exporting("two"),
  });
  symlinkSync("../../shared", at("s", "lib"));
  const inner = at("..", "shared", "inner");
  symlinkSync("one", inner);
  expect(await present()).toBe("one");
  unlinkSync(inner);
  symlinkSync("two", inner);
  expect(await present()).toBe("two");
});

test.each([
  ["a link to a folder", "removed"],
  ["a link to a folder", "broken"],
  ["a folder", "removed"],
  ["a package", "removed"],
])("%s that was %s is found no more, and is again when it is back", async (what, how) => {
  const [from, path] = what === "a package" ? ["dep", "node_modules/dep"] : ["./ext/deep/e.js", "ext"];
  const place = at("s", path);
  const there = () => {
    if (what === "a link to a folder") {
      put({ "../out/deep/e.ts": exporting("there") });
      rmSync(place, { force: true });
      symlinkSync("../../out", place);
    } else put({ [`s/${path}/deep/e.ts`]: exporting("there"), [`s/${path}/index.ts`]: exporting("there") });
  };
  put({ "s/index.ts": saying(from) });
  there();
  for (let times = 0; times < 2; times++) {
    expect(await present()).toBe("there");
    rmSync(how === "broken" ? at("..", "out") : place, { recursive: true });
    expect(await present()).toContain("Cannot find");
    there();
  }
  expect(await present()).toBe("there");
});

test("nothing is looked up anew while no path has changed", async () => {
  put({ "s/index.ts": saying("./lib/a.js"), "s/lib/a.ts": exporting("one") });
  await present();
  await present();
  const resolve = spyOn(Bun, "resolveSync");
  try {
    put({ "s/lib/a.ts": exporting("two") });
    expect(await present()).toBe("two");
    expect(resolve).not.toHaveBeenCalled();
    put({ "s/lib/b.ts": exporting("new") });
    await present();
    expect(resolve).toHaveBeenCalled();
  } finally {
    resolve.mockRestore();
  }
});

test("files among the packages are none, as npm leaves them", async () => {
  put({
    "s/index.ts": saying("dep"),
    "s/node_modules/dep/package.json": JSON.stringify({ name: "dep", main: "a.js" }),
    "s/node_modules/dep/a.js": exporting("a"),
    "s/node_modules/.package-lock.json": "{}",
    "s/node_modules/.bin/tool": "",
    "s/node_modules/@scope": "no folder",
  });
  expect([await present(), await present(), await present()]).toEqual(["a", "a", "a"]);
});

test.each(["dep", "@scope/dep"])("a package of the service's own is read anew: %s", async (name) => {
  const main = (file: string) => ({
    [`s/node_modules/${name}/package.json`]: JSON.stringify({ name, main: file }),
  });
  put({
    "s/index.ts": saying(name),
    [`s/node_modules/${name}/a.js`]: exporting("a"),
    [`s/node_modules/${name}/b.js`]: exporting("b"),
    ...main("a.js"),
  });
  expect(await present()).toBe("a");
  put(main("b.js"));
  expect(await present()).toBe("b");
});

describe("files that move within packages are found where they are now", () => {
  const inner = "s/node_modules/p/node_modules";
  const pack = (folder: string, main: string) => ({
    [`${folder}/package.json`]: JSON.stringify({ name: folder.split("/").at(-1), main }),
  });

  test.each(["dep", "@scope/dep"])("a package in a package: %s", async (name) => {
    put({
      "s/index.ts": saying("p"),
      ...pack("s/node_modules/p", "index.js"),
      "s/node_modules/p/index.js": `export { text } from "${name}";`,
      ...pack(`${inner}/${name}`, "a.js"),
      [`${inner}/${name}/a.js`]: exporting("a"),
    });
    expect(await present()).toBe("a");
    renameSync(at(inner, name, "a.js"), at(inner, name, "b.js"));
    put(pack(`${inner}/${name}`, "b.js"));
    expect(await present()).toBe("a");
  });

  test("several files, and a package behind a link", async () => {
    const folders = ["s/node_modules/p/lib", "../linked/lib"];
    put({
      "s/index.ts":
        'import { one } from "p"; import { two } from "q"; export default { name: "s", description: one + two };',
      "s/node_modules/p/index.js": 'export { text as one } from "./lib/text";',
      "../linked/index.js": 'export { text as two } from "./lib/text";',
      ...Object.fromEntries(folders.map((folder) => [`${folder}/text.js`, exporting(folder)])),
    });
    symlinkSync("../../../linked", at("s", "node_modules", "q"));
    const all = folders.join("");
    expect(await present()).toBe(all);
    renameSync(at("../linked/lib/text.js"), at("../linked/lib/text.mjs"));
    expect(await present()).toBe(all);
    renameSync(at("../linked/lib/text.mjs"), at("../linked/lib/text.cjs"));
    put({ "../linked/lib/text.cjs": 'exports.text = "../linked/lib";' });
    renameSync(at("s/node_modules/p/lib/text.js"), at("s/node_modules/p/lib/text.mjs"));
    expect(await present()).toBe(all);
  });

  test("code that says itself that a file is missing is not run twice", async () => {
    const runs = globalThis as unknown as { runs?: number };
    put({
      "s/index.ts":
        "globalThis.runs = (globalThis.runs ?? 0) + 1; throw new Error('ENOENT reading \"node_modules/p/a.js\"');",
    });
    expect(await present()).toContain("ENOENT reading");
    expect(runs.runs).toBe(1);
    delete runs.runs;
  });
});
