/** What the documentation says about the broker's routes. */
import type { RouteDocs } from "../../src/core/types.js";

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
    detail:
      "500 lines of each of the 1000 plugins that wrote last. 404 for one that is not there and of which there is no line.",
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
    detail:
      "When the services folder itself cannot be read, nothing changes and the answer is a 400, `UNREADABLE`.",
    response: "{ results: [{ name, action }], errors: [{ dir, error }] }",
    examples: [{ summary: "Everything" }],
  },
};
