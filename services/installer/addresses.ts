/** Which hosts the installer may connect to, and to which of their addresses. */
// The default import keeps each call visible to a spy.
import dns from "node:dns/promises";
import { BlockList, isIP } from "node:net";
import type { InstallAllowance } from "../../src/core/config.js";
import { messageOf } from "../../src/core/errors.js";
import { InstallError } from "./errors.js";

/** What the operator allows beyond public hosts. */
export type Allowed = ReadonlySet<InstallAllowance>;

/** Where an address leads: to this machine, to networks that are not public, or out. */
export type Reach = "loopback" | "private" | "public";

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

const PRIVATE = new BlockList();
for (const [net, prefix] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["224.0.0.0", 3],
] as const) {
  PRIVATE.addSubnet(net, prefix, "ipv4");
}
for (const [net, prefix] of [
  ["::", 96],
  ["64:ff9b::", 32],
  ["100::", 64],
  ["2001::", 23],
  ["2002::", 16],
  ["fc00::", 7],
  ["fe80::", 9],
  ["ff00::", 8],
] as const) {
  PRIVATE.addSubnet(net, prefix, "ipv6");
}

/** Classifies an IP address; what embeds another address counts as not public. */
export function reachOf(address: string): Reach {
  const plain = address.split("%", 1)[0] as string;
  const mapped = unmapped(plain);
  const family = isIP(mapped);
  if (family === 0) return "private";
  const type = family === 4 ? "ipv4" : "ipv6";
  if (LOOPBACK.check(mapped, type)) return "loopback";
  return PRIVATE.check(mapped, type) ? "private" : "public";
}

/** `::ffff:127.0.0.1` and `::ffff:7f00:1` are IPv4 addresses in other clothes. */
function unmapped(address: string): string {
  const canonical =
    isIP(address) === 6 ? (URL.parse(`http://[${address}]/`)?.hostname.slice(1, -1) ?? address) : address;
  const match = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i.exec(canonical);
  if (!match) return canonical;
  const [high, low] = [Number.parseInt(match[1] as string, 16), Number.parseInt(match[2] as string, 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

/**
 * Refuses an address that the operator has not allowed, and unencrypted connections to public ones.
 *
 * @throws InstallError with status 403.
 */
export function assertReach(address: string, encrypted: boolean, allowed: Allowed): void {
  const reach = reachOf(address);
  if (reach === "public") {
    if (encrypted || allowed.has("http")) return;
    throw forbidden("fetching code over http without encryption", "http");
  }
  if (reach === "loopback" ? allowed.has("loopback") || allowed.has("private") : allowed.has("private"))
    return;
  throw forbidden(reach === "loopback" ? "this machine" : "an address that is not public", reach);
}

export function forbidden(what: string, word: InstallAllowance): InstallError {
  const message = `${what} is not allowed as a source; the operator can allow it with REEF_INSTALL_ALLOW=${word}.`;
  return new InstallError(403, "source", message);
}

/** The addresses of a host, each of which has been allowed. Connect to these, and to nothing looked up later. */
export async function allowedAddresses(
  host: string,
  encrypted: boolean,
  allowed: Allowed,
  signal?: AbortSignal,
): Promise<string[]> {
  const addresses = isIP(host) ? [host] : await untilAborted(resolveHost(host), signal);
  for (const address of addresses) assertReach(address, encrypted, allowed);
  return addresses;
}

/** Looking a name up cannot be ended, but it need not be waited for. */
async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort);
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

async function resolveHost(host: string): Promise<string[]> {
  try {
    const found = await dns.lookup(host, { all: true });
    return found.map(({ address }) => address);
  } catch (error) {
    throw new InstallError(502, "fetch", `the host ${host} cannot be found: ${messageOf(error)}`);
  }
}
