import { BlockList, isIP } from "node:net";

const local = new BlockList();
for (const [net, prefix] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["224.0.0.0", 3],
] as const) {
  local.addSubnet(net, prefix, "ipv4");
}
for (const [net, prefix] of [
  ["::", 128],
  ["::1", 128],
  ["fc00::", 7],
  ["fe80::", 10],
  ["ff00::", 8],
] as const) {
  local.addSubnet(net, prefix, "ipv6");
}

/** Whether an address is this machine, its neighbourhood or nowhere at all, in any of its writings. */
export function isLocalAddress(address: string): boolean {
  const version = isIP(address);
  if (version === 0) return true;
  if (version === 4) return local.check(address, "ipv4");
  const canonical = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  // IPv4 inside IPv6: mapped, translated (NAT64) and 6to4.
  const embedded = /^(?:::ffff:|::|64:ff9b::)([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical);
  const sixToFour = /^2002:([0-9a-f]{1,4}):([0-9a-f]{1,4})(?::|$)/.exec(canonical);
  const inner = embedded ?? sixToFour;
  if (inner) {
    const high = Number.parseInt(inner[1] ?? "0", 16);
    const low = Number.parseInt(inner[2] ?? "0", 16);
    if (local.check(`${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`, "ipv4")) return true;
  }
  return local.check(canonical, "ipv6");
}
