/** Classifies IP addresses as loopback, private or public. All decisions about where to connect rely on it. */
import { BlockList, isIP } from "node:net";

/** `loopback`: this machine. `private`: not publicly routable, or not an address at all. `public`: the Internet. */
export type Reach = "loopback" | "private" | "public";

/** IPv4 ranges that are not public: special-purpose, multicast and reserved. */
const PRIVATE_4 = blockList("ipv4", [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
]);

/** The globally routable part of IPv6. Everything outside it is not public. */
const GLOBAL_6 = blockList("ipv6", [["2000::", 3]]);

/** Special-purpose ranges inside it: protocol assignments, tunnels such as Teredo and 6to4, documentation. */
const PRIVATE_6 = blockList("ipv6", [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
]);

function blockList(family: "ipv4" | "ipv6", nets: readonly [net: string, prefix: number][]): BlockList {
  const list = new BlockList();
  for (const [net, prefix] of nets) list.addSubnet(net, prefix, family);
  return list;
}

/**
 * Classifies an IP address by the IANA special-purpose registries. An IPv4-mapped IPv6 address is classified as
 * its IPv4 address. Other addresses that embed an IPv4 one (6to4, NAT64, Teredo), addresses with a zone, and
 * anything that is not a canonical IP address, such as `0x7f.1` or a name, count as `private`.
 *
 * @example
 * reachOf("127.0.0.1"); // "loopback"
 * reachOf("::ffff:10.0.0.1"); // "private"
 * reachOf("1.1.1.1"); // "public"
 */
export function reachOf(address: string): Reach {
  const family = isIP(address);
  if (family === 4) return reachOfIPv4(address);
  if (family !== 6) return "private";
  const canonical = URL.parse(`http://[${address}]/`)?.hostname.slice(1, -1);
  // URLs cannot contain a zone.
  if (canonical === undefined) return "private";
  if (canonical === "::1") return "loopback";
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical);
  if (mapped) return reachOfIPv4(dotted(mapped[1] as string, mapped[2] as string));
  return GLOBAL_6.check(canonical, "ipv6") && !PRIVATE_6.check(canonical, "ipv6") ? "public" : "private";
}

function reachOfIPv4(address: string): Reach {
  if (address.startsWith("127.")) return "loopback";
  return PRIVATE_4.check(address, "ipv4") ? "private" : "public";
}

function dotted(high: string, low: string): string {
  const [left, right] = [Number.parseInt(high, 16), Number.parseInt(low, 16)];
  return [left >> 8, left & 255, right >> 8, right & 255].join(".");
}
