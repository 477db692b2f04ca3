import { afterEach, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { Sandbox } from "../../../tests/support/sandbox.js";
import { makeRoom, putBack, removeLink } from "./displaced.js";

const sandbox = new Sandbox();
const at = (path: string) => join(sandbox.root, path);
afterEach(() => sandbox.remove());

test("what gave way has its place again, without the files that took it; what else came there is kept aside", () => {
  sandbox.write("lib/.env", "secret");
  mkdirSync(at("empty/deep"), { recursive: true });
  symlinkSync("elsewhere", at("link"));
  const gaveWay = [...makeRoom(at("lib")), ...makeRoom(at("empty")), ...makeRoom(at("nothing"))];
  gaveWay.push(removeLink(at("link"), [at("link/data/x.ts"), at("link/y.ts")]));
  const shown = readdirSync(sandbox.root).filter((name) => !name.startsWith("."));
  expect(shown.sort()).toEqual(["data", "services"]);
  sandbox.write("lib", "file");
  for (const file of ["link/data/x.ts", "link/y.ts", "link/.cache"]) sandbox.write(file, "new");
  const [room, ...others] = putBack(gaveWay);
  expect(readFileSync(at("lib/.env"), "utf8")).toBe("secret");
  expect(readlinkSync(at("link"))).toBe("elsewhere");
  expect(others).toEqual([]);
  expect(room?.aside).toStartWith(at(".link.replaced-"));
  expect(readdirSync(room?.aside ?? "").sort()).toEqual([".cache", "data"]);
  expect(readdirSync(join(room?.aside ?? "", "data"))).toEqual([]);
});
