// Loaded before an agent: notes every connection that would leave the loopback in the file REEF_TEST_NETWORK_LOG.
import { appendFileSync } from "node:fs";
import net from "node:net";

const log = process.env.REEF_TEST_NETWORK_LOG;
const loopback = /^(?:127\.\d+\.\d+\.\d+|::1|\[::1\]|localhost)$/;

function note(kind, host) {
  if (log && host && !loopback.test(host)) appendFileSync(log, `${kind} ${host}\n`);
}

const { connect } = net.Socket.prototype;
net.Socket.prototype.connect = function watched(...args) {
  const [first] = Array.isArray(args[0]) ? args[0] : args;
  if (typeof first === "object" && first !== null)
    note("connect", first.path ? "" : (first.host ?? "localhost"));
  else if (typeof first === "number") note("connect", typeof args[1] === "string" ? args[1] : "localhost");
  return connect.apply(this, args);
};

const { fetch } = globalThis;
globalThis.fetch = (input, init) => {
  note("fetch", new URL(typeof input === "string" ? input : (input.url ?? input.href)).hostname);
  return fetch(input, init);
};
