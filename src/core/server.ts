/** Puts the parts together: a Reef without a port (`createServer`), and one that listens (`startServer`). */
import { statSync } from "node:fs";
import { join } from "node:path";
import { type Authenticator, bearerAuthenticator, SHORTEST_TOKEN, storedToken } from "./auth.js";
import { boot } from "./boot.js";
import { addModules } from "./boot-modules.js";
import { type Checker, ChildChecker } from "./checker.js";
import { type Config, ConfigError, readConfig } from "./config.js";
import { createContext } from "./context.js";
import { holdDataDir, prepareDataDir } from "./data-lock.js";
import { Dispatcher } from "./dispatch.js";
import { errorReply, messageOf } from "./errors.js";
import { openEventStore } from "./event-store.js";
import { EventBus } from "./events.js";
import { changes } from "./late.js";
import { LogBook, type Logger } from "./log.js";
import { refuseProcessExit } from "./process-guard.js";
import { redact } from "./redact.js";
import { Registry } from "./registry.js";
import { interruptedRollbacks } from "./rollback-journal.js";
import { Scope } from "./scope.js";
import type { Env } from "./serving.js";
import { listenError } from "./start-errors.js";
import type { ServiceContext, ServiceEventBus, ServiceModule } from "./types.js";

export interface ServerOptions {
  /** Module objects to serve; those that others depend on are started first. */
  modules?: readonly unknown[];
  /** Folder to load services from; none when only `modules` is given. */
  servicesDir?: string;
  port?: number;
  host?: string;
  /** The bearer token; default `VERS_AUTH_TOKEN`. Without either every protected route answers 401. */
  authToken?: string;
  dataDir?: string;
  logs?: LogBook;
  /** Tries unknown code before it is loaded; see {@link ChildChecker}. */
  checker?: Checker;
  /** How long start-up waits while no service gets any further, in milliseconds; slow ones join later. */
  patienceMs?: number;
  config?: Config;
}

/** A Reef that answers requests handed to it. */
export interface ReefServer {
  app: {
    fetch(request: Request, server?: Env): Response | Promise<Response>;
    /** Like Hono's: a path or URL, and what `fetch` takes. */
    request(path: string, init?: RequestInit): Promise<Response>;
  };
  /** The loaded modules by name. */
  liveModules: ReadonlyMap<string, ServiceModule>;
  events: ServiceEventBus;
  /** A context that belongs to the server itself. */
  ctx: ServiceContext;
  registry: Registry;
  logs: LogBook;
  /** Settles when services that were too slow for the start have been dealt with. */
  settled: Promise<void>;
  /** Drains, flushes and closes everything. */
  close(drainMs?: number): Promise<void>;
}

const NOBODY: Authenticator = () => false;

/**
 * Loads services and returns what answers requests, without opening a port. When the services folder cannot be read it
 * rejects, and nothing of it is left.
 */
export async function createServer(options: ServerOptions = {}): Promise<ReefServer> {
  const config = options.config ?? readConfig();
  const servicesDir = options.servicesDir ?? config.servicesDir;
  const dataDir = options.dataDir ?? config.dataDir;
  const token = options.authToken ?? config.authToken;
  const logs = options.logs ?? new LogBook();
  const log = logs.logger("reef");
  const { eventsMax, eventsMaxDays } = config;
  const eventStore = openEventStore(dataDir, {
    retention: {
      maxEvents: eventsMax || undefined,
      maxAgeMs: eventsMaxDays ? eventsMaxDays * 86_400_000 : undefined,
    },
    warn: (message) => log.warn(message),
  });
  const bus = new EventBus((where, error) => log.error(`${where}:`, error));
  bus.setSink(eventStore.sink);
  const startedAt = Date.now();
  const dispatcher = new Dispatcher({
    authenticate: token === undefined ? NOBODY : bearerAuthenticator(token),
    maxBodyBytes: config.maxBodyBytes,
    log,
    health: () => health(registry, startedAt),
  });
  const { initTimeoutMs, drainTimeoutMs } = config;
  const limits = { initTimeoutMs, drainTimeoutMs };
  const registry = new Registry({
    servicesDir,
    dataDir,
    events: bus,
    logs,
    dispatcher,
    checker: options.checker,
    ...limits,
  });
  const scope = new Scope("reef", log);
  scope.active = true;

  let settled = Promise.resolve();
  const close = async (drainMs = drainTimeoutMs) => {
    registry.failures.silence();
    // What would only be ended after a long wait ends now.
    registry.announceStop();
    // First, since a change that is under way may be waiting for code that never ends.
    await options.checker?.close();
    await changes().endServices(registry, drainMs, settled);
    await scope.end();
    await eventStore.release();
  };
  try {
    await addModules(registry, options.modules ?? []);
    if (options.servicesDir !== undefined || options.modules === undefined) {
      await mendRollbacks(registry, log);
      const patience = options.patienceMs ?? 2 * initTimeoutMs;
      settled = (await boot(registry, servicesDir, options.checker, patience)).finished;
    }
  } catch (error) {
    await close(0);
    throw error;
  }
  const ctx = createContext(scope, registry.host);
  return {
    app: {
      fetch: dispatcher.fetch,
      request: async (path, init) => dispatcher.fetch(new Request(new URL(path, "http://localhost"), init)),
    },
    liveModules: registry.table.modules,
    events: bus.view(),
    ctx,
    registry,
    logs,
    settled,
    close,
  };
}

/** Before the folders are read. There is hardly ever one, so what mends it is not loaded otherwise. */
async function mendRollbacks(registry: Registry, log: Logger): Promise<void> {
  const { dataDir, servicesDir } = registry.host;
  const interrupted = interruptedRollbacks(dataDir);
  const snapshots = interrupted.length > 0 ? registry.snapshots : undefined;
  if (!snapshots) return;
  const { recoverRollbacks } = await import("./rollback-recovery.js");
  recoverRollbacks(interrupted, { servicesDir, dataDir, snapshots, log });
}

function health(registry: Registry, startedAt: number): Response {
  const services = [...registry.table.modules.values()]
    .filter((module) => module.routes)
    .map((module) => module.name);
  const skipped = registry.failures.list().map(({ name, code, error }) => {
    return { name, code, error: redact(error) };
  });
  return Response.json({ status: "ok", uptime: (Date.now() - startedAt) / 1000, services, skipped });
}

/** A Reef that listens. */
export interface RunningServer extends ReefServer {
  server: Bun.Server<undefined>;
  url: string;
  token: { value: string; path: string | undefined; created: boolean };
  /** Stops accepting, answers what is in flight, saves everything. */
  stop(): Promise<void>;
}

/** How long start-up waits while no service gets any further, in milliseconds. */
const START_PATIENCE_MS = 300;

/**
 * Starts the server with what the environment says (see {@link Config}), which `options` override. Without a
 * token one is made and kept in the data folder.
 */
export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  const config = options.config ?? readConfig();
  const servicesDir = options.servicesDir ?? config.servicesDir;
  const dataDir = options.dataDir ?? config.dataDir;
  const logs = options.logs ?? new LogBook();
  if (!statSync(servicesDir, { throwIfNoEntry: false })?.isDirectory()) {
    throw new ConfigError(`REEF_SERVICES_DIR is ${servicesDir}, which is no folder.`);
  }
  prepareDataDir(dataDir);
  if (options.authToken === undefined && (config.authToken?.length ?? SHORTEST_TOKEN) < SHORTEST_TOKEN) {
    const problem = `VERS_AUTH_TOKEN has fewer than ${SHORTEST_TOKEN} characters and might be guessed`;
    logs.write("reef", "warn", [`${problem}; give a longer one, or none to have one made.`]);
  }
  const checker =
    options.checker ??
    (config.check
      ? new ChildChecker({
          servicesDir,
          timeoutMs: config.initTimeoutMs,
          children: 2,
          memoryFile: join(dataDir, ".reef", "checked.json"),
          scratchDir: join(dataDir, ".reef", "checks"),
        })
      : undefined);
  // The port comes first: a second server fails on it before its services touch the data. Requests wait.
  const { promise: ready, resolve: loaded } = Promise.withResolvers<ReefServer>();
  let current: ReefServer | undefined;
  const hostname = options.host ?? config.host;
  const port = options.port ?? config.port;
  const server = listening(hostname, port, () =>
    Bun.serve({
      hostname,
      port,
      idleTimeout: config.idleTimeoutSeconds,
      // Bun's own 413 has no body; it keeps what it reads for handlers within bounds. One more, for the dispatcher's.
      maxRequestBodySize: config.maxBodyBytes + 1,
      development: false,
      // Without development mode Bun would let a second server share the port and its data.
      reusePort: false,
      fetch: (request, bun) =>
        current ? current.app.fetch(request, bun) : ready.then((reef) => reef.app.fetch(request, bun)),
      error: (error) => {
        logs.write("reef", "error", ["a reply failed:", error]);
        return errorReply("INTERNAL");
      },
    }),
  );
  const { reef, token, release } = await loadBehind(server, checker, async () => {
    const release = holdDataDir(dataDir);
    checker?.prepare?.();
    try {
      const token = tokenOf(options.authToken ?? config.authToken, dataDir);
      const reef = await createServer({
        patienceMs: START_PATIENCE_MS,
        ...options,
        config,
        servicesDir,
        dataDir,
        authToken: token.value,
        checker,
        logs,
      });
      return { reef, token, release };
    } catch (error) {
      release();
      throw error;
    }
  });
  current = reef;
  loaded(reef);
  const stop = once(() => stopServer(server, reef, config.drainTimeoutMs).finally(release));
  return { ...reef, server, url: server.url.href.replace(/\/$/, ""), token, stop };
}

function listening(host: string, port: number, serve: () => Bun.Server<undefined>): Bun.Server<undefined> {
  try {
    return serve();
  } catch (error) {
    throw listenError(error, host, port);
  }
}

function tokenOf(given: string | undefined, dataDir: string): RunningServer["token"] {
  if (given !== undefined) return { value: given, path: undefined, created: false };
  const { token, ...kept } = storedToken(dataDir);
  return { value: token, ...kept };
}

/** Closes the port again when loading fails. */
async function loadBehind<T>(
  server: Bun.Server<undefined>,
  checker: Checker | undefined,
  load: () => Promise<T>,
): Promise<T> {
  refuseProcessExit();
  try {
    return await load();
  } catch (error) {
    await server.stop(true);
    await checker?.close();
    throw error;
  }
}

function once(fn: () => Promise<void>): () => Promise<void> {
  let result: Promise<void> | undefined;
  return () => {
    result ??= fn();
    return result;
  };
}

/**
 * `server.stop()` refuses new connections and answers what is in flight, but waits for ever on streams: services
 * end theirs when their scope ends, and what is left after the limit is cut.
 */
async function stopServer(server: Bun.Server<undefined>, reef: ReefServer, drainMs: number): Promise<void> {
  const stopped = server.stop();
  try {
    await reef.close(drainMs);
  } catch (error) {
    reef.logs.write("reef", "error", [`closing: ${messageOf(error)}`]);
  }
  await Promise.race([stopped, Bun.sleep(500)]);
  await server.stop(true);
}
