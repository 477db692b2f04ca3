/** Follows skills/create-service/SKILL.md to the letter: writes its files, runs its commands, in its order. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { type Managed, startManaged } from "./support/managed.js";
import { PATH_WITHOUT_BUN } from "./support/process.js";
import { TOKEN } from "./support/sandbox.js";

const ROOT = resolve(import.meta.dir, "..");
const SKILL = join(ROOT, "skills", "create-service", "SKILL.md");
/** The parts of a checkout that the skill's commands use beside `services/`. */
const CHECKOUT = ["src", "node_modules", "bunfig.toml", "tsconfig.json", "package.json"];

type Instruction = { file: string; text: string } | { command: string };

/** The code blocks in their order: shell commands, and files that the line before names. */
function instructions(markdown: string): Instruction[] {
  const blocks = markdown.matchAll(/(?:^File: `([^`]+)`\n\n)?^```(\w+)\n([\s\S]*?)^```$/gm);
  return [...blocks].map(([, file, language, text = ""]) => {
    if (file) return { file, text };
    if (language === "sh") return { command: text };
    throw new Error(`a block of ${language} that is neither a file nor a command:\n${text}`);
  });
}

let m: Managed;
beforeAll(async () => {
  m = await startManaged();
  for (const name of CHECKOUT) symlinkSync(join(ROOT, name), join(m.sandbox.root, name));
});
afterAll(() => m.end());

async function run(command: string): Promise<{ code: number; output: string }> {
  const child = Bun.spawn(["bash", "-euo", "pipefail", "-c", command], {
    cwd: m.sandbox.root,
    env: {
      HOME: process.env.HOME,
      PATH: PATH_WITHOUT_BUN,
      VERS_INFRA_URL: m.url,
      VERS_AUTH_TOKEN: TOKEN,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { code: await child.exited, output: out + err };
}

test("the skill leads from nothing to a deployed, changed and rolled back service", async () => {
  const steps = instructions(readFileSync(SKILL, "utf8"));
  expect(steps.filter((step) => "file" in step)).toHaveLength(5);
  expect(steps.filter((step) => "command" in step).length).toBeGreaterThanOrEqual(7);
  const outputs: string[] = [];
  for (const step of steps) {
    if ("file" in step) {
      const path = join(m.sandbox.root, step.file);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, step.text);
      continue;
    }
    const { code, output } = await run(step.command);
    outputs.push(output);
    expect({ command: step.command, code, output }).toEqual({ command: step.command, code: 0, output });
  }
  expect(outputs.join("\n")).toContain("3 pass");
  const { data } = await m.api("GET", "/services/bookmarks");
  expect(data).toMatchObject({
    state: "loaded",
    generation: 3,
    description: "Links that agents share",
    hasTools: true,
  });
  expect(data.ledger.lateErrors).toBe(0);
  expect((await m.api("GET", "/bookmarks")).data.count).toBe(1);
  expect(existsSync(join(m.sandbox.dataDir, "bookmarks.json"))).toBe(true);
}, 60_000);

test("the skill has the frontmatter that agents need, and its links lead somewhere", () => {
  const text = readFileSync(SKILL, "utf8");
  const [, header = ""] = /^---\n([\s\S]*?)\n---\n/.exec(text) ?? [];
  const fields = Object.fromEntries(header.split("\n").map((line) => line.split(/: (.*)/)));
  expect(fields.name).toBe("create-service");
  expect(JSON.parse(fields.description ?? "").length).toBeLessThanOrEqual(1024);
  for (const [, target = ""] of text.matchAll(/\]\(([^)]+)\)/g)) {
    expect({ target, exists: existsSync(join(dirname(SKILL), target)) }).toEqual({ target, exists: true });
  }
});
