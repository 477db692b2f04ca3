/**
 * Loaded before every test run (see bunfig.toml). Services written by hand open `data/…` relative to the working
 * directory while they are imported, before any harness exists: so each test file gets a scratch folder as its
 * working directory and data folder, and live data is never touched.
 */
import { afterAll } from "bun:test";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installSourceResolution, isInProject, shareHostModules } from "./host-modules.js";

const root = realpathSync(mkdtempSync(join(tmpdir(), "reef-scratch-")));
// The test runner ends without an "exit" event.
afterAll(() => rmSync(root, { recursive: true, force: true }));

function enterScratch(): void {
  const dir = mkdtempSync(join(root, "file-"));
  process.chdir(dir);
  process.env.REEF_DATA_DIR = join(dir, "data");
}

enterScratch();
installSourceResolution();

Bun.plugin({
  name: "scratch folder for each test file",
  setup(build) {
    build.onLoad({ filter: /[._](test|spec)\.[jt]sx?$/ }, async ({ path }) => {
      enterScratch();
      // Elsewhere it finds hono and typebox only as a service does: shared by the host.
      if (!isInProject(path)) shareHostModules();
      return { contents: await Bun.file(path).text(), loader: path.endsWith("x") ? "tsx" : "ts" };
    });
  },
});
