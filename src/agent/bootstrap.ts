/**
 * The extension that agents install once. It fetches the current extension from the control plane, caches it by
 * its hash, and falls back to the last good copy while the control plane is unreachable. Runs on Node and on
 * Bun. Shipped as a single file, so it may import only Node's own packages.
 */
import { TIMED_OUT, waitAtMost } from "../core/extension/timeouts.js";
import {
  cacheFolder,
  fetchLatest,
  type Latest,
  lastFetched,
  load,
  readLatest,
  tidy,
  write,
} from "./bootstrap-copies.js";

type Handler = (event: object, ctx: unknown) => unknown;

/** The part of pi that is used here. */
interface Pi {
  on(event: string, handler: Handler): void;
}

/** How long the start of a session may wait for the control plane, in milliseconds. */
const START_WAIT_MS = 800;
/** How long a prompt may wait in a session without a copy, in milliseconds. */
const PROMPT_WAIT_MS = 250;

const warn = (line: string) => console.warn(`[reef] ${line}`);
const reason = (error: unknown) => (error instanceof Error ? error.message : String(error));

/**
 * The hashes of copies to try, best first: the one fetched within `START_WAIT_MS`, else the latest one, then
 * the last good one.
 */
async function newest(url: string, folder: string, signal: AbortSignal): Promise<string[]> {
  const { known, intact } = await lastFetched(folder);
  const fetching = fetchLatest({ url, folder, known, intact, signal });
  let latest = known?.hash;
  try {
    const fetched = await waitAtMost(fetching, START_WAIT_MS);
    if (fetched === TIMED_OUT) throw new Error(`${url} is not responding`);
    latest = fetched;
  } catch (error) {
    const last = intact === undefined ? "the cached copy is damaged" : "using the cached copy";
    warn(`${reason(error)}; ${known ? last : "there is no cached copy to use instead"}.`);
  } finally {
    fetching.catch(() => undefined);
  }
  return [...new Set([latest, known?.good])].filter((hash) => hash !== undefined);
}

/** Loads the first usable copy. Resolves with whether there was one. */
async function use(pi: Pi, folder: string, hashes: readonly string[]): Promise<boolean> {
  for (const hash of hashes) {
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
    return true;
  }
  return false;
}

/** For a session without a copy: loads one at the first prompt at which it is available. */
function useLater(pi: Pi, url: string, folder: string, signal: AbortSignal): void {
  let isUsed = false;
  let tried: string | undefined;
  let fetching: Promise<string | undefined> | undefined;
  const fetched = async () => {
    try {
      const { known, intact } = await lastFetched(folder);
      if (intact !== undefined && intact !== tried) return intact;
      return await fetchLatest({ url, folder, known, intact, signal });
    } catch {
      // Already reported at the start.
      return undefined;
    } finally {
      fetching = undefined;
    }
  };
  pi.on("before_agent_start", async (_event, ctx) => {
    if (isUsed) return;
    fetching ??= fetched();
    const hash = await waitAtMost(fetching, PROMPT_WAIT_MS);
    if (hash === TIMED_OUT || hash === undefined || hash === tried) return;
    tried = hash;
    const starts: Handler[] = [];
    isUsed = await use(recordingStarts(pi, starts), folder, [hash]);
    // For handlers registered only now, the session starts now.
    for (const start of starts) await start({ type: "session_start", reason: "startup" }, ctx);
  });
}

/** Wraps `pi` to collect handlers of `session_start`. */
function recordingStarts(pi: Pi, starts: Handler[]): Pi {
  const on: Pi["on"] = (event, handler) => {
    if (event === "session_start") starts.push(handler);
    pi.on(event, handler);
  };
  return new Proxy(pi, { get: (target, key) => (key === "on" ? on : Reflect.get(target, key)) });
}

/** The extension. Never rejects: without the control plane, the agent works without Reef's tools. */
export default async function reef(pi: Pi): Promise<void> {
  const url = (process.env.VERS_INFRA_URL ?? "").replace(/\/+$/, "");
  if (url === "") return;
  try {
    const folder = cacheFolder(url);
    // A download that goes on in the background must not keep the agent's process.
    const session = new AbortController();
    pi.on("session_shutdown", () => session.abort());
    const hashes = await newest(url, folder, session.signal);
    if (!(await use(pi, folder, hashes))) useLater(pi, url, folder, session.signal);
  } catch (error) {
    warn(`could not be loaded: ${reason(error)}`);
  }
}
