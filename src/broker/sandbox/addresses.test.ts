import { describe, expect, test } from "bun:test";
import { isLocalAddress } from "./addresses.js";

describe("addresses of this machine and its neighbourhood", () => {
  for (const address of [
    "127.0.0.1",
    "127.9.9.9",
    "0.0.0.0",
    "10.1.2.3",
    "172.31.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "0:0:0:0:0:0:0:1",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "fe80::1",
    "fd00::1",
    "ff02::1",
    "no address",
  ]) {
    test(address, () => expect(isLocalAddress(address)).toBe(true));
  }

  for (const address of ["1.1.1.1", "172.32.0.1", "192.169.0.1", "2606:4700::1111", "::ffff:1.1.1.1"]) {
    test(`not ${address}`, () => expect(isLocalAddress(address)).toBe(false));
  }
});
