import { afterAll, expect, test } from "bun:test";
import { readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { detectEnforcement } from "./sandbox/level.js";
import { failure, testBroker } from "./testing/fixtures.js";

const CODE = `import { writeFile } from "node:fs/promises";
  import { join } from "node:path";
  import { shell } from "reef/broker";
  const { EXTENSION, EXTENSION_SUPPORT } = process.env;
  export default { services: { main: {
    folders: () => [EXTENSION, EXTENSION_SUPPORT],
    save: ({ text }) => writeFile(join(EXTENSION_SUPPORT, "note.txt"), text),
    command: async () => (await shell.execute("printenv", ["EXTENSION", "EXTENSION_SUPPORT"])).stdout,
  } } };`;

const environment = { PATH: process.env.PATH, EXTENSION_SUPPORT: "/elsewhere" };
const setup = testBroker({}, { environment });
afterAll(setup.close);

test("a plugin and its commands find the plugin's own folders as variables", async () => {
  await setup.add({
    id: "keeper",
    permissions: [
      { permission: "fs-write", allow: ["$EXTENSION_SUPPORT/**"] },
      { permission: "env", allow: ["*"] },
      { permission: "shell:execute", allow: [{ command: "printenv" }] },
    ],
    methods: { folders: {}, save: {}, command: {} },
    code: CODE,
  });
  const root = realpathSync(join(setup.folder, "keeper"));
  const support = join(realpathSync(setup.folder), "support", "keeper");
  const call = <T>(method: string, input = {}) => setup.broker.call<T>("keeper", "main", method, input);
  expect(await call<string[]>("folders")).toEqual([root, support]);
  await call("save", { text: "kept" });
  expect(readFileSync(join(support, "note.txt"), "utf8")).toBe("kept");
  expect(await call<string>("command")).toBe(`${root}\n${support}\n`);
});

const isConfined = (await detectEnforcement()).level !== "none";

test.skipIf(!isConfined)("a plugin that may not write where it wants to is told what it lacks", async () => {
  const code = `import { writeFileSync } from "node:fs";
    import { join } from "node:path";
    export default { services: { main: {
      folder: () => writeFileSync(join(process.env.EXTENSION, "note"), ""),
      code: () => writeFileSync(join(import.meta.dir, "note"), ""),
    } } };`;
  const methods = { folder: {}, code: {} };
  await setup.add({ id: "reader", methods, code });
  const permissions = [{ permission: "fs-write", allow: ["$EXTENSION/**"] }];
  await setup.add({ id: "writer", methods, code, permissions });
  const call = (id: string, method: string) => setup.broker.call(id, "main", method, {});
  const own = join(realpathSync(setup.folder), "reader", "note");
  expect(await failure(call("reader", "folder"))).toMatchObject({
    code: "permission_denied",
    message: `fs-write of ${own} is denied: reader has no "fs-write" permission`,
  });
  await call("writer", "folder");
  for (const id of ["reader", "writer"]) {
    const { code, message } = await failure(call(id, "code"));
    expect([code, message]).toEqual(["permission_denied", expect.stringContaining("process.env.EXTENSION")]);
  }
});
