/** Loads a folder's current code, replacing the running version if there is one. */
import { statSync } from "node:fs";
import { join } from "node:path";
import type { Trial } from "../checker/trials.js";
import { readSource, type Source } from "../code/digest.js";
import { importUnchanged } from "../code/unchanged.js";
import { yieldToEventLoop } from "../event-loop.js";
import type { Generation } from "../generation.js";
import { asLoadFailure, changedMeanwhile, LoadFailure, switchedOff } from "../load-failure.js";
import { assertFolderName } from "../names.js";
import type { Registry } from "../registry.js";
import type { CheckResult, Loaded, LoadOptions } from "../registry-types.js";
import { exchange } from "./exchange.js";

/** What is already known about a load. */
export interface LoadRequest extends LoadOptions {
  /** The calling service; its own request does not delay its own exchange. */
  caller?: string;
  /** The result of the code's trial. */
  trial?: Trial;
  /** The folder's code as just imported; it is used or disposed. */
  imported?: { generation: Generation; source: Source };
}

/** Loads a folder; see `ServiceRegistry.load`. */
export async function load(
  registry: Registry,
  dirName: string,
  { imported, ...request }: LoadRequest = {},
): Promise<Loaded> {
  assertFolderName(dirName);
  let unused = imported?.generation;
  const importCode = async (source: Source): Promise<Generation> => {
    const { generation } = imported ?? {};
    if (!generation || imported?.source.digest !== source.digest) {
      await yieldToEventLoop();
      return importUnchanged(registry, dirName, source);
    }
    unused = undefined;
    return generation;
  };
  try {
    return await registry.queue.forFolder(dirName, async () => {
      const there = imported && registry.table.byFolder(dirName);
      // The folder was loaded meanwhile, with this code or newer.
      if (there) return { name: there.name, action: "updated" };
      return loadInTurn(registry, dirName, request, importCode);
    });
  } finally {
    await unused?.dispose();
  }
}

async function loadInTurn(
  registry: Registry,
  dirName: string,
  { caller, trial, ...options }: Omit<LoadRequest, "imported">,
  importCode: (source: Source) => Promise<Generation>,
): Promise<Loaded> {
  registry.admission.assertOpen();
  const dir = join(registry.servicesDir, dirName);
  const service = registry.table.byFolder(dirName);
  let digest: string | undefined;
  try {
    await yieldToEventLoop();
    const source = readFolder(registry, dirName);
    digest = source.digest;
    if (options.digest !== undefined && options.digest !== digest) throw changedMeanwhile(dirName);
    await yieldToEventLoop();
    await registry.trials.finish(dirName, digest, trial);
    const action = service ? "updated" : "added";
    const name = service
      ? await exchange(registry, service, source, caller, options)
      : await registry.admission.admit(await importCode(source), dirName, source, options.verify);
    registry.failures.clear(dir);
    registry.announce(name, action);
    await yieldToEventLoop();
    // The caller may change the folder right after the reply; the version must have been copied by then.
    await registry.copies.keep(name);
    return { name, action };
  } catch (error) {
    const failure = asLoadFailure(error);
    if (failure.code !== "UNKNOWN" && failure.code !== "DISABLED") {
      registry.failures.note(service?.name ?? dirName, dir, failure, digest);
      registry.announce(service?.name ?? dirName, "failed", failure);
    }
    throw failure;
  }
}

/** Tries a folder's current code in a child process, even if it is known. Changes nothing, so it does not queue. */
export async function check(registry: Registry, dirName: string): Promise<CheckResult> {
  const { checker, trials } = registry;
  assertFolderName(dirName);
  await yieldToEventLoop();
  const { digest } = readFolder(registry, dirName);
  const trial = await trials.beginWith([{ dirName, digest }]).get(dirName);
  await trials.finish(dirName, digest, trial, { always: true });
  if (checker && readFolder(registry, dirName).digest !== digest) throw changedMeanwhile(dirName);
  checker?.remember(digest);
  return { digest, tried: checker !== undefined };
}

function readFolder({ servicesDir, switches }: Registry, dirName: string): Source {
  const dir = join(servicesDir, dirName);
  if (!statSync(dir, { throwIfNoEntry: false })?.isDirectory()) {
    throw new LoadFailure("UNKNOWN", "find", `there is no service folder "${dirName}".`);
  }
  if (switches?.isDisabled(dirName)) throw switchedOff(dirName);
  return readSource(dir);
}
