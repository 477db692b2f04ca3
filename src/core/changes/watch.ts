/** Watch mode: applies changes to services when files are saved. */
import fs, { type FSWatcher, readdirSync } from "node:fs";
import { join } from "node:path";
import { follow, isCode } from "../code/code-files.js";
import { messageOf } from "../errors.js";
import type { Logger } from "../log.js";
import type { SyncResult } from "./sync.js";

/** Options of watch mode. */
export interface WatchOptions {
  servicesDir: string;
  /** Brings running services in line with the folder. */
  sync: () => Promise<SyncResult>;
  log: Logger;
  /** The debounce time in milliseconds: editors save in several steps. */
  settleMs?: number;
}

const SETTLE_MS = 60;

/** The delay before a failed watch is retried, in milliseconds; doubled after each failure in a row. */
const RETRY_MS = 1000;
const LONGEST_RETRY_MS = 60_000;

/** Watches the services folder and the targets of its links. Returns the function that stops watching. */
export function watchServices({ servicesDir, sync, log, settleMs = SETTLE_MS }: WatchOptions): () => void {
  /** Keyed by path and inode, so that a replaced folder is watched anew. */
  const watchers = new Map<string, FSWatcher>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stopped = false;
  /** The number of failures in a row. */
  let failed = 0;

  /** Schedules a retry; changes until then are found by its sync. */
  const failedToWatch = (path: string, error: unknown) => {
    if (stopped) return;
    const ms = Math.min(RETRY_MS * 2 ** failed++, LONGEST_RETRY_MS);
    log.warn(`${path} cannot be watched: ${messageOf(error)}; retrying in ${ms / 1000} s`);
    settle(ms);
  };

  const settle = (ms = settleMs) => {
    clearTimeout(timer);
    timer = setTimeout(() => void apply(), ms);
  };

  const apply = async () => {
    if (stopped) return;
    try {
      attach();
      const { results, errors } = await sync();
      for (const { name, action } of results) log.info(`${name}: ${action}`);
      for (const { dir, error } of errors) log.warn(`${dir}: not loaded: ${error}`);
    } catch (error) {
      log.error(`watching: ${messageOf(error)}`);
    }
  };

  /** Starts missing watchers and stops obsolete ones. Never throws: what cannot be watched can still be loaded. */
  const attach = () => {
    const wanted = new Map<string, string>();
    const want = (path: string) => {
      const folder = follow(path);
      if (folder?.stat.isDirectory()) wanted.set(`${path} ${folder.real} ${folder.stat.ino}`, path);
    };
    attempt(servicesDir, () => {
      want(servicesDir);
      for (const path of linksIn(servicesDir)) attempt(path, () => want(path));
    });
    for (const [key, watcher] of watchers) {
      if (wanted.has(key)) continue;
      watcher.close();
      watchers.delete(key);
    }
    for (const [key, path] of wanted) {
      if (!watchers.has(key)) attempt(path, () => watchers.set(key, watcherOf(path, key)));
    }
  };

  const watcherOf = (path: string, key: string) => {
    const matters = path === servicesDir ? isCodeOfAService : isCode;
    const watcher = fs.watch(path, { recursive: true }, (_event, file) => {
      // No file is named when the watched folder itself changed.
      if (file && !matters(file)) return;
      failed = 0;
      settle();
    });
    watcher.on("error", (error) => {
      watcher.close();
      if (watchers.get(key) === watcher) watchers.delete(key);
      failedToWatch(path, error);
    });
    return watcher;
  };

  const attempt = (path: string, work: () => void) => {
    try {
      work();
    } catch (error) {
      failedToWatch(path, error);
    }
  };

  attach();
  return () => {
    stopped = true;
    clearTimeout(timer);
    for (const watcher of watchers.values()) watcher.close();
  };
}

/** Whether a path in the services folder is a service's code; see `isCode`. */
function isCodeOfAService(path: string): boolean {
  const [folder = "", ...rest] = path.split("/");
  return !folder.startsWith(".") && folder !== "node_modules" && isCode(rest.join("/"));
}

/** The links in the services folder, which a recursive watch does not follow. */
function linksIn(servicesDir: string): string[] {
  const entries = readdirSync(servicesDir, { withFileTypes: true });
  return entries.filter((entry) => entry.isSymbolicLink()).map((entry) => join(servicesDir, entry.name));
}
