/**
 * Runs inside a plugin's network namespace, but unconfined: accepts TCP connections on the loopback interface
 * and relays them to the host's proxy. It lives as long as the stdin it was given.
 */
import { connect, createServer } from "node:net";

const socketPath = process.argv[2];
if (!socketPath) throw new Error("the relay needs the proxy's socket file");

const server = createServer((inner) => {
  const outer = connect(socketPath);
  inner.pipe(outer).pipe(inner);
  inner.on("error", () => outer.destroy());
  outer.on("error", () => inner.destroy());
  inner.on("close", () => outer.destroy());
  outer.on("close", () => inner.destroy());
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the relay has no port");
  process.stdout.write(`${address.port}\n`);
});
for await (const _ of Bun.stdin.stream());
process.exit(0);
