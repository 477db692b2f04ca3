import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makePipe } from "../../tests/support/pipe.js";
import { ManifestError } from "./errors.js";
import { findManifest, readManifest } from "./manifest.js";
import { temporaryFolder } from "./testing/fixtures.js";

const temporary = temporaryFolder();
afterAll(temporary.remove);
let count = 0;

const service = { name: "math", main: "main.ts", methods: [{ name: "add" }] };
const valid = { identifier: "com.example.math", services: [service] };

function folderWith(manifest: unknown, key = "kunkun", more: object = {}): string {
  const folder = join(temporary.path, `plugin-${++count}`);
  mkdirSync(folder);
  writeFileSync(join(folder, "main.ts"), "export default { services: {} }");
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({ name: "pkg", version: "1.2.3", [key]: manifest, ...more }),
  );
  return folder;
}

const read = (folder: string) => readManifest(folder, () => "/support");

describe("a manifest", () => {
  test("is read from either key, with several services in one file", () => {
    for (const key of ["reef", "kunkun"]) {
      const folder = folderWith({ ...valid, services: [service, { ...service, name: "text" }] }, key);
      const plugin = read(folder);
      expect([plugin.id, plugin.version, plugin.key as string]).toEqual(["com.example.math", "1.2.3", key]);
      expect([...plugin.services.keys()]).toEqual(["math", "text"]);
      expect(plugin.services.get("text")?.main).toBe(join(folder, "main.ts"));
    }
  });

  test("without an identifier goes by the package's name", () => {
    expect(read(folderWith({ services: [service] })).id).toBe("pkg");
    expect(read(folderWith({ services: [service] }, "kunkun", { name: "@scope/pkg" })).id).toBe("@scope/pkg");
  });

  test("of the other format may call everybody, of ours only whom it names", () => {
    expect(read(folderWith(valid, "kunkun")).permissions["service:call"]).toEqual({
      allow: [["*"]],
      deny: [],
    });
    expect(read(folderWith(valid, "reef")).permissions["service:call"]).toBeUndefined();
    const narrowed = { ...valid, permissions: [{ permission: "service:call", allow: ["a"] }] };
    expect(read(folderWith(narrowed, "kunkun")).permissions["service:call"]?.allow).toEqual([["a"]]);
  });

  test("is absent where no services are declared", () => {
    expect(findManifest(folderWith({ identifier: "x" }))).toBeNull();
    expect(findManifest(join(temporary.path, "nowhere"))).toBeNull();
  });
});

describe("an error names the field", () => {
  const cases: [manifest: unknown, field: string, words: string][] = [
    [{ ...valid, identifier: "a b" }, "kunkun.identifier", "identifies the plugin"],
    [{ ...valid, identifier: "a__b" }, "kunkun.identifier", "__"],
    [{ ...valid, identifier: "../x" }, "kunkun.identifier", "identifies"],
    [{ ...valid, identifier: "Operator" }, "kunkun.identifier", "operator's token"],
    [{ ...valid, services: [] }, "kunkun.services", "at least one service"],
    [{ ...valid, services: {} }, "kunkun.services", "at least one service"],
    [{ ...valid, services: ["math"] }, "kunkun.services[0]", "an object"],
    [{ ...valid, services: [{ ...service, name: "9" }] }, "kunkun.services[0].name", "names the service"],
    [{ ...valid, services: [service, service] }, "kunkun.services[1].name", "declared twice"],
    [{ ...valid, services: [{ ...service, main: undefined }] }, "kunkun.services[0].main", "implements"],
    [
      { ...valid, services: [{ ...service, main: "dist/none.js" }] },
      "kunkun.services[0].main",
      "build it first",
    ],
    [
      { ...valid, services: [{ ...service, main: "../../../../../../etc/passwd" }] },
      "kunkun.services[0].main",
      "outside",
    ],
    [{ ...valid, services: [{ ...service, main: "." }] }, "kunkun.services[0].main", "outside"],
    [
      { ...valid, services: [{ ...service, serviceMode: "browser" }] },
      "kunkun.services[0].serviceMode",
      "node-headless",
    ],
    [{ ...valid, services: [{ ...service, methods: undefined }] }, "kunkun.services[0].methods", "methods"],
    [
      { ...valid, services: [{ ...service, methods: [{}] }] },
      "kunkun.services[0].methods[0].name",
      "names the method",
    ],
    [
      { ...valid, services: [{ ...service, methods: [{ name: "a" }, { name: "a" }] }] },
      "kunkun.services[0].methods[1].name",
      "twice",
    ],
    [
      { ...valid, services: [{ ...service, methods: [{ name: "a", inputSchema: { type: "nope" } }] }] },
      "kunkun.services[0].methods[0].inputSchema",
      "/type",
    ],
    [{ ...valid, permissions: "all" }, "kunkun.permissions", "a list"],
    [
      { ...valid, permissions: [{ permission: "fs-read", allow: ["x"] }] },
      "kunkun.permissions[0].allow[0]",
      "absolute",
    ],
  ];
  for (const [manifest, field, words] of cases) {
    test(`${field}: ${words}`, () => {
      let thrown: unknown;
      const folder = folderWith(manifest);
      try {
        read(folder);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toBeInstanceOf(ManifestError);
      const { field: named, message } = thrown as ManifestError;
      expect(named).toBe(field);
      expect(message).toContain(words);
      expect(message).toContain(join(folder, "package.json"));
    });
  }

  test("and says when the file is no JSON", () => {
    const folder = folderWith(valid);
    writeFileSync(join(folder, "package.json"), "{ nope");
    expect(() => read(folder)).toThrow("is not JSON");
  });

  test("and when it is no file that can be read to its end", () => {
    const file = join(folderWith(valid), "package.json");
    writeFileSync(file, " ".repeat(1024 * 1024 + 1));
    expect(() => findManifest(join(file, ".."))).toThrow(
      `${file}: package.json: is larger than 1048576 bytes`,
    );
    rmSync(file);
    makePipe(file);
    expect(() => findManifest(join(file, ".."))).toThrow(`${file}: package.json: is not a regular file`);
  });
});

describe("links", () => {
  test("within the package are fine, out of it and to nowhere are refused", () => {
    const inside = folderWith(valid);
    symlinkSync("main.ts", join(inside, "alias.ts"));
    expect(read(inside).id).toBe("com.example.math");
    const outside = folderWith(valid);
    mkdirSync(join(outside, "deep"));
    symlinkSync("/etc", join(outside, "deep", "etc"));
    expect(() => read(outside)).toThrow("deep/etc leads out of the package");
    const dangling = folderWith(valid);
    symlinkSync("/nowhere/at/all", join(dangling, "x"));
    expect(() => read(dangling)).toThrow("the link x is broken");
  });
});
