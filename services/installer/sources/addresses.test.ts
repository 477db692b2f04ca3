import { describe, expect, test } from "bun:test";
import { allowedAddresses, assertReach } from "./addresses.js";

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
