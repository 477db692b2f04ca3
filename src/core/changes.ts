/** What changes of running services need and a start without any does not; see `changes` in lazy.ts. */

export { changeFolder } from "./changes/folder-change.js";
export { check, load } from "./changes/load.js";
export { loadLacking } from "./changes/load-rounds.js";
export { disable, enable, forget, unload } from "./changes/removal.js";
export { rollBack } from "./changes/rollback.js";
export { endServices } from "./changes/shutdown.js";
export { syncFolders } from "./changes/sync.js";
export { verifyVersion } from "./changes/verify.js";
export { Batch } from "./checker/trial-batch.js";
