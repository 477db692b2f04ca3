/** Preloaded for every test run (see bunfig.toml), so that no test touches live data. */
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
    // In onResolve, because CommonJS files loaded by a plugin's onLoad are never executed.
    build.onResolve({ filter: TEST_FILE }, ({ path, importer }) => {
      if (importer !== "") return undefined;
      enterScratch(++files);
      // Outside the project, hono and typebox resolve only as they do for services: shared by the host.
      if (!isInProject(path)) shareHostModules();
      return undefined;
    });
  },
});
