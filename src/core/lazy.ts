/** Parts of the server that are loaded on first use: each file adds a tenth of a millisecond to a start. */

/** Loads all parts soon after the start, before another Reef's files could replace them on disk. */
export function loadRest(): void {
  for (const load of ALL) load();
}

/** The registry as services see it. */
export const registryViews = () => require("./registry/view.js") as typeof import("./registry/view.js");

/** Handles of other services' stores. */
export const storeHandles = () =>
  require("./version/store-handle.js") as typeof import("./version/store-handle.js");

/** Routing among services mounted at the root. */
export const rootRoutes = () =>
  require("./dispatch/root-routes.js") as typeof import("./dispatch/root-routes.js");

/** Redaction of failure messages. */
export const redaction = () => require("./redact.js") as typeof import("./redact.js");

/** Changes of running services. */
export const changes = () => require("./changes.js") as typeof import("./changes.js");

/** Copies of code that served. */
export const snapshots = () => require("./code/snapshots.js") as typeof import("./code/snapshots.js");

/** The event tree. */
export const eventTree = () => require("./tree.js") as typeof import("./tree.js");

/** Child processes that try unknown code. */
export const checkProcess = () => require("./checker/process.js") as typeof import("./checker/process.js");

/** Replies for errors that handlers throw. */
export const thrownReplies = () =>
  require("./dispatch/thrown-reply.js") as typeof import("./dispatch/thrown-reply.js");

const ALL = [
  registryViews,
  storeHandles,
  rootRoutes,
  redaction,
  changes,
  snapshots,
  eventTree,
  checkProcess,
  thrownReplies,
];
