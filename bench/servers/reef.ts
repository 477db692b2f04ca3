// Reef with as many services as the first argument says, loaded from folders as any service is.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startServer } from "../../src/core/server.js";
import { serveBench } from "../lib.js";

const scratch = mkdtempSync(join(tmpdir(), "reef-bench-"));
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));
const servicesDir = join(scratch, "services");
for (let n = 0; n < Number(process.argv[2]); n++) {
  mkdirSync(join(servicesDir, `svc-${n}`), { recursive: true });
  writeFileSync(
    join(servicesDir, `svc-${n}`, "index.ts"),
    `import { Hono } from "hono";
const routes = new Hono();
routes.get("/items", (c) => c.json({ ok: true }));
routes.post("/items", async (c) => {
  const body = await c.req.json();
  if (typeof body?.text !== "string") return c.json({ error: "text must be a string" }, 400);
  return c.json({ length: body.text.length });
});
export default { name: "svc-${n}", routes };
`,
  );
}
process.env.REEF_CHECK = "off";
const reef = await startServer({
  servicesDir,
  dataDir: join(scratch, "data"),
  authToken: "bench-token",
  port: 0,
});
// What a start leaves to do afterwards is no part of a request.
await reef.registry.copies.keepAll([]);
serveBench(reef.server.port as number);
