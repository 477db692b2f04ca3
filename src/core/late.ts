/** Parts of the server that are loaded when they are first needed: each file costs a start a tenth of a millisecond. */

/** Loads all of them, soon after the start: before somebody puts the files of another Reef in their place. */
export function loadRest(): void {
  for (const load of [changes, snapshots, eventTree, checkProcess]) load();
}

/** What changes of running services need. */
export const changes = () => require("./changes.js") as typeof import("./changes.js");

/** Copies of the code that has served. */
export const snapshots = () => require("./snapshots.js") as typeof import("./snapshots.js");

/** The tree of events. */
export const eventTree = () => require("./tree.js") as typeof import("./tree.js");

/** What tries unknown code. */
export const checkProcess = () => require("./check-process.js") as typeof import("./check-process.js");
