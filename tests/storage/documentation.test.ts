import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { useTempFolder } from "./temp-folder.js";

const { path } = useTempFolder();
const root = join(import.meta.dir, "../..");
const page = readFileSync(join(root, "docs/STORAGE.md"), "utf8");
const examples = [...page.matchAll(/### (.+?)\n[^#]*?```ts\n(.+?)```\n\nprints\n\n```text\n(.+?)```/gs)].map(
  ([, title, code, output]) => ({ title, code, output }) as Record<"title" | "code" | "output", string>,
);

test("every example of docs/STORAGE.md is run here", () => {
  expect(examples.length).toBeGreaterThan(3);
  expect(examples).toHaveLength(page.split("```ts\n").length - 1);
});

test.each(examples)("the example '$title' prints what the page says", async ({ code, output }) => {
  const script = path("example.ts");
  await Bun.write(script, code.replaceAll("../../src/storage/index.js", join(root, "src/storage/index.ts")));
  const env = { ...process.env, REEF_DATA_DIR: path("data") };
  const child = Bun.spawn([process.execPath, script], {
    env,
    cwd: root,
    stderr: "pipe",
  });
  const [printed, errors] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  expect(errors).toBe("");
  expect(printed).toBe(output);
});
