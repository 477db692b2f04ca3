import { resolve } from "node:path";
import { type Context, Hono } from "hono";
import {
  type Broker,
  BrokerError,
  describeDenial,
  explain,
  kindOf,
  permissionName,
  realPathOrName,
} from "../../src/broker/index.js";
import { errorReply } from "../../src/core/errors.js";
import { failureStatus, LoadFailure } from "../../src/core/load-failure.js";
import { readJson } from "../../src/core/validate.js";
import type { PluginFolders } from "./folders.js";
import type { PluginLogs } from "./logs.js";
import type { SqlitePluginStorage } from "./storage.js";

/** What the routes work on; absent until the service is initialised. */
export interface Running {
  broker: Broker;
  folders: PluginFolders;
  logs: PluginLogs;
  storage: SqlitePluginStorage;
}

function failed(c: Context, error: unknown): Response {
  if (!(error instanceof BrokerError)) throw error;
  const { retryAfter } = error.details;
  // A plugin's own error says what it likes.
  if (typeof retryAfter === "number") c.header("retry-after", String(retryAfter));
  return c.json({ error: error.message, code: error.code, details: error.details }, error.status as 400);
}

/** Milliseconds, `NaN` for what is no number: the broker says which ones it takes. */
function timeoutOf(c: Context): number | undefined {
  const wanted = c.req.query("timeout");
  if (wanted === undefined) return undefined;
  return wanted.trim() === "" ? Number.NaN : Number(wanted);
}

/** The HTTP side of the broker. */
export function brokerRoutes(running: () => Running): Hono {
  const app = new Hono();

  app.get("/", async (c) => {
    const { broker, folders } = running();
    const plugins = broker.describe();
    return c.json({
      plugins,
      count: plugins.length,
      enforcement: await broker.enforcement(),
      workers: broker.workers(),
      failures: folders.failures(),
    });
  });

  app.get("/tools", (c) => {
    const tools = running().broker.listTools();
    return c.json({ tools, count: tools.length });
  });

  app.post("/call/:pluginId/:service/:method", async (c) => {
    const { pluginId, service, method } = c.req.param();
    const given = await readJson(c);
    const input = given === undefined ? {} : given;
    try {
      const options = { timeout: timeoutOf(c), signal: c.req.raw.signal };
      const result = await running().broker.call(pluginId, service, method, input, options);
      return c.json({ result: result ?? null });
    } catch (error) {
      return failed(c, error);
    }
  });

  app.get("/permissions/:caller/:callee", (c) => {
    const { caller, callee } = c.req.param();
    try {
      return c.json({ caller, callee, ...running().broker.explainPermissions(caller, callee) });
    } catch (error) {
      return failed(c, error);
    }
  });

  app.get("/permissions/:caller/:callee/check", (c) => {
    const { caller, callee } = c.req.param();
    const spelling = c.req.query("permission");
    if (!spelling)
      return errorReply("BAD_REQUEST", "permission is required, e.g. ?permission=fs-read&resource=/tmp/a");
    const permission = permissionName(spelling);
    const given = c.req.query("resource");
    const resource = given === undefined ? undefined : resourceOf(permission, given);
    if (resource === null) {
      const wanted = kindOf(permission) === "path" ? "a path" : '{"command": "git", "args": ["log"]}';
      return errorReply("BAD_REQUEST", `resource of ${permission} must be ${wanted}`);
    }
    try {
      const { parties } = running().broker.explainPermissions(caller, callee);
      const denial = explain(parties, permission, resource);
      return c.json({ allowed: denial === null, ...(denial && { denial, reason: describeDenial(denial) }) });
    } catch (error) {
      return failed(c, error);
    }
  });

  app.get("/logs/:pluginId", (c) => {
    const { broker, logs } = running();
    const pluginId = c.req.param("pluginId");
    const lines = logs.of(pluginId);
    try {
      if (!lines) broker.requireProvider(pluginId);
      return c.json({ lines: lines ?? [], count: lines?.length ?? 0 });
    } catch (error) {
      return failed(c, error);
    }
  });

  app.post("/release/:pluginId/:service", (c) => {
    const { pluginId, service } = c.req.param();
    try {
      return c.json({ released: running().broker.release(pluginId, service) });
    } catch (error) {
      return failed(c, error);
    }
  });

  app.post("/reload", async (c) => {
    try {
      return c.json(await running().folders.sync());
    } catch (error) {
      if (!(error instanceof LoadFailure)) throw error;
      return c.json({ error: error.message, code: error.code }, failureStatus(error));
    }
  });

  return app;
}

/** What is asked for, in the form that permissions are held against; null when it has none. */
function resourceOf(permission: string, given: string): string | null {
  const kind = kindOf(permission);
  if (kind === "path") return given.includes("\0") ? null : realPathOrName(resolve("/", given));
  if (kind !== "command") return given;
  try {
    const { command, args = [] } = Object(JSON.parse(given)) as { command?: unknown; args?: unknown };
    const isCommand = typeof command === "string" && Array.isArray(args) && args.every(isText);
    return isCommand ? JSON.stringify({ command, args }) : null;
  } catch {
    return null;
  }
}

const isText = (value: unknown) => typeof value === "string";
