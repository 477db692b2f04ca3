/**
 * The operations that change running services. Loaded lazily, because a plain start needs none of them; see
 * lazy.ts.
 */

export { changeFolder } from "./changes/folder-change.js";
export { check, load } from "./changes/load.js";
export { loadLacking } from "./changes/load-rounds.js";
export { disable, enable, forget, unload } from "./changes/removal.js";
export { rollBack } from "./changes/rollback.js";
export { endServices } from "./changes/shutdown.js";
export { syncFolders } from "./changes/sync.js";
export { verifyVersion } from "./changes/verify.js";
export { Batch } from "./checker/trial-batch.js";
