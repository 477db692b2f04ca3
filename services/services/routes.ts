/** The HTTP API of the services manager. */
import { type Context, Hono } from "hono";
import { requestCause, withCause } from "../../src/core/causality.js";
import { keepOpen } from "../../src/core/keep-open.js";
import { failureStatus, LoadFailure } from "../../src/core/load-failure.js";
import { assertFolderName } from "../../src/core/names.js";
import { StorageError } from "../../src/core/storage-error.js";
import type { ServiceContext } from "../../src/core/types.js";
import type { Deployer } from "./deploy.js";
import type { DeployJobs } from "./deploy-jobs.js";
import { full, summary } from "./describe.js";
import { exportTarball, listed } from "./export.js";
import { manifest } from "./manifest.js";
import { assertChangeable } from "./names.js";

/** What the routes need from the running manager; asked at each request, since `init` comes after they are made. */
export interface Manager {
  ctx: ServiceContext;
  deployer: Deployer;
  deployJobs: () => Promise<DeployJobs>;
}

const bodies = () => import("./bodies.js");

/** For a folder that the server may not write to, or a file in it that is something else. */
function asUnwritable(error: unknown): never {
  if (!(error instanceof StorageError) || error.code !== "STORAGE_IO") throw error;
  throw new LoadFailure("UNREADABLE", "find", `the code cannot be restored: ${error.message}`, {
    cause: error,
  });
}

export function createRoutes(manager: () => Manager): Hono {
  const routes = new Hono();
  const registry = () => manager().ctx.registry;

  /** The name in the path of a service that may be changed, which may take as long as the service does. */
  const toChange = (c: Context) => {
    keepOpen(c.req.raw, c.env);
    const name = c.req.param("name") ?? "";
    assertChangeable(name, manager().ctx.name);
    return name;
  };

  const known = (name: string) => {
    assertFolderName(name);
    const all = registry().list();
    const info = all.find((candidate) => candidate.name === name);
    if (!info) throw new LoadFailure("UNKNOWN", "find", `there is no service "${name}".`);
    return { info, all };
  };

  routes.onError((error, c) => {
    if (!(error instanceof LoadFailure)) throw error;
    const { code, message, step } = error;
    return c.json({ error: message, code, step }, failureStatus(error));
  });

  routes.get("/", (c) => {
    const all = registry().list().map(summary);
    const modules = all.filter(({ state }) => state === "loaded");
    const notLoaded = all.filter(({ state }) => state !== "loaded");
    return c.json({ modules, count: modules.length, notLoaded });
  });

  const tools = async () => (await import("../../src/agent/index.js")).describeTools(manager().ctx);

  routes.get("/tools", async (c) => c.json(await tools()));

  routes.get("/manifest", async (c) => c.json(manifest(registry().list(), (await tools()).tools)));

  routes.post("/reload", async (c) => {
    keepOpen(c.req.raw, c.env);
    return c.json(await registry().sync());
  });

  routes.post("/reload/:name", async (c) => c.json(await registry().reload(toChange(c))));

  routes.post("/deploy", async (c) => {
    // The answer may take as long as the tests do, without a byte before it.
    keepOpen(c.req.raw, c.env);
    const { name, background } = await (await bodies()).readDeploy(c);
    const deploy = () => withCause(requestCause(c.req.raw), () => manager().deployer.deploy(name));
    if (background) return c.json(await (await manager().deployJobs()).begin(name, deploy), 202);
    const { report, status } = await deploy();
    return c.json(report, status);
  });

  routes.post("/rollback/:name", async (c) => {
    const name = toChange(c);
    const { digest } = await (await bodies()).readRollback(c);
    return c.json(await registry().rollback(name, digest).catch(asUnwritable));
  });

  routes.post("/enable/:name", async (c) => c.json(await registry().enable(toChange(c))));

  routes.post("/disable/:name", async (c) => {
    const name = toChange(c);
    const { readDisable, readForce } = await bodies();
    const force = readForce(c);
    const { reason } = await readDisable(c);
    await registry().disable(name, { force, reason });
    return c.json({ name, action: "disabled" });
  });

  routes.get("/export/:name", async (c) => {
    const name = c.req.param("name");
    assertFolderName(name);
    const { tarball, withheld } = await exportTarball(name, registry().locate(name).dir);
    const left = listed(withheld);
    if (left !== "") manager().ctx.log.info(`the export of "${name}" excludes ${left}`);
    return c.body(tarball, 200, {
      ...(left !== "" && { "x-reef-withheld": left }),
      "content-type": "application/gzip",
      "content-disposition": `attachment; filename="${name}.tar.gz"`,
    });
  });

  routes.get("/:name", (c) => {
    const { info, all } = known(c.req.param("name"));
    return c.json(full(info, all));
  });

  routes.get("/:name/logs", (c) => {
    const { info } = known(c.req.param("name"));
    const lines = registry().logs(info.name);
    return c.json({ lines, count: lines.length });
  });

  routes.get("/:name/versions", (c) => {
    const name = c.req.param("name");
    assertFolderName(name);
    const versions = registry().versions(name);
    return c.json({ versions, count: versions.length });
  });

  // After the routes of a service that is called "deploys".
  routes.get("/deploys/:id", async (c) => {
    keepOpen(c.req.raw, c.env);
    const waitMs = await (await bodies()).readWait(c);
    return c.json(await (await manager().deployJobs()).get(c.req.param("id"), waitMs));
  });

  routes.delete("/:name", async (c) => {
    const name = toChange(c);
    await registry().unload(name, { force: (await bodies()).readForce(c) });
    return c.json({ name, action: "removed" });
  });

  return routes;
}
