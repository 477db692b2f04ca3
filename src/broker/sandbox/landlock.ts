/** Landlock: restricts file access and TCP of the current thread. */
import { addressOf, cString, SyscallError, syscall } from "./libc.js";
import { numberOf } from "./syscalls.js";

/** Landlock's file access rights. */
const ACCESS = {
  execute: 1 << 0,
  writeFile: 1 << 1,
  readFile: 1 << 2,
  readDir: 1 << 3,
  removeDir: 1 << 4,
  removeFile: 1 << 5,
  makeChar: 1 << 6,
  makeDir: 1 << 7,
  makeReg: 1 << 8,
  makeSock: 1 << 9,
  makeFifo: 1 << 10,
  makeBlock: 1 << 11,
  makeSym: 1 << 12,
  refer: 1 << 13,
  truncate: 1 << 14,
  ioctlDev: 1 << 15,
} as const;

const FILE_RIGHTS = ACCESS.execute | ACCESS.writeFile | ACCESS.readFile | ACCESS.truncate | ACCESS.ioctlDev;

/** Reading files and listing folders. */
export const READ = ACCESS.readFile | ACCESS.readDir;
/**
 * Changing files. Creating links, sockets, pipes and devices is deliberately excluded: they could mislead a
 * more privileged reader.
 */
export const WRITE =
  ACCESS.writeFile |
  ACCESS.removeDir |
  ACCESS.removeFile |
  ACCESS.makeDir |
  ACCESS.makeReg |
  ACCESS.refer |
  ACCESS.truncate;
/** Executing files. */
export const EXECUTE = ACCESS.execute;

/** Grants `rights` on a path and, if it is a folder, everything below it. */
export interface FileRule {
  path: string;
  rights: number;
}

const NET_BIND = 1n;
const NET_CONNECT = 2n;
const SCOPE_ALL = 3n;
const RULE_PATH = 1;
const RULE_PORT = 2;
const O_PATH = 0o10000000;
const O_CLOEXEC = 0o2000000;
const O_DIRECTORY = process.arch === "arm64" ? 0o40000 : 0o200000;
const RESOLVE_NO_SYMLINKS = 4n;
const AT_FDCWD = -100;
const ENOENT = 2;
const ENOTDIR = 20;
const ELOOP = 40;

/** The kernel's Landlock version; 0 without Landlock. */
export function landlockVersion(): number {
  if (process.platform !== "linux" || numberOf("landlock_create_ruleset") < 0) return 0;
  try {
    return syscall("landlock_create_ruleset", numberOf("landlock_create_ruleset"), 0, 0, 1);
  } catch (error) {
    if (error instanceof SyscallError) return 0;
    throw error;
  }
}

function handledRights(version: number): number {
  if (version >= 5) return (1 << 16) - 1;
  if (version >= 3) return (1 << 15) - 1;
  if (version >= 2) return (1 << 14) - 1;
  return (1 << 13) - 1;
}

/**
 * Adds a layer: this thread, and what it executes, may access only what `rules` grant, and open TCP connections
 * only to `connectPorts`. With several layers, an access must be granted by all.
 */
export function restrictSelf(
  version: number,
  rules: readonly FileRule[],
  connectPorts: readonly number[],
): void {
  const handled = handledRights(version);
  const attributes = new BigUint64Array(3);
  attributes[0] = BigInt(handled);
  attributes[1] = NET_BIND | NET_CONNECT;
  attributes[2] = SCOPE_ALL;
  const size = version >= 6 ? 24 : version >= 4 ? 16 : 8;
  const bytes = new Uint8Array(attributes.buffer);
  const ruleset = syscall(
    "landlock_create_ruleset",
    numberOf("landlock_create_ruleset"),
    addressOf(bytes),
    size,
    0,
  );
  for (const rule of rules) addPathRule(ruleset, rule, handled);
  if (version >= 4) for (const port of connectPorts) addPortRule(ruleset, port);
  syscall("landlock_restrict_self", numberOf("landlock_restrict_self"), ruleset, 0);
}

function addPathRule(ruleset: number, rule: FileRule, handled: number): void {
  const directory = openPath(rule.path, O_DIRECTORY);
  const descriptor = directory ?? openPath(rule.path, 0);
  if (descriptor === undefined) return;
  const rights = rule.rights & handled & (directory === undefined ? FILE_RIGHTS : ~0);
  const attribute = new DataView(new ArrayBuffer(12));
  attribute.setBigUint64(0, BigInt(rights), true);
  attribute.setInt32(8, descriptor, true);
  const address = addressOf(new Uint8Array(attribute.buffer));
  if (rights !== 0)
    syscall("landlock_add_rule", numberOf("landlock_add_rule"), ruleset, RULE_PATH, address, 0);
  // There may be more rules than a process may have open files.
  syscall("close", numberOf("close"), descriptor);
}

function addPortRule(ruleset: number, port: number): void {
  const attribute = new BigUint64Array([NET_CONNECT, BigInt(port)]);
  syscall(
    "landlock_add_rule",
    numberOf("landlock_add_rule"),
    ruleset,
    RULE_PORT,
    addressOf(new Uint8Array(attribute.buffer)),
    0,
  );
}

/**
 * Opens a path without following links, so that a folder replaced by a link after it was examined grants
 * nothing. `undefined` when it is missing or a link.
 */
function openPath(path: string, flags: number): number | undefined {
  const how = new BigUint64Array([BigInt(O_PATH | O_CLOEXEC | flags), 0n, RESOLVE_NO_SYMLINKS]);
  const name = cString(path);
  try {
    return syscall(
      "openat2",
      numberOf("openat2"),
      AT_FDCWD,
      addressOf(name),
      addressOf(new Uint8Array(how.buffer)),
      24,
    );
  } catch (error) {
    if (error instanceof SyscallError && [ENOENT, ENOTDIR, ELOOP].includes(error.errno)) return undefined;
    throw error;
  }
}
