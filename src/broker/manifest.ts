/** Reads and validates the manifests of plugins. */
import { realpathSync, statSync } from "node:fs";
import { join, sep } from "node:path";
import { messageOf } from "../core/errors.js";
import { isObject, type JsonObject } from "../core/objects.js";
import { MAX_MANIFEST, readRegularFile } from "../core/regular-file.js";
import { systemErrorCode } from "../core/storage-error.js";
import type { CodeCopy } from "./code-copies.js";
import { ManifestError } from "./errors.js";
import { refuseEscapingLinks } from "./links.js";
import { normalisePermissions } from "./permissions/normalise.js";
import { pathAliases, realPathAsFarAsPossible } from "./permissions/paths.js";
import { canonical, type PermissionSet } from "./permissions/set.js";
import { type CompiledSchema, compileSchema, SchemaError } from "./schema.js";

/** A declared method. */
export interface MethodManifest {
  name: string;
  description: string;
  input: CompiledSchema;
  output: CompiledSchema;
}

/** A declared service. */
export interface ServiceManifest {
  name: string;
  description: string;
  /** The real path of its main file. */
  main: string;
  mode: (typeof SERVICE_MODES)[number];
  methods: ReadonlyMap<string, MethodManifest>;
}

/** A validated plugin folder. */
export interface PluginManifest {
  id: string;
  name: string;
  version: string;
  description: string;
  /** The folder's real path. */
  root: string;
  /** The folder for its own data. */
  support: string;
  /** The key of `package.json` that contains the manifest. */
  key: (typeof MANIFEST_KEYS)[number];
  permissions: PermissionSet;
  services: ReadonlyMap<string, ServiceManifest>;
}

/** A plugin with a copy of its code from when its manifest was read. */
export interface LoadedPlugin extends PluginManifest {
  code: CodeCopy;
}

/** The keys of `package.json` that may contain a manifest; the first one present counts. */
export const MANIFEST_KEYS = ["reef", "kunkun"] as const;
/** Supported service modes; all run as a process without a user interface. */
const SERVICE_MODES = ["node-headless", "bun-headless"] as const;

/** The default caller. Plugins may not use this name. */
export const OPERATOR_ID = "operator";

const IDENTIFIER = /^(?:@[a-z0-9][\w.-]*\/)?[a-z0-9][\w.-]{0,127}$/i;
const NAME = /^[a-z][\w-]{0,63}$/i;

/** Reads the `package.json` of a folder; `null` when it is missing or declares no plugin. */
export function findManifest(
  folder: string,
): { key: (typeof MANIFEST_KEYS)[number]; json: JsonObject } | null {
  const file = join(folder, "package.json");
  let text: string;
  try {
    text = readRegularFile(file, MAX_MANIFEST);
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(systemErrorCode(error))) return null;
    throw new ManifestError("package.json", messageOf(error), file);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new ManifestError("package.json", `is not JSON: ${messageOf(error)}`, file);
  }
  if (!isObject(json)) throw new ManifestError("package.json", "must be an object", file);
  const key = manifestKey(json);
  return key === undefined ? null : { key, json };
}

/** The key under which a `package.json` declares callable services; undefined when it does not. */
export function manifestKey(json: JsonObject): (typeof MANIFEST_KEYS)[number] | undefined {
  return MANIFEST_KEYS.find(
    (name) => isObject(json[name]) && (json[name] as JsonObject).services !== undefined,
  );
}

/**
 * Reads only the identifier of a plugin.
 *
 * @throws ManifestError that names the field.
 */
export function readIdentifier(folder: string): string {
  return readDeclaration(realpathSync(folder)).id;
}

/** The declaration in a `package.json`, with a validated identifier. */
interface Declaration {
  file: string;
  key: (typeof MANIFEST_KEYS)[number];
  json: JsonObject;
  declared: JsonObject;
  id: string;
}

function readDeclaration(root: string): Declaration {
  const file = join(root, "package.json");
  const found = findManifest(root);
  if (!found) {
    throw new ManifestError(MANIFEST_KEYS.join(" or "), "must declare services", file);
  }
  const { key, json } = found;
  const declared = json[key] as JsonObject;
  const idField = declared.identifier === undefined ? "name" : `${key}.identifier`;
  const id = declared.identifier ?? json.name;
  if (typeof id !== "string" || !IDENTIFIER.test(id) || id.includes("__")) {
    throw new ManifestError(
      idField,
      `identifies the plugin; it must consist of letters, digits, ".", "-" and "_", without "__"`,
      file,
    );
  }
  if (id.toLowerCase() === OPERATOR_ID) {
    throw new ManifestError(idField, `"${id}" is reserved for callers with the operator's token`, file);
  }
  return { file, key, json, declared, id };
}

/**
 * Reads and validates the plugin in a folder. `supportFolder` maps its identifier to the folder for its data
 * (`$EXTENSION_SUPPORT`).
 *
 * @throws ManifestError that names the field.
 */
export function readManifest(folder: string, supportFolder: (pluginId: string) => string): PluginManifest {
  const root = realpathSync(folder);
  const { file, key, json, declared, id } = readDeclaration(root);
  const support = supportFolder(id);
  try {
    refuseEscapingLinks(root);
    const aliases = pathAliases(root, support);
    const declaredPermissions = normalisePermissions(declared.permissions, aliases, `${key}.permissions`);
    return {
      id,
      name: text(declared.name ?? json.name ?? id, `${key}.name`),
      version: text(json.version ?? "0.0.0", "version"),
      description: text(
        declared.shortDescription ?? declared.description ?? json.description ?? "",
        "description",
      ),
      root,
      support: realPathAsFarAsPossible(support),
      key,
      permissions: key === CALLS_ALL ? withCallPermission(declaredPermissions) : declaredPermissions,
      services: readServices(declared.services, `${key}.services`, root),
    };
  } catch (error) {
    if (error instanceof ManifestError) throw new ManifestError(error.field, error.problem, file);
    throw error;
  }
}

/**
 * The key of a manifest format without a permission for calling others: its plugins may call all, within the
 * common permissions.
 */
export const CALLS_ALL = "kunkun";

function withCallPermission(permissions: PermissionSet): PermissionSet {
  if (permissions["service:call"]) return permissions;
  return canonical([...Object.entries(permissions), ["service:call", { allow: [["*"]], deny: [] }]]);
}

function text(value: unknown, field: string): string {
  if (typeof value !== "string") throw new ManifestError(field, "must be a string");
  return value;
}

function readName(value: unknown, field: string, what: string): string {
  if (typeof value !== "string" || !NAME.test(value) || value.includes("__")) {
    throw new ManifestError(
      field,
      `names ${what}; it must start with a letter, followed by letters, digits, "-" and "_", without "__"`,
    );
  }
  return value;
}

function readServices(raw: unknown, field: string, root: string): Map<string, ServiceManifest> {
  if (!Array.isArray(raw) || raw.length === 0) {
    throw new ManifestError(field, "must list at least one service that others can call");
  }
  const services = new Map<string, ServiceManifest>();
  for (const [index, entry] of raw.entries()) {
    const at = `${field}[${index}]`;
    if (!isObject(entry)) throw new ManifestError(at, "must be an object with name, main and methods");
    const name = readName(entry.name, `${at}.name`, "the service to its callers");
    if (services.has(name)) throw new ManifestError(`${at}.name`, `"${name}" is declared twice`);
    const mode = entry.serviceMode ?? SERVICE_MODES[0];
    if (!SERVICE_MODES.includes(mode as (typeof SERVICE_MODES)[number])) {
      throw new ManifestError(`${at}.serviceMode`, `must be one of ${SERVICE_MODES.join(", ")}`);
    }
    services.set(name, {
      name,
      description: text(entry.description ?? "", `${at}.description`),
      main: resolveMain(entry.main, `${at}.main`, root),
      mode: mode as (typeof SERVICE_MODES)[number],
      methods: readMethods(entry.methods, `${at}.methods`),
    });
  }
  return services;
}

function resolveMain(raw: unknown, field: string, root: string): string {
  if (typeof raw !== "string" || raw === "" || raw.includes("\0")) {
    throw new ManifestError(field, "must be the path of the file that implements the service");
  }
  let real: string;
  try {
    real = realpathSync(join(root, raw));
  } catch {
    throw new ManifestError(field, `the file "${raw}" does not exist; build it first`);
  }
  if (!real.startsWith(root + sep)) throw new ManifestError(field, `"${raw}" is outside the plugin's folder`);
  if (!statSync(real).isFile()) throw new ManifestError(field, `"${raw}" is not a file`);
  return real;
}

function readMethods(raw: unknown, field: string): Map<string, MethodManifest> {
  if (!Array.isArray(raw)) throw new ManifestError(field, "must list the methods that may be called");
  const methods = new Map<string, MethodManifest>();
  for (const [index, entry] of raw.entries()) {
    const at = `${field}[${index}]`;
    if (!isObject(entry)) throw new ManifestError(at, "must be an object with a name");
    const name = readName(entry.name, `${at}.name`, "the method to its callers");
    if (methods.has(name)) throw new ManifestError(`${at}.name`, `"${name}" is declared twice`);
    methods.set(name, {
      name,
      description: text(entry.description ?? "", `${at}.description`),
      input: schemaOf(entry.inputSchema, `${at}.inputSchema`),
      output: schemaOf(entry.outputSchema, `${at}.outputSchema`),
    });
  }
  return methods;
}

function schemaOf(raw: unknown, field: string): CompiledSchema {
  try {
    return compileSchema(raw ?? true);
  } catch (error) {
    if (error instanceof SchemaError) throw new ManifestError(field, error.message);
    throw error;
  }
}
