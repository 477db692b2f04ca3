/** Starts Reef. */

import { watchServices } from "./core/changes/watch.js";
import { follow } from "./core/code/code-files.js";
import { readConfig } from "./core/config.js";
import { messageOf } from "./core/errors.js";
import { inHost } from "./core/generation/host-context.js";
import { LogBook } from "./core/log.js";
import { heedsHangup } from "./core/server/hangup.js";
import { containStrayErrors, folderBlamed } from "./core/server/stray-errors.js";
import { type RunningServer, startServer } from "./core/server.js";

// Set by scripts/serve.sh for the server alone: the tests and checks that it starts must not inherit it.
delete process.env.BUN_JSC_thresholdForOptimizeAfterWarmUp;

const logs = new LogBook();
let reef: RunningServer | undefined;
/** As it is in stacks. */
let servicesDir: string | undefined;
containStrayErrors((kind, error) => {
  const dirName = servicesDir === undefined ? undefined : folderBlamed(error, servicesDir);
  const service = dirName === undefined ? undefined : reef?.registry.table.byFolder(dirName);
  if (service) service.current.generation.scope.fault(kind, error);
  else logs.write(dirName ?? "reef", "error", [`${kind}:`, error]);
});
/** A signal that came during the start, which then ends in order as well. */
let early: string | undefined;
const end = (signal: string) => {
  if (reef) void inHost(() => shutdown(signal));
  // Whoever asks twice does not want to wait.
  else if (early !== undefined) process.exit(1);
  else early = signal;
};
// Whoever sends it, it is the server that ends.
const signals = ["SIGTERM", "SIGINT", ...(heedsHangup() ? ["SIGHUP"] : [])];
for (const signal of signals) process.on(signal, () => end(signal));

try {
  const config = readConfig();
  servicesDir = follow(config.servicesDir)?.real;
  reef = await startServer({ config, logs });
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
  console.log(`${signal}: finishing requests in flight, then saving …`);
  stopWatching();
  await reef.stop();
  process.exit(0);
};
if (early !== undefined) end(early);
