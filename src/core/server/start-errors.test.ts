import { describe, expect, test } from "bun:test";
import { ConfigError } from "../config.js";
import { dataDirError, listenError, lockFileError } from "./start-errors.js";

const failure = (code: string, message = `${code}: as the system says`) =>
  Object.assign(new Error(message), { code });

describe("an address that cannot be listened on", () => {
  test.each([
    ["EADDRINUSE", /^PORT is 3000, which is in use on ::1; .* another port/],
    ["EACCES", /^PORT is 3000, which this user may not listen on; use a port from 1024 up/],
    ["EADDRNOTAVAIL", /^REEF_HOST is "::1", which is not an address of this machine; use an address/],
    ["ENOTFOUND", /^REEF_HOST is "::1", which cannot be used \(ENOTFOUND: as the system says\); use an/],
  ])("%s", (code, message) => {
    const error = listenError(failure(code), "::1", 3000);
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toMatch(message);
  });

  test.each(["EEXIST", "EINVAL", "ENOENT"])(
    "a name that leads nowhere, whatever the system says: %s",
    (code) => {
      expect(listenError(failure(code), "nope.invalid", 3000).message).toBe(
        'REEF_HOST is "nope.invalid", which is not an address of this machine; use an address of this machine, such as 127.0.0.1, or 0.0.0.0 for all addresses.',
      );
    },
  );

  test("is told in one line, whatever the host and the reason contain", () => {
    expect(listenError(new Error("two\nlines"), "a\nb", 1).message).not.toContain("\n");
  });
});

test.each([
  ["EEXIST", "where a file is in the way"],
  ["ENOTDIR", "where a file is in the way"],
  ["EACCES", "which cannot be used (EACCES: as the system says)"],
  ["EROFS", "which cannot be used (EROFS: as the system says)"],
  ["SQLITE_CANTOPEN", "which cannot be used (SQLITE_CANTOPEN: as the system says)"],
])("a data folder that fails with %s", (code, reason) => {
  const error = dataDirError(failure(code), "/srv/reef");
  expect(error).toBeInstanceOf(ConfigError);
  expect(error.message).toBe(
    `REEF_DATA_DIR is "/srv/reef", ${reason}; use a folder that Reef can write to or create.`,
  );
});

test("a lock that cannot be used is named, with the folder and what to do", () => {
  const error = lockFileError(failure("SQLITE_CANTOPEN"), "/srv/reef", "/srv/reef/.reef/lock.sqlite");
  expect(error).toBeInstanceOf(ConfigError);
  expect(error.message).toBe(
    'REEF_DATA_DIR is "/srv/reef", where the lock /srv/reef/.reef/lock.sqlite cannot be used (SQLITE_CANTOPEN: as the system says); use a folder that Reef can write to, or delete that file: it is not needed while no server is running.',
  );
});
