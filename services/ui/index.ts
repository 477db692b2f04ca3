/** The web dashboard: login, proxy, panels in sandboxed frames, and the operator's own pages. */
import { readConfig } from "../../src/core/config.js";
import type { ServiceContext, ServiceModule } from "../../src/core/types.js";
import { Assets } from "./assets.js";
import { routeDocs } from "./docs.js";
import { BOOT, Live } from "./live.js";
import { createRoutes } from "./routes.js";
import { SessionStore } from "./sessions.js";
import { findToken } from "./token.js";

const WARM_UP_MS = 1000;

interface Running {
  context: ServiceContext;
  live: Live;
  allowedHosts: readonly string[];
}

/** A dashboard of its own. */
export function createUi(): ServiceModule {
  const sessions = new SessionStore();
  const assets = new Assets();
  let started: Running | undefined;
  const running = (): Running => {
    if (!started) throw new Error("the dashboard has not started");
    return started;
  };
  return {
    name: "ui",
    description: "Web dashboard for operators",
    mountAtRoot: true,
    // Each route decides: login is open, everything else needs a session.
    requiresAuth: false,
    store: sessions,
    routes: createRoutes({
      sessions,
      assets,
      allowedHosts: () => running().allowedHosts,
      context: () => running().context,
      live: () => running().live,
    }),
    routeDocs,
    init(context) {
      // Where the token cannot be known, a session lasts as long as the server, whose token stays the same.
      sessions.useToken(findToken(context) ?? BOOT);
      started = { context, live: new Live(context), allowedHosts: readConfig().allowedHosts };
      // Ahead of the first visitor, and after the services that start with this one.
      context.setTimeout(async () => {
        await Promise.all([assets.entries(), assets.panelScript()]);
      }, WARM_UP_MS);
    },
  };
}

export default createUi();
