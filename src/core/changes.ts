/** What changes of running services need and a start without any does not; see `changes` in late.ts. */
export { changeFolder } from "./folder-change.js";
export { check, load } from "./load.js";
export { loadLacking } from "./load-rounds.js";
export { disable, enable, forget, unload } from "./removal.js";
export { rollBack } from "./rollback.js";
export { endServices } from "./shutdown.js";
export { syncFolders } from "./sync.js";
export { Batch } from "./trial-batch.js";
export { verifyVersion } from "./verify.js";
