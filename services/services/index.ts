/** The services manager: lists, loads, deploys, rolls back and exports services while the server runs. */
import { ReefError } from "../../src/core/errors.js";
import { shuttingDown } from "../../src/core/load-failure.js";
import { CHANGE_EVENT, STOPPING_EVENT } from "../../src/core/registry-events.js";
import type { ServiceModule } from "../../src/core/types.js";
import { Announcer } from "./announce.js";
import { Deployer } from "./deploy.js";
import type { DeployJobs } from "./deploy-jobs.js";
import { routeDocs } from "./docs.js";
import { createRoutes, type Manager } from "./routes.js";

/** When what killed servers left is told of and removed, in milliseconds: no start need wait for it. */
const TIDY_AFTER_MS = 1000;

const EXCHANGED = "the services manager was replaced or stopped meanwhile; deploy again";

let manager: Manager | undefined;

const services: ServiceModule = {
  name: "services",
  description: "Lists, deploys, reloads, rolls back and exports services",
  capabilities: ["admin"],
  routes: createRoutes(() => {
    if (!manager) throw new Error("the services manager has not started");
    return manager;
  }),
  routeDocs,
  // The server starts without TypeBox, which the tools need.
  registerTools: (pi, client) =>
    (require("./tools.js") as typeof import("./tools.js")).registerTools(pi, client),
  toolAnnotations: {
    services_deploy: { destructive: false },
    services_disable: { destructive: false },
  },
  init(ctx) {
    const announcer = new Announcer(ctx);
    const deployer = new Deployer(ctx, announcer);
    const endDeploys = () => deployer.end(new ReefError("BUSY", EXCHANGED));
    let loading: Promise<DeployJobs> | undefined;
    const loadDeployJobs = async () => {
      const { DeployJobs } = await import("./deploy-jobs.js");
      const jobs = new DeployJobs(ctx);
      // Disposers run in reverse order, so deploys end with an outcome before the jobs are interrupted. The same
      // function registered again would keep its earlier place.
      ctx.onDispose(() => endDeploys());
      return jobs;
    };
    // A start does not wait for them.
    const deployJobs = () => (loading ??= loadDeployJobs());
    manager = { ctx, deployer, deployJobs };
    ctx.events.on(STOPPING_EVENT, () => deployer.end(shuttingDown()));
    ctx.onDispose(endDeploys);
    ctx.setTimeout(async () => {
      const jobs = await deployJobs();
      for (const { name, error } of jobs.takeInterrupted()) announcer.interrupted(name, error);
      await (await import("./test-run/scratch.js")).clearScratch(ctx.log);
    }, TIDY_AFTER_MS);
    ctx.events.on(CHANGE_EVENT, (change) => announcer.changed(change));
  },
};

export default services;
