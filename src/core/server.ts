/** A Reef without a port (`createServer`), and one that listens (`startServer`). */
export { createServer, type ReefServer, type ServerOptions } from "./create-server.js";
export { type RunningServer, startServer } from "./start-server.js";
