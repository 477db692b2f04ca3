/** Loaded before every test run (see bunfig.toml), so that no test touches live data. */
import { afterAll } from "bun:test";
import { installSourceResolution, isInProject, shareHostModules } from "./generation/host-modules.js";
import { enterScratch, removeScratch } from "./harness/scratch.js";
import { closeStoresLeftOpen } from "./harness/stores.js";
import { TEST_FILE } from "./test-files.js";

// The test runner ends without an "exit" event.
afterAll(async () => {
  await closeStoresLeftOpen();
  removeScratch();
});

let files = 0;
enterScratch();
installSourceResolution();

Bun.plugin({
  name: "scratch folder for each test file",
  setup(build) {
    // Not when it is loaded: what a plugin loads is never run where it is CommonJS.
    build.onResolve({ filter: TEST_FILE }, ({ path, importer }) => {
      if (importer !== "") return undefined;
      enterScratch(++files);
      // Elsewhere it finds hono and typebox only as a service does: shared by the host.
      if (!isInProject(path)) shareHostModules();
      return undefined;
    });
  },
});
