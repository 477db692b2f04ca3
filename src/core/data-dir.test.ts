import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Hono } from "hono";
import { dataDir, dataDirOf } from "./data-dir.js";
import { LogBook } from "./log.js";
import { createServer } from "./server.js";
import { createTestHarness } from "./testing.js";
import type { ServiceModule } from "./types.js";

const root = mkdtempSync(join(tmpdir(), "reef-data-dir-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

function whereAmI(): ServiceModule {
  const routes = new Hono();
  routes.get("/", async (c) => {
    await Bun.sleep(1);
    return c.json({ dir: dataDir() });
  });
  return { name: "where", routes };
}

describe("data folder", () => {
  test("comes from the environment outside of services", () => {
    expect(dataDirOf({ REEF_DATA_DIR: "/var/reef" })).toBe("/var/reef");
    expect(dataDirOf({})).toBe(join(process.cwd(), "data"));
  });

  test("is each harness's own, also when two are made at the same time", async () => {
    const harnesses = await Promise.all([
      createTestHarness({ services: [whereAmI()] }),
      createTestHarness({ services: [whereAmI()] }),
    ]);
    try {
      for (const t of harnesses) {
        const { data } = await t.json("/where", { auth: true });
        expect(data.dir).toBe(t.dataDir);
      }
    } finally {
      for (const t of harnesses) await t.cleanup();
    }
  });

  test("is the server's for services in folders, while they are imported and later", async () => {
    const servicesDir = join(root, "services");
    mkdirSync(join(servicesDir, "where"), { recursive: true });
    writeFileSync(
      join(servicesDir, "where", "index.ts"),
      `import { Hono } from "hono";
import { dataDir } from "../src/core/config.js";
const atImport = dataDir();
const routes = new Hono();
routes.get("/", (c) => c.json({ atImport, now: dataDir(), env: process.env.REEF_DATA_DIR }));
export default { name: "where", routes };`,
    );
    const own = join(root, "own-data");
    const logs = new LogBook(() => undefined);
    const reef = await createServer({ servicesDir, dataDir: own, authToken: "token", logs });
    const reply = await reef.app.request("/where", { headers: { authorization: "Bearer token" } });
    expect(await reply.json()).toEqual({ atImport: own, now: own, env: own });
    await reef.close(0);
  });
});
