/** Read-only queries: services by name, their folders and states. */
import { existsSync, realpathSync } from "node:fs";
import { basename, join } from "node:path";
import type { EventBus } from "../events.js";
import { LoadFailure } from "../load-failure.js";
import { assertFolderName } from "../names.js";
import type { Registry } from "../registry.js";
import type { ServiceInfo } from "../registry-types.js";
import type { Service } from "./table.js";

/**
 * The folder name of a service, loaded or not.
 *
 * @throws LoadFailure `UNKNOWN` or `PROTECTED`.
 */
export function folderOf(registry: Registry, name: string): string {
  const { failures, servicesDir, switches, table } = registry;
  const service = table.get(name);
  if (service?.dirName !== undefined) return service.dirName;
  if (service) {
    const message = `"${name}" was passed as an object; it has no folder to load from.`;
    throw new LoadFailure("PROTECTED", "find", message);
  }
  const failed = failures.list().find((failure) => failure.name === name);
  if (failed) return basename(failed.dir);
  const disabled = switches?.list().find((entry) => entry.name === name);
  if (disabled) return disabled.dirName;
  assertFolderName(name);
  if (existsSync(join(servicesDir, name))) return name;
  throw new LoadFailure("UNKNOWN", "find", `there is no service or folder "${name}".`);
}

/** The name of a folder's service, loaded or not, where known. */
export function nameIn({ failures, servicesDir, switches, table }: Registry, dirName: string) {
  const switchedOff = switches?.list().find((entry) => entry.dirName === dirName);
  const known = table.byFolder(dirName) ?? switchedOff ?? failures.get(join(servicesDir, dirName));
  return known?.name;
}

/**
 * A service's folder name and the real path of its code.
 *
 * @throws LoadFailure when there is none.
 */
export function locate(registry: Registry, name: string): { dirName: string; dir: string } {
  const dirName = folderOf(registry, name);
  const path = join(registry.servicesDir, dirName);
  if (existsSync(path)) return { dirName, dir: realpathSync(path) };
  throw new LoadFailure("UNKNOWN", "find", `the folder "${dirName}" no longer exists.`);
}

/**
 * The folder with the code that serves: the service's own, or a kept copy if that has changed since. Undefined
 * for services without a folder.
 */
export function servedFrom(registry: Registry, name: string): string | undefined {
  const service = registry.table.get(name);
  if (service?.dirName === undefined) return undefined;
  const dir = join(registry.servicesDir, service.dirName);
  const { source } = service.current;
  const kept =
    source && (!existsSync(dir) || registry.changed(service))
      ? registry.snapshots?.find(service.dirName, source.digest)
      : undefined;
  return kept ?? dir;
}

/** A service, loaded, failed or disabled. */
export function getService(registry: Registry, events: EventBus, name: string): ServiceInfo | undefined {
  const service = registry.table.get(name);
  if (service) return loadedInfo(registry, events, service);
  return listServices(registry, events).find((info) => info.name === name);
}

function loadedInfo({ failures, servicesDir, table }: Registry, events: EventBus, service: Service) {
  const { current, dirName } = service;
  const failure = dirName === undefined ? undefined : failures.get(join(servicesDir, dirName));
  const listensTo = events.heardBy(current.generation.scope);
  return { ...table.info(service), listensTo, ...(failure && { failure }) };
}

/** All loaded, failed and disabled services. */
export function listServices(registry: Registry, events: EventBus): ServiceInfo[] {
  const { failures, servicesDir, switches, table } = registry;
  const loaded = table.all();
  const infos: ServiceInfo[] = loaded.map((service) => loadedInfo(registry, events, service));
  for (const failure of failures.list()) {
    const dirName = basename(failure.dir);
    if (loaded.some((service) => service.dirName === dirName)) continue;
    infos.push({ name: failure.name, dirName, state: "failed", failure, draining: 0 });
  }
  for (const { name, dirName, reason } of switches?.list() ?? []) {
    // The folder may come back, and is switched off then.
    if (!existsSync(join(servicesDir, dirName))) continue;
    infos.push({ name, dirName, state: "disabled", ...(reason !== undefined && { reason }), draining: 0 });
  }
  return infos;
}
