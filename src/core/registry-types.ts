/** The types of the registry that services see. */
import type { Snapshot } from "./code/snapshot-list.js";
import type { FailureStep, LoadFailureCode } from "./load-failure.js";
import type { LogLine } from "./log.js";
import type { ServiceModule } from "./types.js";

/** The state of a service. `loading`: found, not serving yet. `disabled`: switched off by the operator. */
export type ServiceState = "loaded" | "loading" | "failed" | "disabled";

/** Why a folder is not served, or why the latest attempt to change it failed. */
export interface FailureReport {
  /** The service's name where known, else the folder's. */
  name: string;
  dir: string;
  step: FailureStep;
  code: LoadFailureCode;
  /** One line: what is wrong and what to do about it. */
  error: string;
  at: string;
  /** SHA-256 of the code that failed, if it had been read. */
  digest?: string;
}

/** What one version of a service owns and has done. */
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
  /** Errors outside of requests: in timers, event handlers, unhandled rejections. */
  lateErrors: number;
  ageMs: number;
}

/** A version of a service that still answers requests or streams. */
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
  /** The reason for `failed`; for a loaded service, its last failed change. */
  failure?: FailureReport;
  /** Counts the versions of this service that this process has loaded. */
  generation?: number;
  /** SHA-256 of the folder's code. */
  digest?: string;
  loadedAt?: string;
  module?: ServiceModule;
  ledger?: Ledger;
  /** The names of the events to which the serving version subscribes. */
  listensTo?: string[];
  /** Why the operator switched it off. */
  reason?: string;
  /** The number of older versions that still answer requests or streams. */
  draining: number;
  /** The serving version, then the draining ones, latest first. */
  generations?: GenerationInfo[];
}

/** A version that has been started and is not serving yet. */
export interface Candidate {
  module: ServiceModule;
  digest: string;
  /** Sends one request to it, without authentication; `path` is below its mount point. Never rejects. */
  request(path: string, init?: RequestInit): Promise<Response>;
}

/** Options of a load. */
export interface LoadOptions {
  /** Load only code with this digest; otherwise nothing changes (`CHANGED`). */
  digest?: string;
  /**
   * Verifies the new version before it replaces the running one, whose requests wait meanwhile; 5 s at most. If
   * it throws, the running version stays (`VERIFY_FAILED`). Called again if the new version has to be started
   * again because other services called the running version's store meanwhile.
   */
  verify?(candidate: Candidate): Promise<void>;
}

/** The result of trying a folder's code. */
export interface CheckResult {
  /** SHA-256 of the code that was tried. */
  digest: string;
  /** False when this server does not try code; then only the folder was read. */
  tried: boolean;
}

/** What a change did to a service. */
export type ReloadAction = "added" | "updated" | "removed";

/** The result of loading a folder. */
export interface Loaded {
  name: string;
  action: "added" | "updated";
}

/** A change of one service folder that can be undone. Both functions are synchronous. */
export interface FolderChange {
  /**
   * Puts the folder into its new state; may also create or remove it. If it throws, the folder must be
   * unchanged.
   */
  apply(): void;
  /** Restores the state before `apply`. */
  undo(): void;
}

/** The operations behind the services manager, available to every service through its context. */
export interface ServiceRegistry {
  list(): ServiceInfo[];
  get(name: string): ServiceInfo | undefined;
  /** Folders that could not be served and why. */
  failures(): FailureReport[];
  /**
   * Resolves once each service found at the server's start serves or has failed. An `init` must not wait for
   * it.
   */
  started(): Promise<void>;
  /**
   * Loads a folder, or replaces the running version with its current code. Rejects with a `LoadFailure`; the
   * old version keeps serving then.
   */
  load(dirName: string, options?: LoadOptions): Promise<Loaded>;
  /**
   * The location of a service's code, loaded or not; `dir` is a real path.
   *
   * @throws LoadFailure
   */
  locate(name: string): { dirName: string; dir: string };
  /**
   * The folder with the code that serves: the service's own, or a kept copy if that was changed since.
   * Undefined when no such service is loaded, or it has no folder.
   */
  servedFrom(name: string): string | undefined;
  /** Reloads a service by name, whether or not its code changed. */
  reload(name: string): Promise<Loaded>;
  /**
   * Brings running services in line with the services folder: adds new ones, updates changed ones, removes
   * missing ones.
   */
  sync(): Promise<{
    results: Array<{ name: string; action: ReloadAction }>;
    errors: Array<{ dir: string; error: string }>;
  }>;
  /** Tries a folder's current code in a child process without loading it. Rejects with a `LoadFailure`. */
  check(dirName: string): Promise<CheckResult>;
  /**
   * Stops a service and keeps its folder from loading, also after a restart; by service or folder name. Refused
   * under the same conditions as `unload`; the service then stays.
   */
  disable(name: string, options?: { force?: boolean; reason?: string }): Promise<void>;
  /** Switches a folder on again and loads it; by service or folder name. */
  enable(name: string): Promise<Loaded>;
  /** Whether a folder is switched off, even if it does not exist. */
  isDisabled(dirName: string): boolean;
  /**
   * Forgets that a folder was switched off, if it no longer exists. Rejects with a `StorageError` when that
   * cannot be saved.
   */
  forget(dirName: string): Promise<void>;
  /** The kept versions of a service's code, latest first. */
  versions(name: string): Snapshot[];
  /**
   * Restores kept code into the folder and loads it: the code with this digest (or unique digest prefix).
   * Without one: the running code if the latest change of the folder failed, else the code that served before.
   * On failure the folder is unchanged.
   */
  rollback(name: string, digest?: string): Promise<Loaded & { digest: string }>;
  /**
   * Runs `fn` with the current version of a service, in that service's context: what it opens and its late
   * errors belong to the service. A returned promise rejects when that version goes before it settles. Throws
   * when no such service is loaded.
   */
  run<T>(name: string, fn: (module: ServiceModule) => T): T;
  /**
   * Changes a service folder and the running service in one step between other changes: loads the service that
   * the folder then contains, or stops it when the folder is gone (refused under the same conditions as
   * `unload`). If that fails, the change is undone. A folder without `index.ts` is changed, and nothing else
   * happens.
   */
  changeFolder(
    dirName: string,
    change: FolderChange,
    options?: { force?: boolean },
  ): Promise<{ name: string; action: ReloadAction }>;
  /** The latest lines of a service's log, oldest first. */
  logs(name: string): LogLine[];
  /**
   * Stops a service. Refused while other services depend on it (`IN_USE`) or when its store cannot be saved
   * (`FLUSH_FAILED`), unless `force`.
   */
  unload(name: string, options?: { force?: boolean }): Promise<void>;
}
