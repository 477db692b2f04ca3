/** Preloaded by a service's script in its own process, so that it resolves Reef's source from anywhere. */
import { installSourceResolution } from "./host-modules.js";

installSourceResolution();
