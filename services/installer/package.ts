/** What a folder that is to be installed says about itself, without running any of it. */

import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { CALLS_ALL, MANIFEST_KEYS, manifestKey, permissionName } from "../../src/broker/index.js";
import { messageOf } from "../../src/core/errors.js";
import { isObject, type JsonObject } from "../../src/core/objects.js";
import { MAX_MANIFEST, readRegularFile } from "../../src/core/regular-file.js";
import { InstallError } from "./errors.js";
import { permissionsOf } from "./permissions.js";

export interface PackageFacts {
  /** A folder with an `index.ts`, or one whose `package.json` declares callable services. */
  kind: "service" | "plugin";
  /** What the manifest asks for, one line each, sorted; see permissions.ts. */
  permissions: string[];
  /** Packages that must be installed, with their version ranges. */
  dependencies: Record<string, string>;
  optionalDependencies: Record<string, string>;
}

function refuse(why: string): InstallError {
  return new InstallError(400, "check", why);
}

/** @throws InstallError with status 400 when the folder is neither a service nor a plugin, or its manifest is wrong. */
export function inspectPackage(dir: string): PackageFacts {
  const json = readPackageJson(dir);
  // What declares no callable services may still say something of itself.
  const key = manifestKey(json) ?? MANIFEST_KEYS.find((name) => isObject(json[name]));
  const manifest = key === undefined ? undefined : (json[key] as JsonObject);
  const isService = statSync(join(dir, "index.ts"), { throwIfNoEntry: false })?.isFile() ?? false;
  if (!isService && !Array.isArray(manifest?.services)) {
    throw refuse(
      'no index.ts and no package.json that declares services; if it is in a subfolder, add "//folder" to the source.',
    );
  }
  return {
    kind: isService ? "service" : "plugin",
    permissions: permissionsOf(key === CALLS_ALL ? withCalls(manifest?.permissions) : manifest?.permissions),
    dependencies: versionsOf(json, "dependencies"),
    optionalDependencies: versionsOf(json, "optionalDependencies"),
  };
}

/** With the permission that the broker gives to plugins of this format, unless they declare it themselves. */
function withCalls(permissions: unknown = []): unknown {
  if (!Array.isArray(permissions)) return permissions;
  const nameOf = (entry: unknown) => (typeof entry === "string" ? entry : Object(entry).permission);
  const declares = permissions.some((entry) => permissionName(String(nameOf(entry))) === "service:call");
  return declares ? permissions : [...permissions, { permission: "service:call", allow: ["*"] }];
}

function readPackageJson(dir: string): JsonObject {
  const path = join(dir, "package.json");
  if (!existsSync(path)) return {};
  let text: string;
  try {
    text = readRegularFile(path, MAX_MANIFEST);
  } catch (error) {
    throw refuse(`package.json ${messageOf(error)}.`);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw refuse(`package.json is not valid JSON: ${messageOf(error)}`);
  }
  if (!isObject(json)) throw refuse("package.json must be an object.");
  return json;
}

const PACKAGE_NAME = /^(@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/;
const RANGE = /^(npm:(@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*@)?[A-Za-z0-9.*^~<>=| +-]*$/;

/** Version ranges and tags only: a path or URL would fetch from, or read, anywhere. */
function versionsOf(
  json: JsonObject,
  field: "dependencies" | "optionalDependencies",
): Record<string, string> {
  const declared = json[field] ?? {};
  if (!isObject(declared)) throw refuse(`${field} in package.json must be an object.`);
  const versions: Record<string, string> = {};
  for (const [name, range] of Object.entries(declared)) {
    if (name.length > 200 || !PACKAGE_NAME.test(name)) {
      throw refuse(`${JSON.stringify(name.slice(0, 80))} in ${field} is not a valid package name.`);
    }
    if (typeof range !== "string" || range.length > 200 || !RANGE.test(range)) {
      const shown = JSON.stringify(String(range).slice(0, 80));
      throw refuse(`${field} requests ${name} from ${shown}; only version ranges and tags are allowed.`);
    }
    versions[name] = range;
  }
  return versions;
}
