/** Converts file permissions into sandbox layers. */
import type { PermissionSet, Permissions } from "../permissions/set.js";
import { expandRules } from "./expand.js";
import { type FileRule, READ, WRITE } from "./landlock.js";

/** Landlock supports 16 layers; one is reserved. */
const MAX_LAYERS = 15;

/**
 * Converts file permissions into layers: each allow list becomes one layer, and the kernel grants only what all
 * layers grant.
 */
export async function fileLayers(permissions: Permissions, limit: number): Promise<FileRule[][]> {
  if (permissions === "all") return [[{ path: "/", rights: READ | WRITE }]];
  const [reads, writes] = await Promise.all([
    listsOf(permissions, "fs-read", READ, limit),
    listsOf(permissions, "fs-write", WRITE, limit),
  ]);
  const count = Math.max(reads.length, writes.length, 1);
  if (count > MAX_LAYERS) throw new Error(`a chain of more than ${MAX_LAYERS} different file permissions`);
  return Array.from({ length: count }, (_, index) => [
    ...(reads[Math.min(index, reads.length - 1)] ?? []),
    ...(writes[Math.min(index, writes.length - 1)] ?? []),
  ]);
}

function listsOf(
  permissions: PermissionSet,
  name: string,
  rights: number,
  limit: number,
): Promise<FileRule[][]> {
  const scope = permissions[name];
  if (!scope) return Promise.resolve([]);
  return Promise.all(scope.allow.map((list) => expandRules(list, scope.deny, rights, limit)));
}
