/** Creates a server that answers requests passed to it, without a port. */
import { type Authenticator, bearerAuthenticator } from "../auth.js";
import { addModules } from "../boot/modules.js";
import { boot } from "../boot.js";
import { interruptedRollbacks } from "../changes/rollback-journal.js";
import { type Checker, ChildChecker } from "../checker.js";
import { type Config, readConfig } from "../config.js";
import type { Env } from "../dispatch/serving.js";
import { Dispatcher } from "../dispatch.js";
import { openEventStore } from "../event-store.js";
import { EventBus } from "../events.js";
import { changes, redaction } from "../lazy.js";
import { LogBook, type Logger } from "../log.js";
import { Registry } from "../registry.js";
import { Scope } from "../scope.js";
import type { ServiceContext, ServiceEventBus, ServiceModule } from "../types.js";
import { createContext } from "../version/context.js";

/** Options of {@link createServer} and `startServer`. */
export interface ServerOptions {
  /** Module objects to serve; started in dependency order. */
  modules?: readonly unknown[];
  /** The folder to load services from; none when only `modules` is given. */
  servicesDir?: string;
  port?: number;
  host?: string;
  /** The bearer token; default `VERS_AUTH_TOKEN`. Without any, every protected route answers 401. */
  authToken?: string;
  dataDir?: string;
  logs?: LogBook;
  /** Tries unknown code before it is loaded; see {@link ChildChecker}. */
  checker?: Checker;
  /** How long the start waits without progress of any service, in milliseconds; slow services are added later. */
  patienceMs?: number;
  config?: Config;
}

/** A Reef that answers requests passed to it. */
export interface ReefServer {
  app: {
    fetch(request: Request, server?: Env): Response | Promise<Response>;
    /** Like Hono's: takes a path, URL or request, and a `RequestInit`. */
    request(input: string | URL | Request, init?: RequestInit): Promise<Response>;
  };
  /** The loaded modules by name. */
  liveModules: ReadonlyMap<string, ServiceModule>;
  events: ServiceEventBus;
  /** A context owned by the server itself. */
  ctx: ServiceContext;
  registry: Registry;
  logs: LogBook;
  /** Settles when services that were too slow for the start have been handled. */
  settled: Promise<void>;
  /** Drains, flushes and closes everything. */
  close(drainMs?: number): Promise<void>;
}

const NOBODY: Authenticator = () => false;

/**
 * Loads services and returns a server without a port. Rejects, leaving nothing behind, when the services folder
 * cannot be read.
 *
 * @example
 * const reef = await createServer({ modules: [board], authToken: "test-token" });
 * await reef.app.request("/health"); // 200
 * await reef.close();
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
    dispatcher.end();
    // Lets services end long operations before the wait begins.
    registry.announceStop();
    // First, since a change in progress may wait for code that never ends.
    await options.checker?.close();
    await changes().endServices(registry, drainMs, settled);
    await scope.end();
    await eventStore.release();
  };
  try {
    await addModules(registry, options.modules ?? []);
    if (options.servicesDir !== undefined || options.modules === undefined) {
      await recoverInterrupted(registry, log);
      const patience = options.patienceMs ?? 2 * initTimeoutMs;
      settled = (await boot(registry, servicesDir, options.checker, patience)).finished;
    }
    void settled.then(registry.started.resolve, registry.started.resolve);
  } catch (error) {
    await close(0);
    throw error;
  }
  const ctx = createContext(scope, registry.host);
  return {
    app: {
      fetch: dispatcher.fetch,
      request: async (input, init) => {
        const target = input instanceof Request ? input : new URL(input, "http://localhost");
        return dispatcher.fetch(new Request(target, init));
      },
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

/**
 * Undoes interrupted rollbacks before the folders are read. They are rare, so the code for it is loaded on
 * demand.
 */
async function recoverInterrupted(registry: Registry, log: Logger): Promise<void> {
  const { dataDir, servicesDir } = registry.host;
  const interrupted = interruptedRollbacks(dataDir, log);
  const snapshots = interrupted.length > 0 ? registry.snapshots : undefined;
  if (!snapshots) return;
  const { recoverRollbacks } = await import("../changes/rollback-recovery.js");
  recoverRollbacks(interrupted, { servicesDir, dataDir, snapshots, log });
}

function health(registry: Registry, startedAt: number): Response {
  const services = [...registry.table.modules.values()]
    .filter((module) => module.routes)
    .map((module) => module.name);
  const skipped = registry.failures.list().map(({ name, code, error }) => {
    return { name, code, error: redaction().redact(error) };
  });
  return Response.json({ status: "ok", uptime: (Date.now() - startedAt) / 1000, services, skipped });
}
