/** The installer: services and plugins from git, from folders on this machine, and from other instances of Reef. */
import { createInstallerService } from "./module.js";

export default createInstallerService();
