/** A copy of the services that ship with Reef, in a sandbox: they can be changed there without harm. */
import { cpSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { Sandbox } from "./sandbox.js";

const root = resolve(import.meta.dir, "..", "..");

/** Copies `services/` with the examples in it. The packages are those of this checkout. */
export function copyOfServices(): Sandbox {
  const sandbox = new Sandbox();
  cpSync(join(root, "services"), sandbox.servicesDir, { recursive: true, dereference: true });
  symlinkSync(join(root, "node_modules"), join(sandbox.root, "node_modules"));
  symlinkSync(join(root, "src"), join(sandbox.root, "src"));
  return sandbox;
}
