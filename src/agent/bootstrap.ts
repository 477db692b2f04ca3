/**
 * The extension that agents install once. It fetches the present extension from the control plane, keeps it by
 * its hash, and works on with the last good copy while the control plane is away. Runs on Node and on Bun; must
 * stay one file that imports nothing but Node's modules.
 */
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** As much of pi as is needed here. */
interface Pi {
  on(event: "session_shutdown", handler: () => void): void;
}

type Factory = (pi: Pi) => unknown;

/** How long a session's start may wait for the control plane, in milliseconds. */
const PATIENCE_MS = 800;
/** How long a download may go on in the background for the next session, in milliseconds. */
const DOWNLOAD_LIMIT_MS = 10_000;
const MAX_BYTES = 20 * 1024 * 1024;
/** Copies kept for each control plane. */
const KEPT = 3;

interface Latest {
  /** SHA-256 of the copy that was fetched last. */
  hash: string;
  /** The copy that was loaded last. */
  good?: string;
}

const warn = (line: string) => console.warn(`[reef] ${line}`);
const reason = (error: unknown) => (error instanceof Error ? error.message : String(error));
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

function cacheFolder(url: string): string {
  const root =
    process.env.REEF_CACHE_DIR || join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "reef");
  return join(root, "extension", sha256(url).slice(0, 16));
}

/** Half-written files are never seen: each is written aside and moved into place. */
async function write(folder: string, name: string, text: string): Promise<void> {
  const unfinished = join(folder, `.${name}.${process.pid}`);
  await writeFile(unfinished, text, { mode: 0o600 });
  await rename(unfinished, join(folder, name));
}

async function readLatest(folder: string): Promise<Latest | undefined> {
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

/** Fetches the present extension into the cache, unless it is the copy `whole`. Resolves with its hash. */
async function fetchLatest(
  url: string,
  folder: string,
  known: Latest | undefined,
  whole: string | undefined,
  signal: AbortSignal,
): Promise<string> {
  const headers: Record<string, string> = {};
  const token = (process.env.VERS_AUTH_TOKEN ?? "").trim();
  // The error of the engine would show it.
  if (/[^\x21-\x7e]/.test(token)) throw new Error("VERS_AUTH_TOKEN has a character that no token has");
  if (token) headers.authorization = `Bearer ${token}`;
  if (whole !== undefined) headers["if-none-match"] = `"${whole}"`;
  const response = await fetch(`${url}/extension.js`, {
    headers,
    signal: AbortSignal.any([signal, AbortSignal.timeout(DOWNLOAD_LIMIT_MS)]),
  });
  if (response.status === 304 && whole !== undefined) return whole;
  if (response.status !== 200) {
    const why = response.status === 401 ? `: VERS_AUTH_TOKEN is ${token ? "not its token" : "not set"}` : "";
    throw new Error(`${url}/extension.js answers ${response.status}${why}`);
  }
  // Proxies that compress mark the tag as weak; what arrives here is the same text.
  const announced = response.headers.get("etag")?.replace(/^W\//, "").replaceAll('"', "");
  if (Number(response.headers.get("content-length")) > MAX_BYTES)
    throw new Error("the extension is too large");
  const text = await response.text();
  const hash = sha256(text);
  if (hash !== announced)
    throw new Error(`what ${url}/extension.js sends is not Reef's extension, or not all of it`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await write(folder, `${hash}.mjs`, text);
  await write(folder, "latest.json", JSON.stringify({ ...known, hash } satisfies Latest));
  return hash;
}

/** The newest copy by `PATIENCE_MS`: a fetched one, else the one that is there. */
async function newest(url: string, folder: string, signal: AbortSignal): Promise<string[]> {
  const known = await readLatest(folder);
  const whole = known && (await isWhole(folder, known.hash)) ? known.hash : undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${url} does not answer`)), PATIENCE_MS);
  });
  const fetching = fetchLatest(url, folder, known, whole, signal);
  let latest = known?.hash;
  try {
    latest = await Promise.race([fetching, late]);
  } catch (error) {
    const last = whole === undefined ? "the copy fetched last is damaged" : "the copy fetched last is used";
    warn(`${reason(error)}; ${known ? last : "there is no copy to use instead"}.`);
  } finally {
    clearTimeout(timer);
    fetching.catch(() => undefined);
  }
  return [...new Set([latest, known?.good])].filter((hash) => hash !== undefined);
}

async function load(folder: string, hash: string): Promise<Factory> {
  const file = join(folder, `${hash}.mjs`);
  if (!(await isWhole(folder, hash))) throw new Error("the kept copy is missing or damaged");
  const { default: factory } = (await import(pathToFileURL(file).href)) as { default?: unknown };
  if (typeof factory !== "function") throw new Error("the extension exports no function");
  return factory as Factory;
}

async function tidy(folder: string, keep: readonly string[]): Promise<void> {
  const names = (await readdir(folder)).filter(
    (name) => name.endsWith(".mjs") && !keep.includes(name.slice(0, -4)),
  );
  const ages = await Promise.all(
    names.map(async (name) => ({ name, at: (await stat(join(folder, name))).mtimeMs })),
  );
  const old = ages.sort((a, b) => b.at - a.at).slice(KEPT - 1);
  await Promise.all(old.map(({ name }) => rm(join(folder, name), { force: true })));
}

/** Never rejects: without its control plane an agent works on, without Reef's tools. */
export default async function reef(pi: Pi): Promise<void> {
  const url = (process.env.VERS_INFRA_URL ?? "").replace(/\/+$/, "");
  if (url === "") return;
  try {
    const folder = cacheFolder(url);
    // A download that goes on in the background must not keep the agent's process.
    const session = new AbortController();
    pi.on("session_shutdown", () => session.abort());
    for (const hash of await newest(url, folder, session.signal)) {
      try {
        await (await load(folder, hash))(pi);
      } catch (error) {
        warn(`version ${hash.slice(0, 8)} cannot be used: ${reason(error)}`);
        continue;
      }
      const latest = await readLatest(folder);
      if (latest && latest.good !== hash) {
        await write(folder, "latest.json", JSON.stringify({ ...latest, good: hash } satisfies Latest));
        await tidy(folder, [hash, latest.hash]);
      }
      return;
    }
  } catch (error) {
    warn(`could not be set up: ${reason(error)}`);
  }
}
