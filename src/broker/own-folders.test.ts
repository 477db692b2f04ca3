import { afterAll, expect, test } from "bun:test";
import { readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { testBroker } from "./testing/fixtures.js";

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
