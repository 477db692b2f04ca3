/** What an operator can do to services; used by pages and by the palette. */
import { strings as t } from "../strings.js";
import { ApiError, api, messageOf } from "./api.js";
import { confirm, type Question } from "./state/confirm.js";
import { notify } from "./state/notices.js";
import { type Deploy, deploys, refreshServices, setDeploy } from "./state/services.js";

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
  attempt(() => api("POST", path("reload", name)), t.services.reloaded(name));

export const enable = (name: string) =>
  attempt(() => api("POST", path("enable", name)), t.services.enabled(name));

export const syncAll = () =>
  attempt(
    () => api<{ results: unknown[]; errors: unknown[] }>("POST", "/services/reload"),
    ({ results, errors }) => t.services.synced(results.length, errors.length),
  );

export const disable = (name: string) =>
  attemptIfSure(
    t.services.askDisable(name),
    () => api("POST", path("disable", name), {}),
    t.services.disabled(name),
  );

export const unload = (name: string) =>
  attemptIfSure(
    t.services.askUnload(name),
    () => api("DELETE", `/services/${encodeURIComponent(name)}`),
    t.services.unloaded(name),
  );

export const rollback = (name: string, digest?: string) =>
  attemptIfSure(
    t.services.askRollback(name),
    () => api("POST", path("rollback", name), digest === undefined ? {} : { digest }),
    t.services.rolledBack(name),
  );

/** Deploys a folder. The steps come over the live connection; the reply has all of them as well. */
export async function deploy(name: string): Promise<void> {
  setDeploy(name, { steps: [] });
  try {
    const report = await api<Deploy>("POST", "/services/deploy", { name });
    setDeploy(name, report);
    notify("good", t.services.deployed(name));
  } catch (error) {
    const report = error instanceof ApiError ? (error.body as Partial<Deploy> | null) : null;
    const steps = report?.steps ?? deploys.value[name]?.steps ?? [];
    setDeploy(name, { steps, deployed: false, error: messageOf(error) });
    notify("error", t.services.notDeployed(name, messageOf(error)));
  } finally {
    refreshServices();
  }
}
