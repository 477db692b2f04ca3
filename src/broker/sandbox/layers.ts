import type { PermissionSet, Permissions } from "../permissions/set.js";
import { expandRules } from "./expand.js";
import { type FileRule, READ, WRITE } from "./landlock.js";

/** Landlock allows 16 layers; one is kept for what runs the plugin. */
const MAX_LAYERS = 15;

/**
 * The file permissions as sandbox layers. Each allow list of the conjunction becomes a
 * layer of its own and the kernel grants only what every layer grants.
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
