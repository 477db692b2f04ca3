/** Which hosts the installer may connect to, and to which of their addresses. */
// The default import keeps each call visible to a spy.
import dns from "node:dns/promises";
import { isIP } from "node:net";
import { reachOf } from "../../../src/core/addresses.js";
import type { InstallAllowance } from "../../../src/core/config.js";
import { messageOf } from "../../../src/core/errors.js";
import { untilAborted } from "../../../src/core/waiters.js";
import { InstallError } from "../errors.js";

/** What the operator allows beyond public hosts. */
export type Allowed = ReadonlySet<InstallAllowance>;

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

async function resolveHost(host: string): Promise<string[]> {
  try {
    const found = await dns.lookup(host, { all: true });
    return found.map(({ address }) => address);
  } catch (error) {
    throw new InstallError(502, "fetch", `the host ${host} cannot be found: ${messageOf(error)}`);
  }
}
