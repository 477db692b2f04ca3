import { type Context, Hono } from "hono";
import { keepOpen } from "../../src/core/keep-open.js";
import { isFull, toStorageError } from "../../src/core/storage-error.js";
import { readBody } from "../../src/core/validate.js";
import { asForbidden, InstallError } from "./errors.js";
import type { Installer } from "./installer.js";
import type { Started } from "./jobs/runner.js";
import { panel } from "./panel.js";
import { installedOf } from "./place/lock.js";
import { describeInstalled } from "./replies.js";
import { Install, Remove, Rollback, Update } from "./requests.js";

function nameOf({ name, dirName }: { name?: string; dirName?: string }): string {
  const found = dirName ?? name;
  if (found === undefined)
    throw new InstallError(400, "source", '"name" is required: the service or its folder.');
  return found;
}

/** The HTTP API; `current` gives the installer once the service has been started. */
export function createRoutes(current: () => Installer): Hono {
  const routes = new Hono();

  const answer = async (
    c: Context,
    { job, result }: Started,
    background: boolean | undefined,
    status: 200 | 201,
  ) => {
    keepOpen(c.req.raw, c.env);
    if (!background) return c.json({ ...(await result), id: job.id }, status);
    await current().jobs.saved(job);
    const { id, dirName, warning } = job;
    return c.json({ id, dirName, status: job.status, ...(warning !== undefined && { warning }) }, 202);
  };

  routes.onError((error, c) => {
    const known = asForbidden(error, "source");
    if (!(known instanceof InstallError)) throw isFull(error) ? toStorageError(error) : error;
    return c.json({ error: known.message, step: known.step, ...known.details }, known.status);
  });

  routes.post("/install", async (c) => {
    const { background, ...request } = await readBody(c, Install);
    return answer(c, current().install(request), background, 201);
  });

  routes.post("/update", async (c) => {
    const { background, ...request } = await readBody(c, Update);
    return answer(c, current().update({ ...request, name: nameOf(request) }), background, 200);
  });

  routes.post("/rollback", async (c) => {
    const { background, ...request } = await readBody(c, Rollback);
    return answer(c, current().rollback(nameOf(request)), background, 200);
  });

  routes.post("/remove", async (c) => {
    const { background, ...request } = await readBody(c, Remove);
    return answer(c, current().remove({ ...request, name: nameOf(request) }), background, 200);
  });

  routes.get("/installed", (c) => {
    const installed = installedOf(current().lock).map(describeInstalled);
    return c.json({ installed, count: installed.length });
  });

  routes.get("/jobs", (c) => {
    const jobs = current().jobs.list();
    return c.json({ jobs, count: jobs.length });
  });

  routes.get("/jobs/:id", (c) => {
    const job = current().jobs.get(c.req.param("id"));
    if (!job)
      throw new InstallError(
        404,
        "source",
        "job not found: only the latest fifty finished jobs are kept. GET /installer/installed shows what is installed.",
      );
    return c.json(job);
  });

  routes.get("/_panel", (c) => c.html(panel));

  return routes;
}
