/** What the documentation says about the broker's routes. */
import type { RouteDocs } from "../../src/core/types.js";

const callParams = {
  pluginId: {
    type: "string",
    required: true,
    description: "The plugin's id, or the service module's name",
  },
  service: { type: "string", required: true, description: "The plugin's service" },
  method: { type: "string", required: true, description: "The method" },
};
const pairParams = {
  caller: { type: "string", required: true, description: "The caller's id" },
  callee: { type: "string", required: true, description: "The callee's id" },
};

export const routeDocs: Record<string, RouteDocs> = {
  "GET /": {
    summary: "List plugins, methods with schemas and counters, workers, and how permissions are enforced",
    response: "{ plugins, count, enforcement: { level, reason, mode }, workers, failures }",
    examples: [{ summary: "All plugins" }],
  },
  "GET /tools": {
    summary: "List every method as a tool for agents",
    response: "{ tools, count }",
    examples: [{ summary: "All methods" }],
  },
  "POST /call/:pluginId/:service/:method": {
    summary: "Call a method; the body is its input",
    detail:
      "400 invalid input, 403 permission denied, 404 not found or not declared, 429 overloaded, 502 the method failed or returned invalid output, 503 quarantined or unavailable, 504 timed out.",
    params: callParams,
    query: {
      timeout: { type: "number", description: "Timeout in milliseconds; default 30000, at most 600000" },
    },
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
    summary: "Get the effective permissions of two plugins: the intersection of both",
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
    summary: "Check a permission for a caller and a callee; a denial names the party that lacks it",
    params: pairParams,
    query: {
      permission: { type: "string", required: true, description: "Name of the permission, e.g. fs-read" },
      resource: { type: "string", description: "A path, host:port, a command as JSON, or a method" },
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
    summary: "Read a plugin's latest output lines, even after it was removed",
    detail:
      "Keeps 500 lines for each of the 1000 plugins that wrote last. 404 for an unknown plugin without lines.",
    params: { pluginId: callParams.pluginId },
    response: "{ lines: [{ time, service, stream, line }], count }",
    examples: [{ summary: "One plugin", params: { pluginId: "com.example.math-plugin" } }],
  },
  "POST /release/:pluginId/:service": {
    summary: "Release a service that was quarantined after crashes",
    detail: "`released` is true if it was quarantined. 404 for an unknown plugin or service.",
    params: { pluginId: callParams.pluginId, service: callParams.service },
    response: "{ released }",
    examples: [{ summary: "One service", params: { pluginId: "com.example.math-plugin", service: "math" } }],
  },
  "POST /reload": {
    summary: "Load new and changed plugin folders, and unload deleted ones",
    detail: "400 (`UNREADABLE`) when the services folder cannot be read; nothing changes then.",
    response: "{ results: [{ name, action }], errors: [{ dir, error }] }",
    examples: [{ summary: "All plugin folders" }],
  },
};
