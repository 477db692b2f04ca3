import { afterAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { Sandbox } from "../../tests/support/sandbox.js";
import { TEST_FILE } from "./test-files.js";

const sandbox = new Sandbox();
afterAll(() => sandbox.remove());

const words = [
  ".test",
  "_test",
  ".spec",
  "_spec",
  ".Test",
  "_SPEC",
  ".test.spec",
  "test",
  "-test",
  ".tests",
  ".test.d",
];
const endings = ["ts", "tsx", "mts", "cts", "js", "jsx", "mjs", "cjs", "TS", "mtsx", "json", "ts.bak"];

test("the names of tests are those that the runner finds", async () => {
  // Bun takes names for one that differ in their case only.
  const names = words.flatMap((word, n) => endings.map((ending, m) => `${n}-${m}${word}.${ending}`));
  for (const name of names) {
    sandbox.write(`work/${name}`, `require("node:fs").appendFileSync("../found", "${name}\\n");`);
  }
  const cwd = `${sandbox.root}/work`;
  await Bun.spawn([process.execPath, "test"], { cwd, stdout: "ignore", stderr: "ignore" }).exited;
  const found = readFileSync(`${sandbox.root}/found`, "utf8").trim().split("\n");
  expect(found.sort()).toEqual(names.filter((name) => TEST_FILE.test(name)).sort());
});
