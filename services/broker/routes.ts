import { type Context, Hono } from "hono";
import { type Broker, BrokerError, describeDenial, explain } from "../../src/broker/index.js";
import { errorReply } from "../../src/core/errors.js";
import type { RouteDocs } from "../../src/core/types.js";
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
  if (retryAfter !== undefined) c.header("retry-after", String(retryAfter));
  return c.json({ error: error.message, code: error.code, details: error.details }, error.status as 400);
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
    const wanted = c.req.query("timeout");
    const timeout = wanted === undefined ? undefined : wanted.trim() === "" ? Number.NaN : Number(wanted);
    try {
      const options = { timeout, signal: c.req.raw.signal };
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
    const permission = c.req.query("permission");
    if (!permission)
      return errorReply(
        "BAD_REQUEST",
        "permission names the permission to check, e.g. ?permission=fs-read&resource=/tmp/a",
      );
    try {
      const { parties } = running().broker.explainPermissions(caller, callee);
      const denial = explain(parties, permission, c.req.query("resource"));
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

  app.post("/reload", async (c) => c.json(await running().folders.sync()));

  return app;
}

const callParams = {
  pluginId: {
    type: "string",
    required: true,
    description: "The plugin's identifier, or the service module's name",
  },
  service: { type: "string", required: true, description: "The service within it" },
  method: { type: "string", required: true, description: "The declared method" },
};
const pairParams = {
  caller: { type: "string", required: true, description: "The identifier of who calls" },
  callee: { type: "string", required: true, description: "The identifier of who is called" },
};

export const routeDocs: Record<string, RouteDocs> = {
  "GET /": {
    summary: "Plugins, their methods with schemas and counters, workers and how permissions are enforced",
    response: "{ plugins, count, enforcement: { level, reason, mode }, workers, failures }",
    examples: [{ summary: "Everything there is to call" }],
  },
  "GET /tools": {
    summary: "Every method as a tool for agents",
    response: "{ tools, count }",
    examples: [{ summary: "All of them" }],
  },
  "POST /call/:pluginId/:service/:method": {
    summary: "Call a method; the body is its input",
    detail:
      "400 bad input, 403 denied, 404 unknown or undeclared, 429 overloaded, 502 failing method or bad output, 503 resting, 504 past its time.",
    params: callParams,
    query: { timeout: { type: "number", description: "Milliseconds; 30000 unless given, at most 600000" } },
    response: "{ result }",
    schemas: { body: {} },
    examples: [
      {
        summary: "Add two numbers",
        params: { pluginId: "com.example.math-plugin", service: "math", method: "add" },
        body: { a: 5, b: 3 },
      },
    ],
  },
  "GET /permissions/:caller/:callee": {
    summary: "What two plugins may do together",
    params: pairParams,
    response: "{ caller, callee, parties, effective }",
    examples: [
      {
        summary: "Two plugins",
        params: { caller: "com.example.math-plugin", callee: "com.example.files-plugin" },
      },
    ],
  },
  "GET /permissions/:caller/:callee/check": {
    summary: "Whether two plugins may do something together, and who stands in the way",
    params: pairParams,
    query: {
      permission: { type: "string", required: true, description: "Its name, e.g. fs-read" },
      resource: { type: "string", description: "A path, host:port, command as JSON or method" },
    },
    response: "{ allowed, denial?, reason? }",
    examples: [
      {
        summary: "May they read a file?",
        params: { caller: "com.example.math-plugin", callee: "com.example.files-plugin" },
        query: { permission: "fs-read", resource: "/tmp/a" },
      },
    ],
  },
  "GET /logs/:pluginId": {
    summary: "The latest lines a plugin wrote, also after it is gone",
    detail: "404 for one that is not there and never wrote a line.",
    params: { pluginId: callParams.pluginId },
    response: "{ lines: [{ time, service, stream, line }], count }",
    examples: [{ summary: "One plugin", params: { pluginId: "com.example.math-plugin" } }],
  },
  "POST /release/:pluginId/:service": {
    summary: "Let a service that rests after crashes try again",
    detail: "`released` says whether it was resting. 404 for a plugin or service that is not there.",
    params: { pluginId: callParams.pluginId, service: callParams.service },
    response: "{ released }",
    examples: [{ summary: "One service", params: { pluginId: "com.example.math-plugin", service: "math" } }],
  },
  "POST /reload": {
    summary: "Load new and changed plugin folders, remove those that are gone",
    response: "{ results: [{ name, action }], errors: [{ dir, error }] }",
    examples: [{ summary: "Everything" }],
  },
};
