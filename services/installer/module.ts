import { readConfig } from "../../src/core/config.js";
import { messageOf } from "../../src/core/errors.js";
import { STOPPING_EVENT } from "../../src/core/registry-events.js";
import type { ServiceContext, ServiceModule } from "../../src/core/types.js";
import { routeDocs } from "./docs.js";
import { knownFolders } from "./folders.js";
import { Installer } from "./installer.js";
import { openLock } from "./place/lock.js";
import { recover } from "./place/recover.js";
import { createRoutes } from "./routes.js";
import { registerTools } from "./tools.js";

/** When the jobs that killed servers left under way are told of, in milliseconds: no start need wait for it. */
const TELL_AFTER_MS = 1000;

/** A fresh installer service; each server needs one of its own. */
export function createInstallerService(): ServiceModule {
  let installer: Installer | undefined;
  return {
    name: "installer",
    description: "Installs, updates and removes services from git, folders and other Reef servers",
    capabilities: ["admin"],
    routes: createRoutes(() => {
      if (!installer) throw new Error("the installer has not started");
      return installer;
    }),
    routeDocs,
    registerTools,
    async init(ctx) {
      const { dataDir, servicesDir, log } = ctx;
      const lock = openLock(dataDir);
      const restored = await recover({ lock, servicesDir, folders: knownFolders(dataDir, servicesDir), log });
      const installs = new Installer(ctx, readConfig(), lock);
      installer = installs;
      ctx.events.on(STOPPING_EVENT, () => installs.stop());
      ctx.setTimeout(() => installs.jobs.tellInterrupted(), TELL_AFTER_MS);
      // The queue of changes may be waiting for this very init.
      for (const dirName of restored) void loadAgain(ctx, dirName);
    },
    dispose: () => installer?.close(),
  };
}

async function loadAgain({ registry, log }: ServiceContext, dirName: string): Promise<void> {
  if (registry.list().some((service) => service.dirName === dirName && service.state === "loaded")) return;
  try {
    await registry.load(dirName);
  } catch (error) {
    log.error(`${dirName} was restored but could not be loaded: ${messageOf(error)}`);
  }
}
