// Reef with the services manager, and as many four-file services as the second argument says, in the folder that
// the first one names. Tells the port once everything serves.
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { LogBook } from "../../src/core/log.js";
import { startServer } from "../../src/core/server.js";
import { serveBench } from "../lib.js";
import { writeService } from "../services.js";

const [folder = "", count = "0", patience = "600"] = process.argv.slice(2);
const servicesDir = join(folder, "services");
for (let n = 0; n < Number(count); n++) writeService(servicesDir, `svc-${n}`, 0, 4);
if (Number(count) > 0) {
  symlinkSync(join(import.meta.dir, "..", "..", "services", "services"), join(servicesDir, "services"));
}
const reef = await startServer({
  servicesDir,
  dataDir: join(folder, "data"),
  authToken: "bench-token",
  port: 0,
  patienceMs: Number(patience),
  logs: new LogBook(() => undefined),
});
await reef.settled;
serveBench(reef.server.port as number, async (name) => {
  if (name === "close") await reef.stop();
  return reef.liveModules.size;
});
