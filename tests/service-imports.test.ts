/** Services may be written for `services/x/` or for `examples/services/x/`, and say so in their imports. */
import { afterAll, expect, test } from "bun:test";
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dir, "..");
const checkout = realpathSync(mkdtempSync(join(tmpdir(), "reef-imports-")));
afterAll(() => rmSync(checkout, { recursive: true, force: true }));

/** How many folders up an author may believe `src/` to be. */
const SPECIFIERS = ["../src/core/", "../../src/core/", "../../../src/core/"];

const service = (up: string) => `
import type { ServiceModule } from "${up}types.js";
import { createTestHarness, type TestHarness } from "${up}testing.js";

export const start = (): Promise<TestHarness> => createTestHarness({ services: [hello] });
const hello: ServiceModule = {
  name: "hello",
  init(ctx) {
    ctx.events.on("some:event", (data) => ctx.log.info(String(data)));
  },
};
export default hello;
`;

test("each way to import the contract type-checks from both places", () => {
  cpSync(join(ROOT, "tsconfig.json"), join(checkout, "tsconfig.json"));
  for (const name of ["src", "node_modules"]) symlinkSync(join(ROOT, name), join(checkout, name));
  const files = ["services", "examples/services"].flatMap((place) => {
    const dir = join(checkout, place, "hello");
    mkdirSync(dir, { recursive: true });
    return SPECIFIERS.map((up, index) => {
      const file = join(dir, `module-${index}.ts`);
      writeFileSync(file, service(up));
      return file;
    });
  });
  writeFileSync(
    join(checkout, "only.json"),
    JSON.stringify({ extends: "./tsconfig.json", include: [], files }),
  );
  const tsc = join(ROOT, "node_modules", ".bin", "tsc");
  const { exitCode, stdout } = Bun.spawnSync([tsc, "--noEmit", "--project", join(checkout, "only.json")]);
  const complaints = stdout
    .toString()
    .trim()
    .split("\n")
    .filter((line) => line.includes("hello/"));
  expect({ exitCode, complaints }).toEqual({ exitCode: 0, complaints: [] });
});
