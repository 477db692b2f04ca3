/** Reads a guide and does what it says, in a checkout of its own. */
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Json } from "../../src/core/types.js";
import { PATH_WITHOUT_BUN, ReefProcess } from "./process.js";
import { eventually, Sandbox } from "./sandbox.js";

const root = resolve(import.meta.dir, "..", "..");

/** Where the guides say that Reef listens. */
const WRITTEN_URL = "http://127.0.0.1:3000";

/** A fenced block: commands, a file to write, or what the commands before it print. */
export interface Block {
  kind: "commands" | "file" | "json" | "text";
  text: string;
  /** Line of the page on which it begins. */
  line: number;
  /** Of files: where it goes. */
  path?: string;
}

/** The blocks of a page that mean something to a reader at a terminal, in order. */
export function blocksOf(page: string): Block[] {
  const blocks: Block[] = [];
  const text = readFileSync(join(root, page), "utf8");
  for (const { 1: info = "", 2: body = "", index } of text.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)) {
    const line = text.slice(0, index).split("\n").length;
    const [language = ""] = info.trim().split(/\s+/);
    const path = /title="([^"]+)"/.exec(info)?.[1] ?? /^\/\/ (\S+\/\S+\.ts)\n/.exec(body)?.[1];
    if (path) blocks.push({ kind: "file", text: body, line, path });
    else if (language === "sh") blocks.push({ kind: "commands", text: body, line });
    else if (language === "json" || language === "text") blocks.push({ kind: language, text: body, line });
  }
  return blocks;
}

/** What one block of commands did. */
export interface Result {
  block: Block;
  output: string;
  code: number;
}

/** A copy of everything that a fresh checkout has, with the packages of this one. */
function checkout(): Sandbox {
  const sandbox = new Sandbox();
  for (const name of [
    "src",
    "services",
    "examples",
    "scripts",
    "package.json",
    "tsconfig.json",
    "bunfig.toml",
  ]) {
    cpSync(join(root, name), join(sandbox.root, name), { recursive: true, verbatimSymlinks: true });
  }
  symlinkSync(join(root, "node_modules"), join(sandbox.root, "node_modules"));
  return sandbox;
}

/**
 * Starts Reef in a fresh checkout and runs a page's blocks in one shell, from top to bottom. Commands for which
 * `skip` is true are left out. Resolves with what each block of commands printed, up to the first that failed.
 */
export async function follow(page: string, skip: (command: string) => boolean): Promise<Result[]> {
  const sandbox = checkout();
  const { VERS_AUTH_TOKEN: _token, REEF_DATA_DIR: _data, ...env } = process.env;
  const reef = new ReefProcess(sandbox, {
    main: join(sandbox.root, "src", "main.ts"),
    env: { VERS_AUTH_TOKEN: undefined, REEF_SERVICES_DIR: undefined, REEF_DATA_DIR: undefined },
  });
  try {
    const { url } = await reef.listening();
    await allAnswered(url, sandbox);
    const blocks = blocksOf(page).filter(({ kind }) => kind === "commands" || kind === "file");
    const script =
      EACH_REPLY_ON_ITS_OWN_LINE +
      blocks.map((block, at) => part(block, at, url, sandbox.root, skip)).join("\n");
    const shell = Bun.spawn(["bash", "-c", script], {
      cwd: sandbox.root,
      env: {
        ...env,
        PATH: PATH_WITHOUT_BUN,
        VERS_AUTH_TOKEN: readFileSync(join(sandbox.dataDir, "auth-token"), "utf8").trim(),
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [output, errors, code] = await Promise.all([
      new Response(shell.stdout).text(),
      new Response(shell.stderr).text(),
      shell.exited,
    ]);
    return resultsOf(output, errors, code, blocks);
  } finally {
    await reef.stop();
    sandbox.remove();
  }
}

const MARK = "@@block";
const EACH_REPLY_ON_ITS_OWN_LINE = 'curl() { command curl "$@" && echo; }\n';

function part(
  block: Block,
  at: number,
  url: string,
  folder: string,
  skip: (command: string) => boolean,
): string {
  if (block.kind === "file") {
    const file = join(folder, block.path as string);
    mkdirSync(dirname(file), { recursive: true });
    const ending = `END_OF_FILE_${at}`;
    return `cat > '${file}' <<'${ending}'\n${block.text}${ending}`;
  }
  const lines = block.text.split("\n").filter((line) => !skip(line.trim()));
  return `echo; echo '${MARK} ${at}'; set -eu\n${lines.join("\n").replaceAll(WRITTEN_URL, url)}\nset +eu`;
}

function resultsOf(output: string, errors: string, code: number, blocks: Block[]): Result[] {
  const [, ...parts] = output.split(`${MARK} `);
  return parts.map((text, index) => {
    const [number = ""] = text.split("\n", 1);
    const isLast = index === parts.length - 1;
    return {
      block: blocks[Number(number)] as Block,
      output: text.slice(number.length + 1) + (isLast && code !== 0 ? errors : ""),
      code: isLast ? code : 0,
    };
  });
}

/** Waits until each service folder was loaded or skipped: readers type slower than that. */
async function allAnswered(url: string, { servicesDir }: Sandbox): Promise<void> {
  const folders = readdirSync(servicesDir).length;
  await eventually(async () => {
    const { services, skipped } = (await (await fetch(`${url}/health`)).json()) as Json;
    return services.length + skipped.length >= folders;
  }, "the start of all services");
}

/** Whether everything that the page shows is in what came; "…" in the page stands for anything. */
export function shows(actual: Json, shown: Json): boolean {
  if (shown === "…") return actual !== undefined;
  if (Array.isArray(shown)) {
    if (!Array.isArray(actual)) return false;
    if (shown.at(-1) === "…")
      return shown.slice(0, -1).every((item) => actual.some((one) => shows(one, item)));
    return actual.length === shown.length && shown.every((item, at) => shows(actual[at], item));
  }
  if (typeof shown === "object" && shown !== null) {
    if (typeof actual !== "object" || actual === null) return false;
    return Object.entries(shown).every(([key, value]) => shows(actual[key], value));
  }
  if (typeof shown === "string" && shown.includes("…") && typeof actual === "string") {
    const parts = shown.split("…").map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    return new RegExp(`^${parts.join("[\\s\\S]*")}$`).test(actual);
  }
  return Object.is(actual, shown);
}
