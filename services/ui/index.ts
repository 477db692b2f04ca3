/** The web dashboard: login, proxy, panels in sandboxed frames, and the operator's own pages. */
import { readConfig } from "../../src/core/config.js";
import type { ServiceContext, ServiceModule } from "../../src/core/types.js";
import { Assets } from "./assets.js";
import { Live } from "./live.js";
import { createRoutes } from "./routes.js";
import { SessionStore } from "./sessions.js";

const WARM_UP_MS = 1000;

const sessions = new SessionStore();
const assets = new Assets();
let context: ServiceContext | undefined;
let live: Live | undefined;
let allowedHosts: readonly string[] = [];

const ui: ServiceModule = {
  name: "ui",
  description: "Web dashboard for operators",
  mountAtRoot: true,
  // Each route decides: login is open, everything else needs a session.
  requiresAuth: false,
  store: sessions,
  routes: createRoutes({
    sessions,
    assets,
    allowedHosts: () => allowedHosts,
    context: () => {
      if (!context) throw new Error("the dashboard was asked before it was started");
      return context;
    },
    live: () => {
      if (!live) throw new Error("the dashboard was asked before it was started");
      return live;
    },
  }),
  init(ctx) {
    context = ctx;
    live = new Live(ctx);
    allowedHosts = readConfig().allowedHosts;
    // Ahead of the first visitor, and after the services that start with this one.
    ctx.setTimeout(
      () => Promise.all([assets.entries(), assets.panelScript()]).then(() => undefined),
      WARM_UP_MS,
    );
  },
};

export default ui;
