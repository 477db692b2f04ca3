/** The events by which the registry informs services. */

/** A change of a service: `{ name, action }`, with an action such as `added`, `updated` or `failed`. */
export const CHANGE_EVENT = "services:changed";

/** A sync of the services folder; the data is its result. */
export const SYNC_EVENT = "services:synced";

/** The server is about to end; emitted before it waits for requests in flight. */
export const STOPPING_EVENT = "services:stopping";
