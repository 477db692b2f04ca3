import { afterAll, expect, test } from "bun:test";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
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

test("what cannot be built leaves the last file in use, and says so", async () => {
  const { report } = await runSession("bun", { extensions: [extension] });
  expect(reefTools(report.tools)).toEqual(["log_append", "log_query"]);
  await Bun.write(join(checkout, "scripts", "build-extension.ts"), "process.exit(1)");
  await Bun.write(join(checkout, "services", "log", "touched.ts"), "");
  const broken = await runSession("bun", { extensions: [extension] });
  expect(broken.stderr).toContain("cannot be built from source");
  expect(reefTools(broken.report.tools)).toEqual(["log_append", "log_query"]);
});
