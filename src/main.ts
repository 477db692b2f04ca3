/** Starts Reef. */
import { messageOf } from "./core/errors.js";
import { type RunningServer, startServer } from "./core/server.js";
import { watchServices } from "./core/watch.js";

// Set by scripts/serve.sh for the server alone: the tests and checks that it starts must not inherit it.
delete process.env.BUN_JSC_thresholdForOptimizeAfterWarmUp;

let reef: RunningServer;
try {
  reef = await startServer();
} catch (error) {
  console.error(`Reef cannot start: ${messageOf(error)}`);
  process.exit(1);
}

const { token, url } = reef;
console.log(`Reef listens on ${url}`);
if (token.path === undefined) console.log("Token: as set in VERS_AUTH_TOKEN");
else
  console.log(
    `Token: ${token.created ? `${token.value} (new, kept in ${token.path})` : `kept in ${token.path}`}`,
  );
const value =
  token.path === undefined ? '"$VERS_AUTH_TOKEN"' : `"$(cat '${token.path.replaceAll("'", "'\\''")}')"`;
console.log(`Try:   curl -H "Authorization: Bearer "${value} ${url}/services`);

const stopWatching = process.argv.includes("--watch")
  ? watchServices({
      servicesDir: reef.registry.servicesDir,
      sync: () => reef.ctx.registry.sync(),
      log: reef.logs.logger("watch"),
    })
  : () => undefined;

const shutdown = async (signal: string) => {
  console.log(`${signal}: answering what is in flight, then saving …`);
  stopWatching();
  await reef.stop();
  process.exit(0);
};
process.on("SIGTERM", () => void shutdown("SIGTERM"));
process.on("SIGINT", () => void shutdown("SIGINT"));
