/** The documentation of the manager's routes. */
import type { RouteDocs } from "../../src/core/types.js";

const NAME = { name: { type: "string", required: true, description: "Name of the service" } };
const EITHER = {
  name: { type: "string", required: true, description: "Name of the service, or its folder" },
};
const MISNAMED = { 400: { description: "Not a valid service name: `BAD_FOLDER`" } };
const FORCE = {
  force: {
    type: "boolean",
    description:
      "`true`: proceed even if other services depend on it, or its store cannot be saved (that data is lost)",
  },
};
const CHANGED =
  "{ name, action: 'added' | 'updated' }; 400 failed, 404 unknown, 409 conflict, 503 or 507 (disk full) when the server cannot do it: { error, code, step }";

export const routeDocs: Record<string, RouteDocs> = {
  "GET /": {
    summary: "List loaded, failed and disabled services",
    detail:
      "A loaded service has a `failure` if its latest change failed; its previous version keeps serving. Entries in `notLoaded` have a `failure`, or a `reason` if disabled.",
    response:
      "{ modules: [{ name, description, hasRoutes, hasTools, hasBehaviors, hasWidget, mountAtRoot, dependencies, dirName, state, generation, digest, loadedAt, failure }], count, notLoaded: [{ name, dirName, state, failure, reason, … }] }",
    examples: [{ summary: "All services" }],
  },
  "GET /tools": {
    summary: "List every tool of every service and plugin",
    detail:
      "`wireName` is the name that models see if the canonical name is not safe for every provider. Calls accept either name. `problems` lists missing tools and why.",
    response:
      "{ tools: [{ name, wireName, label, description, inputSchema, owner: { service } | { plugin, via }, annotations: { readOnly, destructive, idempotent } }], problems: [{ service, tool?, error }], count }",
    examples: [{ summary: "All tools" }],
  },
  "GET /manifest": {
    summary: "List everything that agents can use: services, routes, tools and events",
    response:
      "{ services: [{ name, description, dependencies, routes, features, tools, events, capabilities, generation }], routes: [{ service, method, path, description }], servicesWithTools, servicesWithBehaviors, servicesWithPanels, count }",
    examples: [{ summary: "The manifest" }],
  },
  "GET /:name": {
    summary: "Get one service in detail",
    detail:
      "`generations` lists the current version and those still draining, each with its ledger: requests in flight, open streams, handlers, timers, disposers, requests served, errors and age.",
    params: NAME,
    response:
      "The list's fields and { requiresAuth, hasStore, capabilities, dependents, routes, listensTo, ledger, draining, generations }",
    responses: MISNAMED,
    examples: [{ summary: "The documentation service", params: { name: "docs" } }],
  },
  "GET /:name/logs": {
    summary: "Read the latest lines of a service's log, oldest first",
    params: NAME,
    response: "{ lines: [{ time, level, service, text }], count }",
    responses: MISNAMED,
    examples: [{ summary: "The log service's lines", params: { name: "log" } }],
  },
  "GET /:name/versions": {
    summary: "List the kept versions of a service's code, latest first",
    params: NAME,
    response: "{ versions: [{ digest, keptAt, served }], count }",
    responses: MISNAMED,
    examples: [{ summary: "Kept versions", params: { name: "log" } }],
  },
  "POST /reload": {
    summary: "Reload all changed services",
    detail:
      "Loads new folders, reloads changed services and unloads those whose folder was deleted, in dependency order. Failures are listed in `errors`; the previous version keeps serving. Code that timed out or ended its process is not retried until it changes or is reloaded by name.",
    response: "{ results: [{ name, action: 'added' | 'updated' | 'removed' }], errors: [{ dir, error }] }",
    examples: [{ summary: "All changes" }],
  },
  "POST /reload/:name": {
    summary: "Reload a service's current code, changed or not, without running its tests",
    params: EITHER,
    response: CHANGED,
    examples: [{ summary: "The log", params: { name: "log" } }],
  },
  "POST /deploy": {
    summary: "Validate, test, load and verify a service's current code in one step",
    detail:
      "`validate` imports and starts the code in a separate process. `test` runs `bun test` on the folder with a scratch data folder (REEF_TEST_TIMEOUT, 60 s); without test files it is skipped. `load` starts the new version beside the running one. `verify` requests all its GET routes without parameters, for up to 3 s: a 5xx fails; `detail` counts routes it did not reach. Then the new version is swapped in. If a step fails, the previous version keeps serving. A server shutdown cancels the deploy (503). `warnings` lists undocumented routes, documented routes that do not exist, and imports of other services' code. Unknown fields are ignored.",
    body: {
      name: { type: "string", required: true, description: "Name of the service, or its folder" },
      background: {
        type: "boolean",
        description:
          "Return 202 with `{ id, name, status: 'running', startedAt, warning? }` as soon as that is saved; `GET /services/deploys/:id` returns the result, even after a restart of the server. `warning`: it could not be saved and will not survive a restart. 429 while fifty deploys are running",
      },
    },
    response:
      "200, 202 in the background, or 400, 404, 409, 503 or 507 when not deployed: { name, steps: [{ step, status: 'passed' | 'failed' | 'skipped', detail, durationMs }], deployed, error?, generation?, digest?, warnings? }",
    examples: [
      { summary: "The log", body: { name: "log" } },
      { summary: "An unknown folder", body: { name: "nowhere" }, status: 404 },
    ],
  },
  "GET /deploys/:id": {
    summary: "Get a background deploy",
    detail:
      "All running deploys and the latest fifty finished ones are kept; they survive restarts and crashes of the server. `failed`: the previous version keeps serving; a server shutdown also fails a deploy (503). `interrupted`: the server was killed, or the services manager was replaced, before it finished. Then check which version is serving (`GET /services/<name>`) and deploy again.",
    params: { id: { type: "string", required: true, description: "The deploy's id, from `POST /deploy`" } },
    query: {
      wait: {
        type: "integer",
        description: "Seconds to wait for a running deploy to finish; at most 60, default 0",
      },
    },
    response:
      "{ id, name, status: 'running' | 'done' | 'failed' | 'interrupted', startedAt, finishedAt?, report?, reportStatus?, error?, warning? }; `report` and `reportStatus` are the body and status that `POST /deploy` would have returned, absent if interrupted; 404 { error }",
    examples: [{ summary: "A deploy", params: { id: "01990000-0000-7000-8000-000000000000" }, status: 404 }],
  },
  "POST /rollback/:name": {
    summary: "Roll back: restore a kept version's code to the folder and load it",
    detail:
      "Without a digest: the running code if the latest change failed, otherwise the previous version. The folder's current code is kept, so a second rollback restores it.",
    params: EITHER,
    body: {
      digest: { type: "string", description: "The version's digest, or a prefix of at least 6 characters" },
    },
    response: "{ name, action, digest }; 400 when the prefix is ambiguous, 409 when no such version is kept",
    examples: [{ summary: "The previous version", params: { name: "log" }, body: {} }],
  },
  "POST /enable/:name": {
    summary: "Enable a disabled service and load it",
    params: EITHER,
    response: CHANGED,
    examples: [{ summary: "Enable the log service", params: { name: "log" } }],
  },
  "POST /disable/:name": {
    summary: "Disable a service: stop it and keep it stopped, even after a restart",
    params: EITHER,
    query: FORCE,
    body: { reason: { type: "string", description: "Shown in the list of services" } },
    response:
      "{ name, action: 'disabled' }; 409 while other services depend on it, 503 or 507 (disk full) when its store cannot be saved",
    examples: [{ summary: "For repairs", params: { name: "log" }, body: { reason: "repairs" } }],
  },
  "DELETE /:name": {
    summary: "Unload a service until the next reload or restart; its folder is kept",
    params: NAME,
    query: FORCE,
    response:
      "{ name, action: 'removed' }; 409 while other services depend on it, 503 or 507 (disk full) when its store cannot be saved",
    examples: [{ summary: "Until the next reload", params: { name: "log" } }],
  },
  "GET /export/:name": {
    summary: "Export a service's code as a gzipped tarball",
    detail:
      "Entries are `name/…` and keep their modes. Data, node_modules and dotfiles are excluded. Databases, logs, files named like secrets (keys, certificates, tokens, `credentials.json`) and links out of the folder are also excluded, and listed in the `X-Reef-Withheld` header and the log. Source files (`.ts`, `.js` and similar) are always included: do not put secrets in them.",
    params: EITHER,
    response:
      "application/gzip; `X-Reef-Withheld` lists excluded files: percent-encoded paths, comma-separated",
    responses: {
      400: {
        description: "A file cannot be read (`UNREADABLE`), or the name is not valid (`BAD_FOLDER`)",
      },
    },
    examples: [{ summary: "This service's code", params: { name: "docs" } }],
  },
};
