/** What the registry tells services through the event bus. */

/** The event that tells services about changes: `{ name, action }`, action `added`, `updated` … or `failed`. */
export const CHANGE_EVENT = "services:changed";

/** The event after the services folder was gone through; its data is the result. */
export const SYNC_EVENT = "services:synced";

/** The event that tells services that the server is about to end, before it waits for what is in flight. */
export const STOPPING_EVENT = "services:stopping";
