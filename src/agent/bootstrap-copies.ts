/** Copies of the extension file in an agent's cache, by their hashes. Part of the bootstrap extension. */
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { tokenProblem } from "../core/agent-token.js";

/** How long a download may go on in the background for the next session, in milliseconds. */
const DOWNLOAD_LIMIT_MS = 10_000;
const MAX_BYTES = 20 * 1024 * 1024;
/** Copies kept for each control plane. */
const KEPT = 3;

export interface Latest {
  /** SHA-256 of the copy that was fetched last. */
  hash: string;
  /** The copy that was loaded last. */
  good?: string;
}

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

export function cacheFolder(url: string): string {
  const root =
    process.env.REEF_CACHE_DIR || join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "reef");
  return join(root, "extension", sha256(url).slice(0, 16));
}

/** Half-written files are never seen: each is written aside and moved into place. */
export async function write(folder: string, name: string, text: string): Promise<void> {
  const unfinished = join(folder, `.${name}.${process.pid}`);
  await writeFile(unfinished, text, { mode: 0o600 });
  await rename(unfinished, join(folder, name));
}

export async function readLatest(folder: string): Promise<Latest | undefined> {
  try {
    const latest = JSON.parse(await readFile(join(folder, "latest.json"), "utf8")) as Latest;
    return typeof latest.hash === "string" ? latest : undefined;
  } catch {
    // Nothing was kept yet, or not by us.
    return undefined;
  }
}

/** Whether a copy is there, and what was fetched. */
async function isWhole(folder: string, hash: string): Promise<boolean> {
  try {
    return sha256(await readFile(join(folder, `${hash}.mjs`), "utf8")) === hash;
  } catch {
    // It is gone, or cannot be read: it is as good as none.
    return false;
  }
}

/** What was fetched last, and its hash where that copy is whole. */
export async function lastFetched(folder: string): Promise<{ known?: Latest; whole?: string }> {
  const known = await readLatest(folder);
  return { known, whole: known && (await isWhole(folder, known.hash)) ? known.hash : undefined };
}

/** Fetches the present extension into the cache, unless it is the copy `whole`. Resolves with its hash. */
export async function fetchLatest(
  url: string,
  folder: string,
  known: Latest | undefined,
  whole: string | undefined,
  signal: AbortSignal,
): Promise<string> {
  const headers: Record<string, string> = {};
  const token = (process.env.VERS_AUTH_TOKEN ?? "").trim();
  const problem = tokenProblem(token);
  if (problem !== undefined) throw new Error(problem);
  if (token) headers.authorization = `Bearer ${token}`;
  if (whole !== undefined) headers["if-none-match"] = `"${whole}"`;
  const response = await fetch(`${url}/extension.js`, {
    headers,
    signal: AbortSignal.any([signal, AbortSignal.timeout(DOWNLOAD_LIMIT_MS)]),
  });
  if (response.status === 304 && whole !== undefined) return whole;
  if (response.status !== 200) {
    const why = response.status === 401 ? `: VERS_AUTH_TOKEN is ${token ? "not its token" : "not set"}` : "";
    throw new Error(`${url}/extension.js returned ${response.status}${why}`);
  }
  // Proxies that compress mark the tag as weak; what arrives here is the same text.
  const announced = response.headers.get("etag")?.replace(/^W\//, "").replaceAll('"', "");
  if (Number(response.headers.get("content-length")) > MAX_BYTES)
    throw new Error("the extension is too large");
  const text = await response.text();
  const hash = sha256(text);
  if (hash !== announced)
    throw new Error(`the response of ${url}/extension.js is not Reef's extension, or is incomplete`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await write(folder, `${hash}.mjs`, text);
  await write(folder, "latest.json", JSON.stringify({ ...known, hash } satisfies Latest));
  return hash;
}

export async function load(folder: string, hash: string): Promise<(pi: unknown) => unknown> {
  const file = join(folder, `${hash}.mjs`);
  if (!(await isWhole(folder, hash))) throw new Error("the cached copy is missing or damaged");
  const { default: factory } = (await import(pathToFileURL(file).href)) as { default?: unknown };
  if (typeof factory !== "function") throw new Error("the extension does not export a function");
  return factory as (pi: unknown) => unknown;
}

export async function tidy(folder: string, keep: readonly string[]): Promise<void> {
  const names = (await readdir(folder)).filter(
    (name) => name.endsWith(".mjs") && !keep.includes(name.slice(0, -4)),
  );
  const ages = await Promise.all(
    names.map(async (name) => ({ name, at: (await stat(join(folder, name))).mtimeMs })),
  );
  const old = ages.sort((a, b) => b.at - a.at).slice(KEPT - 1);
  await Promise.all(old.map(({ name }) => rm(join(folder, name), { force: true })));
}
