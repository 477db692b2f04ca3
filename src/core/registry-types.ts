import type { Snapshot } from "./code/snapshot-list.js";
import type { FailureStep } from "./load-failure.js";
import type { LogLine } from "./log.js";
import type { ServiceModule } from "./types.js";

/** Where a service stands. `loading`: found, not yet serving. `disabled`: kept from loading by the operator. */
export type ServiceState = "loaded" | "loading" | "failed" | "disabled";

/** Why a folder is not served, or why the latest attempt to change it did not succeed. */
export interface FailureReport {
  /** Name of the service where known, else of the folder. */
  name: string;
  dir: string;
  step: FailureStep;
  code: string;
  /** One line: what is wrong and what to do about it. */
  error: string;
  at: string;
  /** SHA-256 over the code that failed, when it had been read. */
  digest?: string;
}

/** What one version of a service owns and does. */
export interface Ledger {
  /** Requests whose handler has not returned yet. */
  requests: number;
  /** Replies that are still being streamed. */
  streams: number;
  handlers: number;
  timers: number;
  disposers: number;
  processListeners: number;
  /** Requests since this version was loaded. */
  served: number;
  /** Handlers that threw. */
  errors: number;
  /** Errors that surfaced outside a request: timers, event handlers, unhandled rejections. */
  lateErrors: number;
  ageMs: number;
}

/** One version of a service that still answers somebody. */
export interface GenerationInfo {
  generation: number;
  digest?: string;
  loadedAt: string;
  /** `serving` receives requests; `draining` was replaced and finishes what it has begun. */
  state: "serving" | "draining";
  ledger: Ledger;
}

/** One service, as introspection shows it. */
export interface ServiceInfo {
  name: string;
  dirName: string | undefined;
  state: ServiceState;
  /** Present unless `loaded` without trouble; also the last failed change of a service that serves on. */
  failure?: FailureReport;
  /** Counts the versions of this service that this process has loaded. */
  generation?: number;
  /** SHA-256 over the folder's code. */
  digest?: string;
  loadedAt?: string;
  module?: ServiceModule;
  ledger?: Ledger;
  /** Names of the events that the serving version listens to. */
  listensTo?: string[];
  /** Why the operator has switched it off. */
  reason?: string;
  /** Older versions that still answer requests or streams. */
  draining: number;
  /** The version that serves, then those that drain, latest first. */
  generations?: GenerationInfo[];
}

/** A version that has been started and serves nobody yet. */
export interface Candidate {
  module: ServiceModule;
  digest: string;
  /** Has it answer one request, without auth; `path` is below its mount point. Never rejects. */
  request(path: string, init?: RequestInit): Promise<Response>;
}

export interface LoadOptions {
  /** Load only this code: when the folder holds something else by now, nothing changes (`CHANGED`). */
  digest?: string;
  /**
   * Looks at the new version before it replaces the running one, whose requests wait meanwhile; 5 s at most.
   * What it throws keeps the running version (`VERIFY_FAILED`). It is called again with the version that is started
   * anew when the store of the running one was used meanwhile.
   */
  verify?(candidate: Candidate): Promise<void>;
}

/** What trying a folder's code found. */
export interface CheckResult {
  /** SHA-256 over the code that was tried. */
  digest: string;
  /** False when this server does not try code out; then only the folder was looked at. */
  tried: boolean;
}

export type ReloadAction = "added" | "updated" | "removed";

/** What came of loading a folder. */
export interface Loaded {
  name: string;
  action: "added" | "updated";
}

/** A change of one service folder that can be taken back. Both run synchronously, within one tick. */
export interface FolderChange {
  /** Puts the folder into its new state; it may also create or remove it. When it throws, it has left nothing. */
  apply(): void;
  /** Puts the folder back into the state before `apply`. */
  undo(): void;
}

/** The operations behind the services manager; available to every service through its context. */
export interface ServiceRegistry {
  list(): ServiceInfo[];
  get(name: string): ServiceInfo | undefined;
  /** Folders that could not be served and why. */
  failures(): FailureReport[];
  /** Resolves once each service that the start of the server found serves or has failed. No `init` may wait for it. */
  started(): Promise<void>;
  /** Loads a folder, or swaps in its present code. Rejects with a `LoadFailure`; the old version then serves on. */
  load(dirName: string, options?: LoadOptions): Promise<Loaded>;
  /** Where a service's code is, loaded or not; `dir` is absolute, with links resolved. Throws a `LoadFailure`. */
  locate(name: string): { dirName: string; dir: string };
  /**
   * The folder with the code that serves: the service's own, or a kept copy when its own was changed since.
   * Undefined when no such service is loaded, or when it has no folder.
   */
  servedFrom(name: string): string | undefined;
  /** Reloads by service name, whether or not anything changed. */
  reload(name: string): Promise<Loaded>;
  /** Brings memory in line with the services folder: adds, updates what changed, removes. */
  sync(): Promise<{
    results: Array<{ name: string; action: ReloadAction }>;
    errors: Array<{ dir: string; error: string }>;
  }>;
  /** Tries the folder's present code in a child process without loading it. Rejects with a `LoadFailure`. */
  check(dirName: string): Promise<CheckResult>;
  /**
   * Stops serving and keeps the folder from loading, also after a restart; by the name of the service or of its
   * folder. Refused like `unload`; it then serves on.
   */
  disable(name: string, options?: { force?: boolean; reason?: string }): Promise<void>;
  /** Lets a disabled folder load again, and loads it; by either name. */
  enable(name: string): Promise<Loaded>;
  /** Whether a folder is switched off, also while it is not there. */
  isDisabled(dirName: string): boolean;
  /** Forgets that a folder was switched off, if it is gone. Rejects with a `StorageError` when that cannot be saved. */
  forget(dirName: string): Promise<void>;
  /** The kept versions of a service's code, latest first. */
  versions(name: string): Snapshot[];
  /**
   * Puts kept code back into the folder and loads it: the code with this digest (or a beginning that only it has);
   * without one, the code that still runs when the latest change of the folder failed, else the code that served
   * before it. On failure the folder is as it was.
   */
  rollback(name: string, digest?: string): Promise<Loaded & { digest: string }>;
  /**
   * Runs `fn` with the current version of a service, in that service's own context: what it opens and throws
   * late is the service's. A promise rejects when that version goes before it settles. Throws when no service
   * of this name is loaded.
   */
  run<T>(name: string, fn: (module: ServiceModule) => T): T;
  /**
   * Changes a service folder and brings what is running in line, as one step between other changes: loads the
   * service that the folder then holds, or stops it when the folder is gone (refused like `unload`). When that
   * fails the change is undone and everything is as before. A folder without `index.ts` is changed, nothing else.
   */
  changeFolder(
    dirName: string,
    change: FolderChange,
    options?: { force?: boolean },
  ): Promise<{ name: string; action: ReloadAction }>;
  /** The latest lines of a service's log, oldest first. */
  logs(name: string): LogLine[];
  /**
   * Stops serving. Refused while other services depend on it (`IN_USE`), and when its store cannot be saved
   * (`FLUSH_FAILED`), unless `force`.
   */
  unload(name: string, options?: { force?: boolean }): Promise<void>;
}
