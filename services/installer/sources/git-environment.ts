/** What git gets to know and may do: its settings and its environment. */
import { isIP } from "node:net";
import { InstallError } from "../errors.js";
import { LIMITS } from "../limits.js";
import { cleanEnvironment } from "../process.js";
import type { GitSource, Transport } from "../sources.js";
import { type Allowed, allowedAddresses, assertReach, forbidden } from "./addresses.js";

export interface ConnectionOptions {
  allowed: Allowed;
  /** For repositories that need one; used for https, or for this machine. */
  token?: string;
  signal: AbortSignal;
}

/** Settings that keep a repository from running programs, asking questions or going elsewhere. */
const SETTINGS: Record<string, string> = {
  "core.hooksPath": "/dev/null",
  "core.fsmonitor": "false",
  "core.askPass": "",
  // Larger files than a package may have are never held in memory as a whole.
  "core.bigFileThreshold": String(LIMITS.fileBytes),
  "credential.helper": "",
  "submodule.recurse": "false",
  "fetch.recurseSubmodules": "false",
  "fetch.fsckObjects": "true",
  "gc.auto": "0",
  "maintenance.auto": "false",
  "http.followRedirects": "false",
  "http.lowSpeedLimit": "500",
  "http.lowSpeedTime": "20",
  "protocol.version": "2",
};

const SSH_COMMAND =
  "ssh -oBatchMode=yes -oConnectTimeout=15 -oPermitLocalCommand=no -oForwardAgent=no -oForwardX11=no -oClearAllForwardings=yes";

/**
 * The settings for fetching a source.
 *
 * @throws InstallError 400 for a token that it has no use for, 403 when the operator does not allow the place.
 */
export async function settingsFor(
  source: GitSource,
  options: ConnectionOptions,
): Promise<Record<string, string>> {
  return { ...SETTINGS, ...(await connection(source, options)) };
}

/** Checks where the source leads, and pins the connection to the addresses that were checked. */
async function connection(
  source: GitSource,
  { allowed, token, signal }: ConnectionOptions,
): Promise<Record<string, string>> {
  const { transport, host, port } = source;
  if (token !== undefined && transport !== "https" && transport !== "http") {
    throw new InstallError(400, "source", `a token works only with https; ${transport} uses its own keys.`);
  }
  if (transport === "file") {
    if (!allowed.has("file")) throw forbidden("a git repository on this machine", "file");
    return {};
  }
  const addresses = await allowedAddresses(host, transport !== "http", allowed, signal);
  const settings: Record<string, string> = {};
  if (token !== undefined) {
    if (transport === "http")
      for (const address of addresses) assertReach(address, true, new Set(["loopback"]));
    const basic = Buffer.from(`x-access-token:${token}`).toString("base64");
    settings["http.extraHeader"] = `Authorization: Basic ${basic}`;
  }
  if (transport !== "ssh" && !isIP(host)) {
    const shown = addresses.map((address) => (isIP(address) === 6 ? `[${address}]` : address));
    settings["http.curloptResolve"] =
      `${host}:${port || (transport === "https" ? "443" : "80")}:${shown.join(",")}`;
  }
  return settings;
}

/** Keeps out what the machine and its users have configured. */
function isolated(home: string): Record<string, string> {
  return {
    HOME: home,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_ATTR_NOSYSTEM: "1",
  };
}

/** For commands that stay inside a repository that was fetched. */
export function localEnvironment(home: string): Record<string, string> {
  return cleanEnvironment({ ...isolated(home), GIT_ALLOW_PROTOCOL: "none", ...asVariables(SETTINGS) });
}

/** Settings travel in the environment: a token in an argument would be visible to other users. */
function asVariables(settings: Record<string, string>): Record<string, string> {
  const env: Record<string, string> = { GIT_CONFIG_COUNT: String(Object.keys(settings).length) };
  for (const [index, [key, value]] of Object.entries(settings).entries()) {
    env[`GIT_CONFIG_KEY_${index}`] = key;
    env[`GIT_CONFIG_VALUE_${index}`] = value;
  }
  return env;
}

/** For commands that connect. */
export function remoteEnvironment(
  home: string,
  settings: Record<string, string>,
  transport: Transport,
): Record<string, string> {
  return cleanEnvironment(
    {
      ...isolated(home),
      XDG_CONFIG_HOME: home,
      GIT_TERMINAL_PROMPT: "0",
      GIT_ASKPASS: "true",
      SSH_ASKPASS: "true",
      GIT_ALLOW_PROTOCOL: transport,
      GIT_LFS_SKIP_SMUDGE: "1",
      GIT_SSH_COMMAND: SSH_COMMAND,
      GIT_SSH_VARIANT: "ssh",
      GIT_OPTIONAL_LOCKS: "0",
      GIT_NO_REPLACE_OBJECTS: "1",
      ...asVariables(settings),
    },
    ["SSH_AUTH_SOCK"],
  );
}
