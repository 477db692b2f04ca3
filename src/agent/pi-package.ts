/** The package that `pi install` fetches: the bootstrap extension and the skills. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { FileTree } from "./git-repository.js";

const projectRoot = resolve(import.meta.dir, "..", "..");

/** Limits for the files of skills. */
const MAX_SKILL_FILES = 200;
const MAX_SKILL_BYTES = 5 * 1024 * 1024;

let bootstrap: Promise<string> | undefined;

/** The bootstrap extension as a single JavaScript file; built once. */
export function bootstrapSource(): Promise<string> {
  bootstrap ??= buildBootstrap();
  return bootstrap;
}

async function buildBootstrap(): Promise<string> {
  const result = await Bun.build({
    entrypoints: [join(import.meta.dir, "bootstrap.ts")],
    target: "node",
    format: "esm",
  });
  const [output] = result.outputs;
  if (!output) throw new Error("the bootstrap extension cannot be built");
  return output.text();
}

/** The files of the package. `skillsDir` contains one folder per skill. */
export async function piPackage(skillsDir = join(projectRoot, "skills")): Promise<FileTree> {
  const { version } = JSON.parse(readFileSync(join(projectRoot, "package.json"), "utf8")) as {
    version: string;
  };
  const manifest = {
    name: "reef-agent",
    version,
    description: "Connects an agent to the Reef named by VERS_INFRA_URL.",
    type: "module",
    keywords: ["pi-package"],
    pi: { extensions: ["./reef.js"], skills: ["./skills"] },
  };
  const files = new Map<string, string | Uint8Array>([
    ["package.json", `${JSON.stringify(manifest, null, 2)}\n`],
    ["reef.js", await bootstrapSource()],
  ]);
  for (const path of skillFiles(skillsDir)) files.set(`skills/${path}`, readFileSync(join(skillsDir, path)));
  return files;
}

function skillFiles(dir: string): string[] {
  if (!existsSync(dir)) return [];
  const files = readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1))
    .filter((path) => !path.split("/").some((part) => part.startsWith(".") || part === "node_modules"))
    .sort();
  const bytes = files.reduce((sum, path) => sum + readFileSync(join(dir, path)).length, 0);
  if (files.length > MAX_SKILL_FILES || bytes > MAX_SKILL_BYTES) {
    throw new Error(`${dir} is too large: ${files.length} files, ${bytes} bytes`);
  }
  return files;
}
