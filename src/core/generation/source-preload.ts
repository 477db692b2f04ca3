/** Loaded before a script of a service that runs in a process of its own, so that it finds Reef's source from anywhere. */
import { installSourceResolution } from "./host-modules.js";

installSourceResolution();
