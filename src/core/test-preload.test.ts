import { afterAll, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Sandbox } from "../../tests/support/sandbox.js";

const sandbox = new Sandbox();
afterAll(() => sandbox.remove());

const STORE = `
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
export const seen = existsSync("data/store.json") ? readFileSync("data/store.json", "utf8") : "nothing";
mkdirSync("data", { recursive: true });
writeFileSync("data/store.json", "written while being imported");
`;
const test_ = (n: number) => `
import { expect, test } from "bun:test";
import { resolve } from "node:path";
import { seen } from "./store${n}.ts";
test("starts empty", () => {
  expect(seen).toBe("nothing");
  expect(process.env.REEF_DATA_DIR).toBe(resolve("data"));
});
`;

async function run(...flags: string[]): Promise<{ code: number; output: string }> {
  const preload = join(import.meta.dir, "test-preload.ts");
  const child = Bun.spawn([process.execPath, "test", "--preload", preload, ...flags], {
    cwd: sandbox.root,
    env: { ...process.env, TMPDIR: join(sandbox.root, "tmp"), REEF_DATA_DIR: join(sandbox.root, "live") },
    stdout: "ignore",
    stderr: "pipe",
  });
  return { code: await child.exited, output: await new Response(child.stderr).text() };
}

test.each([[[]], [["--isolate"]]])(
  "stores that open data/… while imported see a scratch folder for each test file, gone afterwards (%p)",
  async (flags) => {
    sandbox.write("tmp/.keep", "");
    for (const n of [1, 2]) {
      sandbox.write(`store${n}.ts`, STORE);
      sandbox.write(`file${n}.test.ts`, test_(n));
    }
    const { code, output } = await run(...flags);
    expect(output).toContain("2 pass");
    expect(code).toBe(0);
    expect(readdirSync(join(sandbox.root, "tmp"))).toEqual([".keep"]);
    expect(readdirSync(sandbox.dataDir)).toEqual([]);
    expect(existsSync(join(sandbox.root, "live"))).toBe(false);
  },
);
