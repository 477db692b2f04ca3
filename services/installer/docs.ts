/** The documentation of the installer's routes. */
import type { RouteDocs } from "../../src/core/types.js";

const NAME = {
  name: { type: "string", required: true, description: "The service, or its folder (also as `dirName`)" },
};
const BACKGROUND = {
  background: {
    type: "boolean",
    description:
      "Answer 202 { id, dirName, status, warning? } at once, once the job is on disk; it tells the rest, also after a restart. `warning` says that it could not be written, and is forgotten then",
  },
};
const TOKEN = {
  token: {
    type: "string",
    description: "For the repository (https) or the other Reef. Used once, kept nowhere",
  },
};
const TEST = { test: { type: "boolean", description: "Run the package's tests, which then must pass" } };
const ERRORS =
  "400 the source or the package is wrong, 403 the operator does not allow the place, 404 nothing is there, 409 it is not possible now, 502 the other side failed, 503 too many jobs, or the server may not write where it would have to, cannot try the code (CHECK_FAILED), is ending (SHUTTING_DOWN) or the running version cannot save its store (FLUSH_FAILED), 504 REEF_INSTALL_TIMEOUT, 507 no space left, for that store either: { error, step, code? }";

export const routeDocs: Record<string, RouteDocs> = {
  "POST /install": {
    summary: "Install a service from git, a folder, or another Reef",
    detail:
      "Fetched into staging, checked, completed with its packages, tried in a process of its own, tested when asked, then moved into place and loaded. Whatever fails, nothing is left. Sources: `user/repo`, `host/user/repo`, `https://…`, `ssh://…`, `git@host:path`, each with `//folder` and `@ref` if needed; or a path that begins with `/`, `./` or `../`, which is linked unless `link` is false.",
    body: {
      source: { type: "string", description: "Where from; or `from` and `name`" },
      ref: { type: "string", description: "Branch, tag or commit, when it is not in the source" },
      subdirectory: { type: "string", description: "Folder of the repository, when it is not in the source" },
      from: { type: "string", description: "Another Reef, e.g. http://other:3000" },
      name: { type: "string", description: "With `from`: the service there. With `source`: the folder here" },
      dirName: {
        type: "string",
        description: "The folder to install into; default the last name of the source",
      },
      link: { type: "boolean", description: "For a path: `false` copies instead of linking" },
      ...TOKEN,
      ...TEST,
      ...BACKGROUND,
    },
    response: `201, or 202 in the background: { name, dirName, source, type: "git" | "local" | "fleet", from?, ref?, commit?, kind, digest, permissions, action: "installed", tests?, id }; ${ERRORS}`,
    examples: [
      { summary: "A folder on the server's machine", body: { source: "/srv/services/greeter" }, status: 404 },
      {
        summary: "A service of another Reef",
        body: { from: "http://127.0.0.1:1", name: "greeter", test: true },
        status: 502,
      },
      {
        summary: "Something that git would take for an option",
        body: { source: "--upload-pack=x" },
        status: 400,
      },
    ],
  },
  "POST /update": {
    summary: "Fetch what the source holds now and exchange the running version for it",
    detail:
      "The version before serves until the new one does, and is kept for a rollback. 409 with `permissions` when the new version asks for more, with `changed` when files were changed here.",
    body: {
      ...NAME,
      ref: { type: "string", description: "Follow another branch, tag or commit from now on" },
      force: {
        type: "boolean",
        description: "Replace files that were changed here; they are kept for a rollback",
      },
      acceptPermissions: { type: "boolean", description: "Agree to what the new version asks for" },
      ...TOKEN,
      ...TEST,
      ...BACKGROUND,
    },
    response: `200, or 202 in the background: { name, dirName, action: "updated", changed, id, kept?, warning?, and the rest as for install }; ${ERRORS}`,
    examples: [{ summary: "To the latest commit", body: { name: "greeter" }, status: 404 }],
  },
  "POST /rollback": {
    summary: "Return to the version before the latest update; once more, and the update is back",
    body: { ...NAME, ...BACKGROUND },
    response: `200, or 202 in the background: { name, dirName, action: "rolled-back", id, and the rest as for install }; ${ERRORS}`,
    examples: [{ summary: "The version before", body: { name: "greeter" }, status: 404 }],
  },
  "POST /remove": {
    summary: "Stop a service and delete what the installer put there",
    detail:
      "A linked folder is unlinked. Files that the installer did not put there, or that were changed since, are moved aside and listed in `kept`; where that fails they stay, and `warning` says why.",
    body: {
      ...NAME,
      force: {
        type: "boolean",
        description: "Although other services depend on it, or its store cannot be saved",
      },
      ...BACKGROUND,
    },
    response: `200, or 202 in the background: { name, dirName, action: "removed", id, kept?, warning? }; ${ERRORS}`,
    examples: [{ summary: "For good", body: { name: "greeter" }, status: 404 }],
  },
  "GET /installed": {
    summary: "What was installed, from where, at which version, with which permissions",
    response:
      "{ installed: [{ dirName, name, type, source, ref?, commit?, digest, kind, permissions, files, installedAt, updatedAt, previous?, linked? }], count }",
    examples: [{ summary: "All of them" }],
  },
  "GET /jobs": {
    summary: "What the installer is doing and has done, latest first",
    detail:
      "Kept are all jobs that run and the latest fifty that have ended, over restarts and crashes of the server, too. `interrupted`: the server was killed before it was done. What it had begun is undone or completed at the start; `GET /installer/installed` shows which.",
    response:
      "{ jobs: [{ id, action, dirName, source, status: 'running' | 'done' | 'failed' | 'interrupted', startedAt, finishedAt?, steps: [{ step, status, detail?, at }], result?, error?, errorStatus?, warning? }], count }",
    examples: [{ summary: "The latest ones" }],
  },
  "GET /jobs/:id": {
    summary: "One job",
    params: { id: { type: "string", required: true, description: "From the reply or the event" } },
    response: "As in the list; 404 { error }",
    examples: [{ summary: "A job", params: { id: "01990000-0000-7000-8000-000000000000" }, status: 404 }],
  },
};
