/** What an operator can do to services; used by pages and by the palette. */
import { strings as t } from "../strings.js";
import { ApiError, api, messageOf } from "./api.js";
import { confirm, type Question } from "./state/confirm.js";
import { notify } from "./state/notices.js";
import {
  calling,
  type Deploy,
  deployOf,
  forgetDeploy,
  isDeploying,
  refreshServices,
  services,
  setDeploy,
} from "./state/services.js";
import { loadVersions, versionBefore } from "./state/versions.js";

/** Runs a call and says how it went. Resolves with whether it succeeded. */
export async function attempt<T>(
  what: () => Promise<T>,
  done: string | ((result: T) => string),
): Promise<boolean> {
  try {
    const result = await what();
    notify("good", typeof done === "string" ? done : done(result));
    return true;
  } catch (error) {
    notify("error", messageOf(error));
    return false;
  } finally {
    refreshServices();
  }
}

/** {@link attempt} after a question. */
export async function attemptIfSure<T>(
  asked: Question,
  what: () => Promise<T>,
  done: string | ((result: T) => string),
): Promise<boolean> {
  return (await confirm(asked)) && attempt(what, done);
}

const path = (verb: string, name: string) => `/services/${verb}/${encodeURIComponent(name)}`;

export const reload = (name: string) =>
  attempt(() => api("POST", path("reload", name)), t.actions.reloaded(name));

export const enable = (name: string) =>
  attempt(() => api("POST", path("enable", name)), t.actions.enabled(name));

export const syncAll = () =>
  attempt(
    () => api<{ results: unknown[]; errors: unknown[] }>("POST", "/services/reload"),
    ({ results, errors }) => t.actions.synced(results.length, errors.length),
  );

export const disable = (name: string) =>
  attemptIfSure(
    t.actions.askDisable(name),
    () => api("POST", path("disable", name), {}),
    t.actions.disabled(name),
  );

export const unload = (name: string) =>
  attemptIfSure(
    t.actions.askUnload(name),
    () => api("DELETE", `/services/${encodeURIComponent(name)}`),
    t.actions.unloaded(name),
  );

/** Goes back to a version, the one before by default: what that is when it is asked for, not when it is answered. */
export async function rollback(name: string, digest?: string): Promise<boolean> {
  const target = digest ?? (await digestBefore(name));
  return attemptIfSure(
    t.actions.askRollback(name),
    () => api("POST", path("rollback", name), target === undefined ? {} : { digest: target }),
    t.actions.rolledBack(name),
  );
}

async function digestBefore(name: string): Promise<string | undefined> {
  const service = services.data.peek()?.find((known) => known.name === name);
  try {
    const { versions } = await loadVersions(name);
    return versionBefore(versions, service ?? {})?.digest;
  } catch (error) {
    console.debug("could not load the kept versions:", messageOf(error));
    return undefined;
  }
}

/** Deploys a folder. The steps come over the live connection; the reply has all of them as well. */
export async function deploy(name: string): Promise<void> {
  if (isDeploying(name)) return;
  calling.add(name);
  setDeploy(name, { steps: [] });
  try {
    const report = await api<Deploy>("POST", "/services/deploy", { name });
    setDeploy(name, report);
    notify("good", t.actions.deployed(name));
  } catch (error) {
    if (!(error instanceof ApiError)) {
      forgetDeploy(name);
      notify("error", t.actions.unclear(name));
      return;
    }
    const steps = (error.body as Partial<Deploy> | null)?.steps ?? deployOf(name)?.steps ?? [];
    setDeploy(name, { steps, deployed: false, error: messageOf(error) });
    notify("error", t.actions.notDeployed(name, messageOf(error)));
  } finally {
    calling.delete(name);
    refreshServices();
  }
}
