/** Permissions as lines that can be shown, kept and compared, whatever form a manifest gives them. */
import { permissionName, SCOPED_PERMISSIONS } from "../../src/broker/index.js";
import { InstallError } from "./errors.js";

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(",")}}`;
  }
  return JSON.stringify(value);
}

/**
 * One line for each thing a manifest asks for, whatever it calls it there: `name` without limits, `name: <limit>` for
 * each that it may, and `name: not <limit>` for each that it may not. Sorted, without repetition.
 */
export function permissionsOf(declared: unknown): string[] {
  if (declared === undefined) return [];
  if (!Array.isArray(declared))
    throw new InstallError(400, "check", "permissions in the manifest must be an array.");
  const lines = new Set<string>();
  for (const entry of declared) for (const line of linesOf(entry)) lines.add(line);
  return [...lines].sort();
}

function linesOf(entry: unknown): string[] {
  if (typeof entry === "string" && entry !== "") return [permissionName(entry)];
  const { permission: spelling, ...limits } = (entry ?? {}) as Record<string, unknown>;
  if (typeof spelling !== "string" || spelling === "") {
    throw new InstallError(400, "check", "a permission in the manifest must be a name or { permission, … }.");
  }
  const permission = permissionName(spelling);
  const lines: string[] = [];
  for (const [key, value] of Object.entries(limits)) {
    for (const item of Array.isArray(value) ? value : [value]) {
      const label = key === "deny" ? "not " : key === "allow" ? "" : `${key} `;
      lines.push(`${permission}: ${label}${typeof item === "string" ? item : canonical(item)}`);
    }
  }
  // A list of what may not be done limits nothing else, but for those permissions that only lists make something of.
  const limited = isScoped(permission) || Object.keys(limits).some((key) => key !== "deny");
  return limited ? lines : [permission, ...lines];
}

/** As `permissionsOf` writes lines now; what was installed earlier may have others. */
function inOneSpelling(line: string): string {
  const [name = "", ...limits] = line.split(": ");
  return [permissionName(name), ...limits].join(": ");
}

function isScoped(permission: string): boolean {
  return Object.hasOwn(SCOPED_PERMISSIONS, permission);
}

/** What `wanted` may do beyond `present`: new lines, and prohibitions that are gone. */
export function additionalPermissions(before: readonly string[], wanted: readonly string[]): string[] {
  const present = before.map(inOneSpelling);
  const nameOf = (line: string) => line.split(": ", 1)[0] as string;
  const isProhibition = (line: string) => line.startsWith(`${nameOf(line)}: not `);
  const had = new Set(present);
  const names = new Set(wanted.map(nameOf));
  const isLimitless = (name: string) => had.has(name) && !isScoped(name);
  const more = wanted.filter((line) => !had.has(line) && !isProhibition(line) && !isLimitless(nameOf(line)));
  const kept = new Set(wanted);
  const freed = present.filter((line) => isProhibition(line) && !kept.has(line) && names.has(nameOf(line)));
  return [...more, ...freed.map((line) => `${line} (no longer)`)];
}
