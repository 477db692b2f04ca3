/** Copies of the extension file in an agent's cache, named by hash. Part of the bootstrap extension. */
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { tokenProblem } from "../core/agent-token.js";

/** How long a download may continue in the background, for the next session; in milliseconds. */
const DOWNLOAD_LIMIT_MS = 10_000;
const MAX_BYTES = 20 * 1024 * 1024;
/** The number of copies kept per control plane. */
const MAX_KEPT = 3;

/** The content of `latest.json`. */
export interface Latest {
  /** The SHA-256 of the copy fetched last. */
  hash: string;
  /** The SHA-256 of the last copy that loaded successfully. */
  good?: string;
}

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

/** The cache folder of a control plane. */
export function cacheFolder(url: string): string {
  const root =
    process.env.REEF_CACHE_DIR || join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "reef");
  return join(root, "extension", sha256(url).slice(0, 16));
}

/** Writes a file atomically. */
export async function write(folder: string, name: string, text: string): Promise<void> {
  const unfinished = join(folder, `.${name}.${process.pid}`);
  await writeFile(unfinished, text, { mode: 0o600 });
  await rename(unfinished, join(folder, name));
}

/** Reads `latest.json`; undefined when it is missing or invalid. */
export async function readLatest(folder: string): Promise<Latest | undefined> {
  try {
    const latest = JSON.parse(await readFile(join(folder, "latest.json"), "utf8")) as Latest;
    return typeof latest.hash === "string" ? latest : undefined;
  } catch {
    // Missing, or not ours.
    return undefined;
  }
}

/** Whether a copy exists and matches its hash. */
async function isIntact(folder: string, hash: string): Promise<boolean> {
  try {
    return sha256(await readFile(join(folder, `${hash}.mjs`), "utf8")) === hash;
  } catch {
    // Missing or unreadable.
    return false;
  }
}

/** The record of the last fetch; `intact` is its hash if that copy is intact. */
export async function lastFetched(folder: string): Promise<{ known?: Latest; intact?: string }> {
  const known = await readLatest(folder);
  return { known, intact: known && (await isIntact(folder, known.hash)) ? known.hash : undefined };
}

/** What to fetch, and the cache to put it into. */
export interface FetchOptions {
  /** The control plane's URL. */
  url: string;
  /** The cache folder. */
  folder: string;
  /** The record of the last fetch. */
  known: Latest | undefined;
  /** The hash of the last copy, if it is intact. */
  intact: string | undefined;
  signal: AbortSignal;
}

/** Fetches the current extension into the cache, unless it is the intact copy `intact`. Resolves with its hash. */
export async function fetchLatest({ url, folder, known, intact, signal }: FetchOptions): Promise<string> {
  const headers: Record<string, string> = {};
  const token = (process.env.VERS_AUTH_TOKEN ?? "").trim();
  const problem = tokenProblem(token);
  if (problem !== undefined) throw new Error(problem);
  if (token) headers.authorization = `Bearer ${token}`;
  if (intact !== undefined) headers["if-none-match"] = `"${intact}"`;
  const response = await fetch(`${url}/extension.js`, {
    headers,
    signal: AbortSignal.any([signal, AbortSignal.timeout(DOWNLOAD_LIMIT_MS)]),
  });
  if (response.status === 304 && intact !== undefined) return intact;
  if (response.status !== 200) {
    const why = response.status === 401 ? `: VERS_AUTH_TOKEN is ${token ? "not its token" : "not set"}` : "";
    throw new Error(`${url}/extension.js returned ${response.status}${why}`);
  }
  // Compressing proxies weaken the tag; the content is the same.
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

/** Imports a copy and returns its factory. */
export async function load(folder: string, hash: string): Promise<(pi: unknown) => unknown> {
  const file = join(folder, `${hash}.mjs`);
  if (!(await isIntact(folder, hash))) throw new Error("the cached copy is missing or damaged");
  const { default: factory } = (await import(pathToFileURL(file).href)) as { default?: unknown };
  if (typeof factory !== "function") throw new Error("the extension does not export a function");
  return factory as (pi: unknown) => unknown;
}

/** Deletes the oldest copies except those in `keep`. */
export async function tidy(folder: string, keep: readonly string[]): Promise<void> {
  const names = (await readdir(folder)).filter(
    (name) => name.endsWith(".mjs") && !keep.includes(name.slice(0, -4)),
  );
  const ages = await Promise.all(
    names.map(async (name) => ({ name, at: (await stat(join(folder, name))).mtimeMs })),
  );
  const old = ages.sort((a, b) => b.at - a.at).slice(MAX_KEPT - 1);
  await Promise.all(old.map(({ name }) => rm(join(folder, name), { force: true })));
}
