/**
 * Loaded before a script or worker of a service that runs apart from the server, so that it finds what services find
 * (Reef's source, hono, TypeBox) from anywhere.
 */
import { shareHostModules } from "./host-modules.js";

shareHostModules();
