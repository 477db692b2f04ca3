/** The web dashboard: login, proxy, panels in sandboxed frames, and the operator's own pages. */
import { readConfig } from "../../src/core/config.js";
import type { ServiceContext, ServiceModule } from "../../src/core/types.js";
import { Assets } from "./assets.js";
import { createRoutes } from "./routes.js";
import { SessionStore } from "./sessions.js";

const sessions = new SessionStore();
const assets = new Assets();
let context: ServiceContext | undefined;
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
  }),
  init(ctx) {
    context = ctx;
    allowedHosts = readConfig().allowedHosts;
  },
};

export default ui;
