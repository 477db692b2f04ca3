/** Parts of the server that are loaded when they are first needed: each file costs a start a tenth of a millisecond. */

/** Loads all of them, soon after the start: before somebody puts the files of another Reef in their place. */
export function loadRest(): void {
  for (const load of ALL) load();
}

/** The registry as services see it. */
export const registryViews = () => require("./registry/view.js") as typeof import("./registry/view.js");

/** Handles of stores. */
export const storeHandles = () =>
  require("./version/store-handle.js") as typeof import("./version/store-handle.js");

/** Which of the services at the root answers. */
export const rootRoutes = () =>
  require("./dispatch/root-routes.js") as typeof import("./dispatch/root-routes.js");

/** What strangers may read of a failure. */
export const redaction = () => require("./redact.js") as typeof import("./redact.js");

/** What changes of running services need. */
export const changes = () => require("./changes.js") as typeof import("./changes.js");

/** Copies of the code that has served. */
export const snapshots = () => require("./code/snapshots.js") as typeof import("./code/snapshots.js");

/** The tree of events. */
export const eventTree = () => require("./tree.js") as typeof import("./tree.js");

/** What tries unknown code. */
export const checkProcess = () => require("./checker/process.js") as typeof import("./checker/process.js");

/** What handlers throw, as replies. */
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
