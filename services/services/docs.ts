/** The documentation of the manager's routes. */
import type { RouteDocs } from "../../src/core/types.js";

const NAME = { name: { type: "string", required: true, description: "The service" } };
const EITHER = { name: { type: "string", required: true, description: "The service or its folder" } };
const MISNAMED = { 400: { description: "What cannot be the name of a service: `BAD_FOLDER`" } };
const FORCE = {
  force: {
    type: "boolean",
    description:
      "`true` goes ahead although other services depend on it, or its store cannot be saved: that data is then lost",
  },
};
const CHANGED =
  "{ name, action: 'added' | 'updated' }; 404 unknown, 409 not possible now, 503 or 507 (disk full) when the server cannot, 400 failed: { error, code, step }";

export const routeDocs: Record<string, RouteDocs> = {
  "GET /": {
    summary: "List the loaded services, and beside them those that failed or are switched off",
    detail:
      "A loaded service has a `failure` when its latest change failed; the version before it serves. Entries of `notLoaded` say in `failure` or `reason` why they are not loaded.",
    response:
      "{ modules: [{ name, description, hasRoutes, hasTools, hasBehaviors, hasWidget, mountAtRoot, dependencies, dirName, state, generation, digest, loadedAt, failure }], count, notLoaded: [{ name, dirName, state, failure, reason, … }] }",
    examples: [{ summary: "All services" }],
  },
  "GET /tools": {
    summary: "The tool catalogue: every tool of every service and plugin",
    detail:
      "`wireName` is the name that models see where the canonical one is not safe for every provider. Either name is accepted on calls. `problems` names tools that are missing, and why.",
    response:
      "{ tools: [{ name, wireName, label, description, inputSchema, owner: { service } | { plugin, via }, annotations: { readOnly, destructive, idempotent } }], problems: [{ service, tool?, error }], count }",
    examples: [{ summary: "All tools" }],
  },
  "GET /manifest": {
    summary: "Everything that agents can use: services, routes, tools and events",
    response:
      "{ services: [{ name, description, dependencies, routes, features, tools, events, capabilities, generation }], routes: [{ service, method, path, description }], servicesWithTools, servicesWithBehaviors, servicesWithPanels, count }",
    examples: [{ summary: "Everything" }],
  },
  "GET /:name": {
    summary: "One service in full",
    detail:
      "`generations` holds the version that serves and those that still finish what they have begun, each with its ledger: requests and streams in it, handlers, timers, disposers, requests served, errors, age.",
    params: NAME,
    response:
      "The list's fields and { requiresAuth, hasStore, capabilities, dependents, routes, listensTo, ledger, draining, generations }",
    responses: MISNAMED,
    examples: [{ summary: "The documentation service", params: { name: "docs" } }],
  },
  "GET /:name/logs": {
    summary: "The latest lines of a service's log, oldest first",
    params: NAME,
    response: "{ lines: [{ time, level, service, text }], count }",
    responses: MISNAMED,
    examples: [{ summary: "The log service's lines", params: { name: "log" } }],
  },
  "GET /:name/versions": {
    summary: "The kept versions of a service's code, latest first",
    params: NAME,
    response: "{ versions: [{ digest, keptAt, served }], count }",
    responses: MISNAMED,
    examples: [{ summary: "Kept versions", params: { name: "log" } }],
  },
  "POST /reload": {
    summary: "Bring what runs in line with the services folder",
    detail:
      "Adds new folders, exchanges services whose code changed, removes those whose folder is gone, in dependency order. What cannot be loaded is in `errors`; its version before serves on. Code that ran out of time or ended its process is not tried again until it changes or is reloaded by name.",
    response: "{ results: [{ name, action: 'added' | 'updated' | 'removed' }], errors: [{ dir, error }] }",
    examples: [{ summary: "What has changed" }],
  },
  "POST /reload/:name": {
    summary: "Load a service's present code, changed or not, without running its tests",
    params: EITHER,
    response: CHANGED,
    examples: [{ summary: "The log", params: { name: "log" } }],
  },
  "POST /deploy": {
    summary: "Validate, test, load and verify a service's present code in one step",
    detail:
      "`validate` tries the code in a process of its own. `test` runs `bun test` on the folder with a scratch data folder (REEF_TEST_TIMEOUT, 60 s); without test files it is skipped. `load` starts the new version beside the running one. `verify` asks all its GET routes that take no parameters, for up to 3 s: a 5xx fails, and routes that it did not get to are counted in its `detail`. Only then is it swapped in. When the server ends meanwhile, so does the deploy (503). Whatever fails, what served before serves on. `warnings` names routes without documentation, documented ones that do not exist, and imports of other services' code. Unknown fields are ignored.",
    body: {
      name: { type: "string", required: true, description: "The service or its folder" },
      background: {
        type: "boolean",
        description:
          "Answer 202 with `{ id, name, status: 'running', startedAt, warning? }` at once, once that is on disk; `GET /services/deploys/:id` tells the rest, also after a restart of the server. `warning` says that it could not be written, and is forgotten then. 429 while fifty are under way",
      },
    },
    response:
      "200, 202 in the background, or 400, 404, 409, 503 or 507 when not deployed: { name, steps: [{ step, status: 'passed' | 'failed' | 'skipped', detail, durationMs }], deployed, error?, generation?, digest?, warnings? }",
    examples: [
      { summary: "The log", body: { name: "log" } },
      { summary: "A folder that is not there", body: { name: "nowhere" }, status: 404 },
    ],
  },
  "GET /deploys/:id": {
    summary: "What came of a deploy in the background",
    detail:
      "Kept are all that are under way and the latest fifty that have ended, over restarts and crashes of the server, too. `failed`: what served before serves on. A stop of the server ends deploys that way (503). `interrupted`: the server was killed, or the services manager exchanged, before it was done. Then look what serves (`GET /services/<name>`), and deploy again.",
    params: { id: { type: "string", required: true, description: "From the reply to `POST /deploy`" } },
    query: {
      wait: {
        type: "integer",
        description:
          "Seconds, at most 60, that a deploy under way is waited for before the answer. Default 0",
      },
    },
    response:
      "{ id, name, status: 'running' | 'done' | 'failed' | 'interrupted', startedAt, finishedAt?, report?, reportStatus?, error?, warning? }; `report` and `reportStatus` are what `POST /deploy` would have been answered with, and missing where it was interrupted; 404 { error }",
    examples: [{ summary: "A deploy", params: { id: "01990000-0000-7000-8000-000000000000" }, status: 404 }],
  },
  "POST /rollback/:name": {
    summary: "Put kept code back into the folder and load it",
    detail:
      "Without a digest: the code that still runs when the latest change failed, else the code that served before. What the folder held is kept, so a second rollback returns to it.",
    params: EITHER,
    body: {
      digest: { type: "string", description: "The version's digest, or its first 6 characters or more" },
    },
    response:
      "{ name, action, digest }; 400 when the beginning fits several, 409 when no such version is kept",
    examples: [{ summary: "The version before", params: { name: "log" }, body: {} }],
  },
  "POST /enable/:name": {
    summary: "Load a service that was switched off",
    params: EITHER,
    response: CHANGED,
    examples: [{ summary: "The log again", params: { name: "log" } }],
  },
  "POST /disable/:name": {
    summary: "Stop a service and keep it from loading, also after a restart",
    params: EITHER,
    query: FORCE,
    body: { reason: { type: "string", description: "Shown where the service is listed" } },
    response:
      "{ name, action: 'disabled' }; 409 while other services depend on it, 503 or 507 (disk full) when its store cannot be saved",
    examples: [{ summary: "For repairs", params: { name: "log" }, body: { reason: "repairs" } }],
  },
  "DELETE /:name": {
    summary: "Stop a service until the next reload or restart; its folder stays",
    params: NAME,
    query: FORCE,
    response:
      "{ name, action: 'removed' }; 409 while other services depend on it, 503 or 507 (disk full) when its store cannot be saved",
    examples: [{ summary: "Until the next reload", params: { name: "log" } }],
  },
  "GET /export/:name": {
    summary: "A service's code as a gzipped tarball",
    detail:
      "Members are `name/…`, modes kept. Without data, node_modules and dot-files. Databases, logs, secrets by their name (keys, certificates, tokens, `credentials.json`) and links that lead out of the folder are left out too, and named in the header `X-Reef-Withheld` and in the log. Source files (`.ts`, `.js` and the like) leave whatever they are called: secrets do not belong into them.",
    params: EITHER,
    response:
      "application/gzip; `X-Reef-Withheld` where something was left out: percent-encoded paths, separated by commas",
    responses: {
      400: {
        description: "A file that cannot be read: `UNREADABLE`; or what cannot be a name: `BAD_FOLDER`",
      },
    },
    examples: [{ summary: "This service's code", params: { name: "docs" } }],
  },
};
