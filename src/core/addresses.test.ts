import { describe, expect, test } from "bun:test";
import { type Reach, reachOf } from "./addresses.js";

type Row = readonly [range: string, first: string, last: string, reach: Reach];

/** The IANA IPv4 Special-Purpose Address Registry, and multicast. */
const IPV4: Row[] = [
  ["this network", "0.0.0.0", "0.255.255.255", "private"],
  ["private use, 10/8", "10.0.0.0", "10.255.255.255", "private"],
  ["shared address space", "100.64.0.0", "100.127.255.255", "private"],
  ["loopback", "127.0.0.0", "127.255.255.255", "loopback"],
  ["link local, with the metadata of clouds", "169.254.0.0", "169.254.255.255", "private"],
  ["private use, 172.16/12", "172.16.0.0", "172.31.255.255", "private"],
  ["protocol assignments", "192.0.0.0", "192.0.0.255", "private"],
  ["TEST-NET-1", "192.0.2.0", "192.0.2.255", "private"],
  ["AS112-v4", "192.31.196.0", "192.31.196.255", "public"],
  ["AMT", "192.52.193.0", "192.52.193.255", "public"],
  ["6to4 relay anycast", "192.88.99.0", "192.88.99.255", "private"],
  ["private use, 192.168/16", "192.168.0.0", "192.168.255.255", "private"],
  ["direct delegation AS112", "192.175.48.0", "192.175.48.255", "public"],
  ["benchmarking", "198.18.0.0", "198.19.255.255", "private"],
  ["TEST-NET-2", "198.51.100.0", "198.51.100.255", "private"],
  ["TEST-NET-3", "203.0.113.0", "203.0.113.255", "private"],
  ["multicast", "224.0.0.0", "239.255.255.255", "private"],
  ["reserved", "240.0.0.0", "255.255.255.254", "private"],
  ["limited broadcast", "255.255.255.255", "255.255.255.255", "private"],
];

const F = "ffff:ffff:ffff:ffff";

/** The IANA IPv6 Special-Purpose Address Registry, multicast, and what is no longer or not yet handed out. */
const IPV6: Row[] = [
  ["unspecified", "::", "::", "private"],
  ["loopback", "::1", "::1", "loopback"],
  ["IPv4-compatible", "::2", "::ffff:ffff", "private"],
  ["IPv4-translated", "::ffff:0:0:0", "::ffff:0:ffff:ffff", "private"],
  ["NAT64", "64:ff9b::", "64:ff9b::ffff:ffff", "private"],
  ["local NAT64", "64:ff9b:1::", `64:ff9b:1:ffff:${F}`, "private"],
  ["discard only", "100::", `100::${F}`, "private"],
  ["dummy prefix", "100:0:0:1::", `100:0:0:1:${F}`, "private"],
  ["below what is handed out", "200::", `1fff:ffff:ffff:ffff:${F}`, "private"],
  ["Teredo", "2001::", `2001:0:ffff:ffff:${F}`, "private"],
  ["PCP anycast", "2001:1::1", "2001:1::1", "private"],
  ["TURN anycast", "2001:1::2", "2001:1::2", "private"],
  ["DNS-SD anycast", "2001:1::3", "2001:1::3", "private"],
  ["benchmarking", "2001:2::", `2001:2:0:ffff:${F}`, "private"],
  ["AMT", "2001:3::", `2001:3:ffff:ffff:${F}`, "private"],
  ["AS112-v6", "2001:4:112::", `2001:4:112:ffff:${F}`, "private"],
  ["ORCHID", "2001:10::", `2001:1f:ffff:ffff:${F}`, "private"],
  ["ORCHIDv2", "2001:20::", `2001:2f:ffff:ffff:${F}`, "private"],
  ["drone remote identification", "2001:30::", `2001:3f:ffff:ffff:${F}`, "private"],
  ["protocol assignments", "2001::", `2001:1ff:ffff:ffff:${F}`, "private"],
  ["documentation, 2001:db8", "2001:db8::", `2001:db8:ffff:ffff:${F}`, "private"],
  ["6to4", "2002::", `2002:ffff:ffff:ffff:${F}`, "private"],
  ["direct delegation AS112", "2620:4f:8000::", `2620:4f:8000:ffff:${F}`, "public"],
  ["documentation, 3fff", "3fff::", `3fff:fff:ffff:ffff:${F}`, "private"],
  ["above what is handed out", "4000::", `5eff:ffff:ffff:ffff:${F}`, "private"],
  ["segment routing", "5f00::", `5f00:ffff:ffff:ffff:${F}`, "private"],
  ["unique local", "fc00::", `fdff:ffff:ffff:ffff:${F}`, "private"],
  ["below link local", "fe00::", `fe7f:ffff:ffff:ffff:${F}`, "private"],
  ["link local", "fe80::", `febf:ffff:ffff:ffff:${F}`, "private"],
  ["site local", "fec0::", `feff:ffff:ffff:ffff:${F}`, "private"],
  ["multicast", "ff00::", `ffff:ffff:ffff:ffff:${F}`, "private"],
];

describe("the first and the last address of a special range", () => {
  test.each(IPV4)("%s: %s to %s is %s", (_range, first, last, reach) => {
    expect([first, last].map(reachOf)).toEqual([reach, reach]);
  });

  test.each(IPV6)("%s: %s to %s is %s", (_range, first, last, reach) => {
    expect([first, last].map(reachOf)).toEqual([reach, reach]);
  });
});

test.each([
  "1.0.0.0",
  "1.1.1.1",
  "8.8.8.8",
  "9.255.255.255",
  "11.0.0.0",
  "100.63.255.255",
  "100.128.0.0",
  "126.255.255.255",
  "128.0.0.0",
  "169.253.255.255",
  "169.255.0.0",
  "172.15.255.255",
  "172.32.0.0",
  "191.255.255.255",
  "192.0.1.0",
  "192.0.3.0",
  "192.88.98.255",
  "192.88.100.0",
  "192.167.255.255",
  "192.169.0.0",
  "198.17.255.255",
  "198.20.0.0",
  "198.51.99.255",
  "198.51.101.0",
  "203.0.112.255",
  "203.0.114.0",
  "223.255.255.255",
  "2000::",
  "2001:200::",
  `2001:db7:ffff:ffff:${F}`,
  "2001:db9::",
  "2003::",
  "2606:4700::1111",
  `3ffe:ffff:ffff:ffff:${F}`,
  "3fff:1000::",
  `3fff:ffff:ffff:ffff:${F}`,
])("%s beside them is public", (address) => {
  expect(reachOf(address)).toBe("public");
});

describe("an IPv4 address inside of IPv6", () => {
  test.each(IPV4)("mapped is judged as itself: %s, %s to %s is %s", (_range, first, last, reach) => {
    expect([`::ffff:${first}`, `::FFFF:${last}`].map(reachOf)).toEqual([reach, reach]);
  });

  test.each([
    ["::ffff:7f00:1", "loopback"],
    ["0:0:0:0:0:ffff:7f00:0001", "loopback"],
    ["0000:0000:0000:0000:0000:ffff:127.0.0.1", "loopback"],
    ["::ffff:a9fe:a9fe", "private"],
    ["::ffff:0:1", "private"],
    ["::ffff:808:808", "public"],
  ] as const)("mapped in other writings: %s is %s", (address, reach) => {
    expect(reachOf(address)).toBe(reach);
  });

  test.each([
    ["compatible", "::127.0.0.1"],
    ["compatible", "::8.8.8.8"],
    ["translated", "::ffff:0:8.8.8.8"],
    ["NAT64", "64:ff9b::127.0.0.1"],
    ["NAT64", "64:ff9b::8.8.8.8"],
    ["NAT64", "64:FF9B:0:0:0:0:7f00:1"],
    ["local NAT64", "64:ff9b:1::10.0.0.1"],
    ["local NAT64", "64:ff9b:1:7f00:0:100::"],
    ["6to4", "2002:7f00:1::"],
    ["6to4", "2002:808:808::1"],
    ["Teredo", "2001:0:4136:e378:8000:63bf:3fff:fdd2"],
  ])("%s is never public: %s", (_kind, address) => {
    expect(reachOf(address)).toBe("private");
  });
});

test.each([
  ["0:0:0:0:0:0:0:1", "loopback"],
  ["0000:0000:0000:0000:0000:0000:0000:0001", "loopback"],
  ["::0.0.0.1", "loopback"],
  ["FE80::1", "private"],
  ["2606:4700:0:0:0:0:0:1111", "public"],
] as const)("%s is %s, however it is written", (address, reach) => {
  expect(reachOf(address)).toBe(reach);
});

test.each([
  ["decimal", "2130706433"],
  ["octal", "0177.0.0.1"],
  ["a leading zero", "010.0.0.1"],
  ["hexadecimal", "0x7f000001"],
  ["hexadecimal parts", "0x8.0x8.0x8.0x8"],
  ["too few parts", "127.1"],
  ["too many parts", "8.8.8.8.8"],
  ["a part too large", "8.8.8.256"],
  ["an octal part in IPv6", "::ffff:0127.0.0.1"],
  ["brackets", "[2606:4700::1111]"],
  ["a zone", "fe80::1%eth0"],
  ["a zone behind a public address", "2606:4700::1111%eth0"],
  ["a zone behind loopback", "::1%lo"],
  ["a zone behind IPv4", "8.8.8.8%eth0"],
  ["a prefix", "8.8.8.8/32"],
  ["a port", "8.8.8.8:80"],
  ["a space", " 8.8.8.8"],
  ["a line end", "8.8.8.8\n"],
  ["a NUL character", "8.8.8.8\0"],
  ["full-width digits", "８.８.８.８"],
  ["a name", "example.org"],
  ["nothing", ""],
])("what is no plainly written address is not public: %s, %p", (_what, address) => {
  expect(reachOf(address)).toBe("private");
});
