import { describe, expect, test } from "bun:test";
import { allowedAddresses, assertReach, reachOf } from "./addresses.js";

describe("reachOf", () => {
  test.each([
    ["127.0.0.1", "loopback"],
    ["127.255.255.254", "loopback"],
    ["::1", "loopback"],
    ["::ffff:127.0.0.1", "loopback"],
    ["::ffff:7f00:1", "loopback"],
    ["0.0.0.0", "private"],
    ["10.1.2.3", "private"],
    ["100.64.0.1", "private"],
    ["169.254.169.254", "private"],
    ["172.16.0.1", "private"],
    ["172.31.255.255", "private"],
    ["192.168.1.1", "private"],
    ["198.18.0.1", "private"],
    ["224.0.0.1", "private"],
    ["255.255.255.255", "private"],
    ["::", "private"],
    ["::ffff:169.254.169.254", "private"],
    ["::ffff:a9fe:a9fe", "private"],
    ["64:ff9b::7f00:1", "private"],
    ["2002:7f00:1::", "private"],
    ["fc00::1", "private"],
    ["fd12:3456::1", "private"],
    ["fe80::1", "private"],
    ["fe80::1%eth0", "private"],
    ["ff02::1", "private"],
    ["not an address", "private"],
    ["8.8.8.8", "public"],
    ["172.32.0.1", "public"],
    ["2606:4700::1111", "public"],
    ["::ffff:8.8.8.8", "public"],
  ] as const)("%s is %s", (address, reach) => {
    expect(reachOf(address)).toBe(reach);
  });
});

describe("what the operator has not allowed", () => {
  test.each([
    ["127.0.0.1", true, [], "REEF_INSTALL_ALLOW=loopback"],
    ["127.0.0.1", false, ["loopback"], undefined],
    ["127.0.0.1", false, ["private"], undefined],
    ["10.0.0.1", true, ["loopback"], "REEF_INSTALL_ALLOW=private"],
    ["10.0.0.1", false, ["private"], undefined],
    ["8.8.8.8", true, [], undefined],
    ["8.8.8.8", false, ["private"], "REEF_INSTALL_ALLOW=http"],
    ["8.8.8.8", false, ["http"], undefined],
  ] as const)("%s encrypted=%p with %p", (address, encrypted, allowed, message) => {
    const check = () => assertReach(address, encrypted, new Set(allowed));
    if (message === undefined) expect(check).not.toThrow();
    else expect(check).toThrow(message);
  });

  test("a name is judged by what it stands for", async () => {
    const asked = allowedAddresses("localhost", true, new Set());
    await expect(asked).rejects.toThrow("REEF_INSTALL_ALLOW=loopback");
    expect(await allowedAddresses("localhost", true, new Set(["loopback"]))).not.toBeEmpty();
  });
});
