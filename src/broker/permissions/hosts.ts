/** Host patterns of network permissions. */
import { isIP } from "node:net";

/** A network endpoint: a canonical host name or address, and a port. */
export interface Endpoint {
  host: string;
  port: number;
}

/** A host rule: `example.org`, `*.example.org`, `*` or an address, each with an optional `:port`. */
export interface HostPattern {
  readonly source: string;
  /** The name or address without a leading `*.`; empty for `*`. */
  readonly host: string;
  readonly kind: "exact" | "subdomains" | "every";
  readonly port: number | null;
}

const NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/;
const DEFAULT_PORTS: Record<string, number> = { http: 80, ws: 80, https: 443, wss: 443 };

/**
 * The canonical form of a host, as in a URL (lower case, punycode, normalised address, no trailing dot); `null`
 * when it is invalid.
 */
export function canonicalHost(text: string): string | null {
  const bare = text.replace(/^\[(.*)\]$/s, "$1");
  if (isIP(bare) === 6) return withoutMapping(new URL(`http://[${bare}]/`).hostname.slice(1, -1));
  if (!URL.canParse(`http://${bare}/`)) return null;
  const url = new URL(`http://${bare}/`);
  const host = url.hostname.replace(/\.$/, "");
  if (url.username !== "" || url.port !== "" || url.pathname !== "/" || url.search !== "") return null;
  return isIP(host) !== 0 || NAME.test(host) ? host : null;
}

/** Converts IPv4-mapped IPv6 addresses to IPv4, since they reach the same machine and must match the same rules. */
function withoutMapping(address: string): string {
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(address);
  if (!mapped) return address;
  const [high = 0, low = 0] = mapped.slice(1).map((part) => Number.parseInt(part, 16));
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

/**
 * Parses a rule. Throws an `Error` that explains what is wrong with it.
 *
 * @example
 * parseHostPattern("https://*.example.org").source; // "*.example.org:443"
 */
export function parseHostPattern(source: string): HostPattern {
  const url = /^([a-z]+|\*):\/\/([^/]*)(\/.*)?$/i.exec(source);
  let authority = source;
  let port: number | null = null;
  if (url) {
    const [, scheme = "", rest = "", path = "/"] = url;
    if (!["/", "/*", "/**"].includes(path))
      throw new Error(`only hosts can be enforced, not the path "${path}"`);
    if (scheme !== "*" && !(scheme.toLowerCase() in DEFAULT_PORTS))
      throw new Error(`unknown scheme "${scheme}"`);
    port = DEFAULT_PORTS[scheme.toLowerCase()] ?? null;
    authority = rest;
  }
  const withPort = /^(\[[^\]]*\]|[^:]*):(\d{1,5}|\*)$/.exec(authority);
  if (withPort) {
    authority = withPort[1] ?? "";
    port = withPort[2] === "*" ? null : Number(withPort[2]);
    if (port !== null && (port < 1 || port > 65_535)) throw new Error(`invalid port: ${port}`);
  }
  if (authority === "*" || authority === "**")
    return { source: render("*", port), host: "", kind: "every", port };
  const kind = authority.startsWith("*.") ? "subdomains" : "exact";
  const host = canonicalHost(kind === "subdomains" ? authority.slice(2) : authority);
  if (host === null || host.includes("*") || (kind === "subdomains" && isIP(host) !== 0)) {
    throw new Error(`"${source}" is not a host, "*.domain" or "*"`);
  }
  const shown = isIP(host) === 6 ? `[${host}]` : host;
  return { source: render(kind === "subdomains" ? `*.${shown}` : shown, port), host, kind, port };
}

function render(host: string, port: number | null): string {
  return port === null ? host : `${host}:${port}`;
}

/** Whether a rule matches an endpoint. A `*.` rule matches subdomains of any depth, not the domain itself. */
export function matchesHost(pattern: HostPattern, endpoint: Endpoint): boolean {
  if (pattern.port !== null && pattern.port !== endpoint.port) return false;
  if (pattern.kind === "every") return true;
  if (pattern.kind === "exact") return endpoint.host === pattern.host;
  return endpoint.host.endsWith(`.${pattern.host}`) && isIP(endpoint.host) === 0;
}

/** Parses `host:port`, `[v6]:port` or a URL; `null` when it is invalid. */
export function parseEndpoint(text: string, defaultPort = 443): Endpoint | null {
  const match = /^(\[[^\]]*\]|[^:/]*)(?::(\d{1,5}))?$/.exec(text);
  if (!match) {
    if (!URL.canParse(text)) return null;
    const url = new URL(text);
    const port = url.port === "" ? DEFAULT_PORTS[url.protocol.slice(0, -1)] : Number(url.port);
    const host = canonicalHost(url.hostname);
    return host === null || port === undefined ? null : { host, port };
  }
  const host = canonicalHost(match[1] ?? "");
  const port = match[2] === undefined ? defaultPort : Number(match[2]);
  return host === null || port < 1 || port > 65_535 ? null : { host, port };
}
