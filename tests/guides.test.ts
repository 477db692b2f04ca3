/** Every command in the README and the guides is run in a fresh checkout, and prints what the page says. */
import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Block, blocksOf, follow, shows } from "./support/guide.js";

const root = resolve(import.meta.dir, "..");
const guides = readdirSync(join(root, "docs")).filter((name) => name.endsWith(".md"));
const pages = ["README.md", ...guides.map((name) => `docs/${name}`)];

/** Commands that are not run here, and why. */
const SKIPPED: Array<{ command: RegExp; why: string }> = [
  { command: /^npm (start|test|run \w+)\b/, why: "the server runs already, and this is the test" },
  { command: /^git clone /, why: "the checkout is there" },
  { command: /^pi /, why: "needs pi and a model" },
];

if (!existsSync(join(root, "services", "agent"))) {
  SKIPPED.push({ command: /\/extension\.js/, why: "needs the agent service" });
}

const isSkipped = (line: string) => SKIPPED.some(({ command }) => command.test(line));

/** How many refusals a block announces in its comments: `# no token: 401`. */
const announced = ({ text }: Block) => text.match(/\b[45]\d\d\b/g)?.length ?? 0;

/** The last JSON value in what was printed. */
function lastJson(output: string): unknown {
  const lines = output.trim().split("\n");
  for (let from = lines.length - 1; from >= 0; from--) {
    try {
      return JSON.parse(lines.slice(from).join("\n"));
    } catch {
      // It began further up.
    }
  }
  return undefined;
}

describe.each(pages.filter((page) => blocksOf(page).some(({ kind }) => kind === "commands")))(
  "%s",
  (page) => {
    test("its commands work and print what it shows", async () => {
      const blocks = blocksOf(page);
      const results = await follow(page, isSkipped);
      expect(results).toHaveLength(blocks.filter(({ kind }) => kind === "commands").length);
      for (const { block, output, code } of results) {
        const where = `${page}:${block.line}\n${output}`;
        expect(`${where} → ${code}`).toBe(`${where} → 0`);
        const refusals = output.match(/^\{"error":/gm)?.length ?? 0;
        if (refusals > announced(block)) throw new Error(`${where}: refused unannounced`);
        const shown = blocks[blocks.indexOf(blocks.find(({ line }) => line === block.line) as Block) + 1];
        if (shown?.kind === "json") {
          const actual = lastJson(output);
          if (!shows(actual, JSON.parse(shown.text))) expect(actual).toEqual(JSON.parse(shown.text));
        } else if (shown?.kind === "text") {
          for (const line of shown.text.trim().split("\n")) expect(output).toContain(line);
        }
      }
    }, 60_000);
  },
);

test("what a page shows is compared with what came", () => {
  expect(shows({ a: 1, b: [1, 2] }, { a: 1 })).toBe(true);
  expect(shows({ a: 1 }, { a: 2 })).toBe(false);
  expect(shows({ b: [{ n: 1 }, { n: 2 }] }, { b: [{ n: 2 }, "…"] })).toBe(true);
  expect(shows({ b: [1] }, { b: [2, "…"] })).toBe(false);
  expect(shows({ a: "started at 5" }, { a: "started…" })).toBe(true);
  expect(shows({ a: "began" }, { a: "started…" })).toBe(false);
  expect(shows({}, { a: "…" })).toBe(false);
});
