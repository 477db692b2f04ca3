/** A harness for tests of services: a Reef in this process, without a port, with a data folder of its own. */
import { readConfig } from "./config.js";
import { endDataDir } from "./data-dir.js";
import { Connections } from "./harness/connections.js";
import { enterScratchLate, makeDataDir } from "./harness/scratch.js";
import { keepStoresOpen, removeDataDir } from "./harness/stores.js";
import { LogBook } from "./log.js";
import { createServer, type ReefServer } from "./server.js";
import type { Json, ServiceModule } from "./types.js";

/**
 * Runs at import. With sorted imports, this file comes before the services, which then open their files in a
 * scratch folder.
 */
const tooLate = enterScratchLate();

/** A module object, or the result of importing one. */
type ServiceSource =
  | ServiceModule
  | { default: ServiceModule }
  | Promise<ServiceModule | { default: ServiceModule }>;

/** Options of {@link createTestHarness}. */
export interface TestHarnessOptions {
  /** The services to load; started in dependency order. */
  services: ServiceSource[];
  /** The token that `{ auth: true }` sends; default `"test-token"`. */
  authToken?: string;
  /** Print the services' logs. Default false; they are available as `logs`. */
  verbose?: boolean;
}

/** A request to the harness. */
export interface TestRequest {
  method?: string;
  /** Sent as JSON; strings, streams, forms and binary data are sent unchanged. Falsy values are sent too. */
  body?: unknown;
  /** `true` sends the harness's token; a string is sent as the token. */
  auth?: boolean | string;
  headers?: Record<string, string>;
  /**
   * Aborting it simulates a disconnecting client: `c.req.raw.signal` is aborted, and a stream that is still
   * being sent is cancelled. Cancelling the reply's body has the same effect.
   */
  signal?: AbortSignal;
}

/** A decoded reply. `headers` is not enumerable, so comparisons see only status and data. */
export interface JsonReply<T> {
  status: number;
  data: T;
  readonly headers: Headers;
}

/** A Reef for tests. */
export interface TestHarness {
  app: ReefServer["app"];
  server: ReefServer;
  authToken: string;
  /** The data folder of this harness; removed by `cleanup`, or with the test run. */
  dataDir: string;
  logs: LogBook;
  fetch(path: string, request?: TestRequest): Promise<Response>;
  /** Fetches and decodes JSON; other text is returned unchanged. */
  json<T = Json>(path: string, request?: TestRequest): Promise<JsonReply<T>>;
  /**
   * Stops the services and saves their stores, cuts off replies that are still being sent, removes the data
   * folder, and restores the environment. The stores stay open for the next harness of the same modules.
   */
  cleanup(): Promise<void>;
}

/** Environment variables that are set while a harness runs; shared by all harnesses of the process. */
const KEYS = ["VERS_AUTH_TOKEN", "REEF_DATA_DIR"] as const;
const running: Array<{ saved: Record<string, string | undefined> }> = [];

function setEnvironment(values: Record<(typeof KEYS)[number], string>): () => void {
  const entry = { saved: Object.fromEntries(KEYS.map((key) => [key, process.env[key]])) };
  running.push(entry);
  for (const key of KEYS) process.env[key] = values[key];
  return () => {
    const at = running.indexOf(entry);
    if (at < 0) return;
    running.splice(at, 1);
    const newer = running[at];
    // A later harness saved our values; it must restore those from before us instead.
    if (newer) newer.saved = entry.saved;
    else restore(entry.saved);
  };
}

function restore(saved: Record<string, string | undefined>): void {
  for (const key of KEYS) {
    const value = saved[key];
    if (value === undefined) delete process.env[key];
    else process.env[key] = value;
  }
}

/**
 * Loads services into a new Reef. Rejects with the reason when one of them cannot be loaded.
 *
 * @example
 * const t = await createTestHarness({ services: [board] });
 * const { status } = await t.json("/board/tasks", { auth: true });
 * await t.cleanup();
 */
export async function createTestHarness(options: TestHarnessOptions): Promise<TestHarness> {
  if (tooLate) throw new Error(tooLate);
  if (!Array.isArray((options as Partial<TestHarnessOptions> | undefined | null)?.services)) {
    throw new Error("createTestHarness requires { services: [ … ] } with the modules to load.");
  }
  const authToken = options.authToken ?? "test-token";
  const dataDir = makeDataDir();
  const restoreEnvironment = setEnvironment({ VERS_AUTH_TOKEN: authToken, REEF_DATA_DIR: dataDir });
  const discard = () => {
    restoreEnvironment();
    endDataDir(dataDir);
    removeDataDir(dataDir);
  };
  const logs = options.verbose ? new LogBook() : new LogBook(() => undefined);
  let server: ReefServer;
  try {
    const modules = await Promise.all(options.services.map(moduleOf));
    const config = readConfig();
    server = await keepStoresOpen(modules, dataDir, () =>
      createServer({ modules, authToken, dataDir, logs, config }),
    );
  } catch (error) {
    discard();
    throw error;
  }
  const connections = new Connections();
  const end = async (drainMs: number) => {
    try {
      await keepStoresOpen(server.liveModules.values(), dataDir, () => server.close(drainMs));
      await connections.end();
    } finally {
      discard();
    }
  };
  const [failure] = server.registry.failures.list();
  if (failure) {
    await end(0);
    const hint = failure.code === "MISSING_DEPENDENCY" ? " Add its module to `services` too." : "";
    throw new Error(`${failure.name}: ${failure.error}${hint}`);
  }

  const fetch = async (path: string, request: TestRequest = {}): Promise<Response> =>
    connections.fetch(toRequest(path, request, authToken), server.app.fetch);
  return {
    app: server.app,
    server,
    authToken,
    dataDir,
    logs,
    fetch,
    json: async (path, request) => {
      const response = await fetch(path, request);
      const text = await response.text();
      const reply = { status: response.status, data: decode(text) };
      // Not enumerable, so that comparisons see only status and data.
      return Object.defineProperty(reply, "headers", { value: response.headers }) as JsonReply<Json>;
    },
    cleanup: () => end(1000),
  };
}

async function moduleOf(source: ServiceSource, index: number): Promise<ServiceModule> {
  const value: unknown = await source;
  if (!isModule(value)) {
    const what = value === undefined || value === null ? String(value) : `a ${typeof value}`;
    throw new Error(`services[${index}] is ${what}; pass a ServiceModule, or the result of importing one.`);
  }
  return "default" in value ? value.default : value;
}

/** Whether a value may be a module; its fields are validated when it is loaded. */
function isModule(value: unknown): value is Awaited<ServiceSource> {
  return typeof value === "object" && value !== null;
}

function toRequest(path: string, request: TestRequest, token: string): Request {
  const { method, body, auth, headers = {}, signal } = request;
  const all = new Headers(headers);
  if (auth) all.set("authorization", `Bearer ${auth === true ? token : auth}`);
  const init: RequestInit = { method: method ?? (body === undefined ? "GET" : "POST"), headers: all, signal };
  if (body !== undefined) {
    if (isBodyInit(body)) init.body = body;
    else {
      init.body = JSON.stringify(body);
      if (!all.has("content-type")) all.set("content-type", "application/json");
    }
  }
  return new Request(new URL(path, "http://localhost"), init);
}

function isBodyInit(body: unknown): body is BodyInit {
  return (
    typeof body === "string" ||
    body instanceof FormData ||
    body instanceof URLSearchParams ||
    body instanceof Blob ||
    body instanceof ReadableStream ||
    body instanceof ArrayBuffer ||
    ArrayBuffer.isView(body)
  );
}

function decode(text: string): Json {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    // Panels and plain text are not JSON.
    return text;
  }
}
