/**
 * Preloaded by workers and child processes of a service, so that they resolve what services resolve (Reef's source,
 * hono, TypeBox) from anywhere.
 */
import { shareHostModules } from "./host-modules.js";

shareHostModules();
