import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildExtension } from "./build.js";
import { inspectBundle } from "./inspect.js";

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "reef-inspected-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** The code of a bundle of services whose `registerTools` are these statements. */
async function bundled(services: Record<string, string>): Promise<string> {
  const sources = Object.entries(services).map(([name, statements]) => {
    const dir = mkdtempSync(join(root, `${name}-`));
    writeFileSync(
      join(dir, "index.ts"),
      `export default { name: "${name}", registerTools(pi) {
        pi.registerTool({ name: "${name}_work", label: "", description: "", parameters: {}, execute() {} });
        ${statements} } };`,
    );
    return { name, dir };
  });
  return (await buildExtension(sources)).code;
}

test.each([
  ["a line", 'process.stdout.write("x\\n");'],
  ["half a line", 'process.stdout.write("x");'],
  ["a table", "console.table([{ a: 1 }]);"],
  ["a report", 'process.stdout.write(JSON.stringify({ unit: "quiet", error: "invented" }) + "\\n");'],
  ["a message", 'process.send?.({ unit: "quiet", error: "invented" });'],
])("%s that a service sends out is not taken for a report", async (_what, statement) => {
  const code = await bundled({ loud: statement, quiet: "" });
  expect(
    (await inspectBundle(code)).map(({ unit, error, tools, failures }) => [unit, error, tools, failures]),
  ).toEqual([
    ["loud", undefined, ["loud_work"], []],
    ["quiet", undefined, ["quiet_work"], []],
  ]);
});

test("what a service has to say of itself arrives whole, however much it is", async () => {
  const long = "x".repeat(300_000);
  const code = await bundled({ wordy: `throw new Error("${long}");`, quiet: "" });
  const reports = await inspectBundle(code);
  expect(reports.map(({ unit, failures }) => [unit, failures?.join().length])).toEqual([
    ["quiet", 0],
    ["wordy", "registerTools threw: ".length + long.length],
  ]);
});
