/** A Reef that listens on a port: its token, its checks, and its shutdown. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { MIN_TOKEN_LENGTH, storedToken } from "./auth.js";
import { type Checker, ChildChecker } from "./checker.js";
import { type Config, ConfigError, readConfig } from "./config.js";
import { errorReply, messageOf } from "./errors.js";
import { guardProcess } from "./generation/process-guard.js";
import { LogBook } from "./log.js";
import { createServer, type ReefServer, type ServerOptions } from "./server/create-server.js";
import { holdDataDir, prepareDataDir } from "./server/data-lock.js";
import { listenError } from "./server/start-errors.js";

export { createServer, type ReefServer, type ServerOptions };

/** A running Reef. */
export interface RunningServer extends ReefServer {
  server: Bun.Server<undefined>;
  url: string;
  token: { value: string; path: string | undefined; created: boolean };
  /** Stops accepting requests, answers those in flight, and saves everything. */
  stop(): Promise<void>;
}

/** How long the start waits without progress of any service, in milliseconds. */
const START_PATIENCE_MS = 300;

/**
 * Starts the server with the settings in the environment (see {@link Config}), overridden by `options`. Without
 * a configured token, one is created and kept in the data folder.
 *
 * @example
 * const reef = await startServer({ port: 0, authToken: "0123456789abcdef" });
 * console.log(reef.url);
 * await reef.stop();
 */
export async function startServer(options: ServerOptions = {}): Promise<RunningServer> {
  const config = options.config ?? readConfig();
  const servicesDir = options.servicesDir ?? config.servicesDir;
  const dataDir = options.dataDir ?? config.dataDir;
  const logs = options.logs ?? new LogBook();
  if (!statSync(servicesDir, { throwIfNoEntry: false })?.isDirectory()) {
    throw new ConfigError(`REEF_SERVICES_DIR is ${servicesDir}, which is not a folder.`);
  }
  prepareDataDir(dataDir);
  if (options.authToken === undefined && (config.authToken?.length ?? MIN_TOKEN_LENGTH) < MIN_TOKEN_LENGTH) {
    const problem = `VERS_AUTH_TOKEN has fewer than ${MIN_TOKEN_LENGTH} characters and could be guessed`;
    logs.write("reef", "warn", [`${problem}; set a longer one, or unset it to have one generated.`]);
  }
  const checker = options.checker ?? childChecker(config, servicesDir, dataDir);
  // The port comes first, so that a second server fails before its services touch the data. Requests wait.
  const { promise: ready, resolve: loaded } = Promise.withResolvers<ReefServer>();
  let current: ReefServer | undefined;
  const hostname = options.host ?? config.host;
  const port = options.port ?? config.port;
  const server = listening(hostname, port, () =>
    Bun.serve({
      hostname,
      port,
      idleTimeout: config.idleTimeoutSeconds,
      // Bounds what Bun buffers; its own 413 has no body. One byte more than the dispatcher's limit.
      maxRequestBodySize: config.maxBodyBytes + 1,
      development: false,
      // Outside of development mode, Bun would otherwise let a second server share the port and its data.
      reusePort: false,
      fetch: (request, bun) =>
        current ? current.app.fetch(request, bun) : ready.then((reef) => reef.app.fetch(request, bun)),
      error: (error) => {
        logs.write("reef", "error", ["a response failed:", error]);
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

/** The checker that the settings ask for; undefined where they switch checks off. */
function childChecker(config: Config, servicesDir: string, dataDir: string): Checker | undefined {
  if (!config.check) return undefined;
  return new ChildChecker({
    servicesDir,
    timeoutMs: config.initTimeoutMs,
    children: 2,
    memoryFile: join(dataDir, ".reef", "checked.json"),
    scratchDir: join(dataDir, ".reef", "checks"),
  });
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

/** Runs `load`, closing the port if it fails. */
async function loadBehind<T>(
  server: Bun.Server<undefined>,
  checker: Checker | undefined,
  load: () => Promise<T>,
): Promise<T> {
  guardProcess();
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
 * `server.stop()` refuses new connections and answers requests in flight, but waits for streams for ever.
 * Services end theirs with their scope; what is left after the limit is cut off.
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
