/** The documentation of the installer's routes. */
import type { RouteDocs } from "../../src/core/types.js";

const NAME = {
  name: { type: "string", required: true, description: "The service, or its folder (also as `dirName`)" },
};
const BACKGROUND = {
  background: {
    type: "boolean",
    description:
      "Return 202 { id, dirName, status, warning? } as soon as the job is saved; `GET /installer/jobs/:id` reports progress, even after a restart. `warning`: the job could not be saved and will not survive a restart",
  },
};
const TOKEN = {
  token: {
    type: "string",
    description: "Token for the repository (https) or the other Reef. Used once, never stored",
  },
};
const TEST = { test: { type: "boolean", description: "Run the package's tests; they must pass" } };
const ERRORS =
  "400 invalid source or package, 403 source not allowed by the operator, 404 not found, 409 conflict, 502 the source failed, 503 too many jobs, the server may not write to its folders, cannot check the code (CHECK_FAILED), is shutting down (SHUTTING_DOWN) or the running version cannot save its store (FLUSH_FAILED), 504 REEF_INSTALL_TIMEOUT exceeded, 507 no space left: { error, step, code? }";

export const routeDocs: Record<string, RouteDocs> = {
  "POST /install": {
    summary: "Install a service from git, a folder or another Reef",
    detail:
      "Fetches the package, validates it, installs its dependencies, checks the code in a separate process, runs its tests if requested, moves it into place and loads it. If a step fails, nothing is left behind. Sources: `user/repo`, `host/user/repo`, `https://…`, `ssh://…`, `git@host:path`, each with `//folder` and `@ref` if needed; or a path that starts with `/`, `./` or `../`, which is linked unless `link` is false.",
    body: {
      source: { type: "string", description: "The source; or use `from` and `name`" },
      ref: { type: "string", description: "Branch, tag or commit, if not part of the source" },
      subdirectory: { type: "string", description: "Folder in the repository, if not part of the source" },
      from: { type: "string", description: "Another Reef, e.g. http://other:3000" },
      name: {
        type: "string",
        description: "With `from`: the service on that Reef. With `source`: the folder to install into",
      },
      dirName: {
        type: "string",
        description: "The folder to install into; default: the last name in the source",
      },
      link: { type: "boolean", description: "For a path: `false` copies the folder instead of linking it" },
      ...TOKEN,
      ...TEST,
      ...BACKGROUND,
    },
    response: `201, or 202 in the background: { name, dirName, source, type: "git" | "local" | "fleet", from?, ref?, commit?, kind, digest, permissions, action: "installed", tests?, id }; ${ERRORS}`,
    examples: [
      { summary: "A folder on the server", body: { source: "/srv/services/greeter" }, status: 404 },
      {
        summary: "A service from another Reef",
        body: { from: "http://127.0.0.1:1", name: "greeter", test: true },
        status: 502,
      },
      {
        summary: "Looks like a git option: 400",
        body: { source: "--upload-pack=x" },
        status: 400,
      },
    ],
  },
  "POST /update": {
    summary: "Update a service to the latest version of its source",
    detail:
      "The previous version keeps serving until the new one does, and is kept for a rollback. 409 with `permissions` when the new version requests more permissions, with `changed` when files were changed locally.",
    body: {
      ...NAME,
      ref: { type: "string", description: "Follow another branch, tag or commit from now on" },
      force: {
        type: "boolean",
        description: "Replace locally changed files; they are kept for a rollback",
      },
      acceptPermissions: {
        type: "boolean",
        description: "Accept the permissions that the new version requests",
      },
      ...TOKEN,
      ...TEST,
      ...BACKGROUND,
    },
    response: `200, or 202 in the background: { name, dirName, action: "updated", changed, id, kept?, warning?, and the rest as for install }; ${ERRORS}`,
    examples: [{ summary: "To the latest commit", body: { name: "greeter" }, status: 404 }],
  },
  "POST /rollback": {
    summary: "Roll back to the version before the latest update; a second rollback restores the update",
    body: { ...NAME, ...BACKGROUND },
    response: `200, or 202 in the background: { name, dirName, action: "rolled-back", id, and the rest as for install }; ${ERRORS}`,
    examples: [{ summary: "The previous version", body: { name: "greeter" }, status: 404 }],
  },
  "POST /remove": {
    summary: "Stop a service and delete its installed files",
    detail:
      "A linked folder is only unlinked. Files that were added or changed locally are moved aside and listed in `kept`; if that fails they stay in place, and `warning` says why.",
    body: {
      ...NAME,
      force: {
        type: "boolean",
        description: "Remove it even if other services depend on it or its store cannot be saved",
      },
      ...BACKGROUND,
    },
    response: `200, or 202 in the background: { name, dirName, action: "removed", id, kept?, warning? }; ${ERRORS}`,
    examples: [{ summary: "Remove a service", body: { name: "greeter" }, status: 404 }],
  },
  "GET /installed": {
    summary: "List installed services with source, version and permissions",
    response:
      "{ installed: [{ dirName, name, type, source, ref?, commit?, digest, kind, permissions, files, installedAt, updatedAt, previous?, linked? }], count }",
    examples: [{ summary: "All installed services" }],
  },
  "GET /jobs": {
    summary: "List the installer's jobs, latest first",
    detail:
      "Returns all running jobs and the latest fifty finished ones; they survive restarts and crashes of the server. `interrupted`: the server was killed before the job finished. The next start undoes or completes it; `GET /installer/installed` shows the result.",
    response:
      "{ jobs: [{ id, action, dirName, source, status: 'running' | 'done' | 'failed' | 'interrupted', startedAt, finishedAt?, steps: [{ step, status, detail?, at }], result?, error?, errorStatus?, warning? }], count }",
    examples: [{ summary: "The latest jobs" }],
  },
  "GET /jobs/:id": {
    summary: "Get a job",
    params: {
      id: { type: "string", required: true, description: "The job's id, from the response or the event" },
    },
    response: "A job as in `GET /jobs`; 404 { error }",
    examples: [{ summary: "A job", params: { id: "01990000-0000-7000-8000-000000000000" }, status: 404 }],
  },
};
