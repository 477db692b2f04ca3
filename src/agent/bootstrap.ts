/**
 * The extension that agents install once. It fetches the present extension from the control plane, keeps it by
 * its hash, and works on with the last good copy while the control plane is away. Runs on Node and on Bun, and is
 * sent out as one file, so of packages it may need Node's own only.
 */
import { LATE, within } from "../core/extension/alive.js";
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

/** As much of pi as is needed here. */
interface Pi {
  on(event: string, handler: Handler): void;
}

/** How long a session's start may wait for the control plane, in milliseconds. */
const PATIENCE_MS = 800;
/** The same for a prompt of a session that has no copy to use. */
const PROMPT_PATIENCE_MS = 250;

const warn = (line: string) => console.warn(`[reef] ${line}`);
const reason = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** The newest copy by `PATIENCE_MS`: a fetched one, else the one that is there. */
async function newest(url: string, folder: string, signal: AbortSignal): Promise<string[]> {
  const { known, whole } = await lastFetched(folder);
  const fetching = fetchLatest(url, folder, known, whole, signal);
  let latest = known?.hash;
  try {
    const fetched = await within(fetching, PATIENCE_MS);
    if (fetched === LATE) throw new Error(`${url} is not responding`);
    latest = fetched;
  } catch (error) {
    const last = whole === undefined ? "the cached copy is damaged" : "using the cached copy";
    warn(`${reason(error)}; ${known ? last : "there is no cached copy to use instead"}.`);
  } finally {
    fetching.catch(() => undefined);
  }
  return [...new Set([latest, known?.good])].filter((hash) => hash !== undefined);
}

/** Loads the first of these copies that can be used. Resolves with whether there was one. */
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

/** In a session that has begun without a copy: from the prompt on at which there is one. */
function useLater(pi: Pi, url: string, folder: string, signal: AbortSignal): void {
  let isUsed = false;
  let tried: string | undefined;
  let fetching: Promise<string | undefined> | undefined;
  const fetched = async () => {
    try {
      const { known, whole } = await lastFetched(folder);
      if (whole !== undefined && whole !== tried) return whole;
      return await fetchLatest(url, folder, known, whole, signal);
    } catch {
      // That the control plane is away was said at the start.
      return undefined;
    } finally {
      fetching = undefined;
    }
  };
  pi.on("before_agent_start", async (_event, ctx) => {
    if (isUsed) return;
    fetching ??= fetched();
    const hash = await within(fetching, PROMPT_PATIENCE_MS);
    if (hash === LATE || hash === undefined || hash === tried) return;
    tried = hash;
    const starts: Handler[] = [];
    isUsed = await use(hearing(pi, starts), folder, [hash]);
    // For what is registered only now, the session begins now.
    for (const start of starts) await start({ type: "session_start", reason: "startup" }, ctx);
  });
}

/** `pi`, with the handlers for the start of a session kept as well. */
function hearing(pi: Pi, starts: Handler[]): Pi {
  const on: Pi["on"] = (event, handler) => {
    if (event === "session_start") starts.push(handler);
    pi.on(event, handler);
  };
  return new Proxy(pi, { get: (target, key) => (key === "on" ? on : Reflect.get(target, key)) });
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
    const hashes = await newest(url, folder, session.signal);
    if (!(await use(pi, folder, hashes))) useLater(pi, url, folder, session.signal);
  } catch (error) {
    warn(`could not be loaded: ${reason(error)}`);
  }
}
