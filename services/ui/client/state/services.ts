/** Services, panels and deploys, as they change. */
import { signal } from "@preact/signals";
import { api, own } from "../api.js";
import { connections, onMessage } from "./live.js";
import { resource } from "./resource.js";

export interface Failure {
  step: string;
  code: string;
  error: string;
  at: string;
}

export interface Service {
  name: string;
  description: string;
  hasRoutes: boolean;
  hasTools: boolean;
  hasBehaviors: boolean;
  mountAtRoot: boolean;
  dependencies: string[];
  dirName?: string;
  state: "loaded" | "loading" | "failed" | "disabled";
  generation?: number;
  digest?: string;
  loadedAt?: string;
  failure?: Failure;
  reason?: string;
}

export interface Panel {
  name: string;
  description: string;
  version: string;
}

export interface DeployStep {
  step: string;
  status: "running" | "passed" | "failed" | "skipped";
  detail?: string;
  durationMs?: number;
}

/** A deploy as it goes on. */
export interface Deploy {
  steps: DeployStep[];
  /** Undefined while it is under way. */
  deployed?: boolean;
  error?: string;
}

export const services = resource(async () => {
  const { modules, notLoaded } = await api<Record<"modules" | "notLoaded", Service[]>>("GET", "/services");
  return [...modules, ...notLoaded];
});
export const panels = resource(async () => (await own<{ panels: Panel[] }>("/panels")).panels);

/** Whether a service of this name is loaded; undefined before that is known. */
export const isLoaded = (name: string): boolean | undefined =>
  services.data.value?.some((service) => service.name === name && service.state === "loaded");

/** Whether a version of what stands in this folder or has this name answers. */
export const serves = (name: string): boolean =>
  services.data.value?.some(
    (service) => (service.name === name || service.dirName === name) && service.state === "loaded",
  ) === true;

/** Whether an operator should look at it: it is not there, or its latest change was not taken up. */
export const isTroubled = ({ state, failure }: Service): boolean =>
  state === "failed" || failure !== undefined;

export const byName = (a: Service, b: Service): number => a.name.localeCompare(b.name);

/** By what it can be found in a list: its state, and whether somebody should look at it. */
export const statesOf = (service: Service): string[] =>
  isTroubled(service) ? ["attention", service.state] : [service.state];

/** How many services are found by each. */
export function countsOf(list: readonly Service[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const state of list.flatMap(statesOf).toSorted()) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}

/** The latest deploy of each service since the page was opened. */
export const deploys = signal<ReadonlyMap<string, Deploy>>(new Map());

/** Services whose deploy this page has asked for and not been answered. */
export const calling = new Set<string>();

/** The latest deploy of a service. */
export const deployOf = (name: string): Deploy | undefined => deploys.value.get(name);

/** Whether a deploy of this service is under way. */
export const isDeploying = (name: string): boolean => {
  const deploy = deployOf(name);
  return deploy !== undefined && deploy.deployed === undefined;
};

/** Names of steps in their order; a deploy shows all of them from the start. */
export const STEPS = ["validate", "test", "load", "verify"];

export function setDeploy(name: string, deploy: Deploy): void {
  deploys.value = new Map(deploys.value).set(name, deploy);
}

/** Forgets a deploy of which nobody will say how it ended. */
export function forgetDeploy(name: string): void {
  const others = new Map(deploys.value);
  others.delete(name);
  deploys.value = others;
}

function stepped(name: string, step: DeployStep): void {
  const known = deployOf(name);
  // A first step begins a new deploy, whoever asked for it.
  const fresh = !known || (known.deployed !== undefined && step.status === "running");
  const before = fresh ? [] : known.steps;
  if (step.step === "deploy") {
    const deployed = step.status === "passed";
    setDeploy(name, { steps: before, deployed, ...(!deployed && { error: step.detail }) });
    return;
  }
  const at = before.findIndex((other) => other.step === step.step);
  setDeploy(name, { steps: at < 0 ? [...before, step] : before.with(at, step) });
}

let waiting: ReturnType<typeof setTimeout> | undefined;
const SETTLE_MS = 120;

/** Loads both lists, once for changes that come in a row. */
export function refreshServices(): void {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    void services.load();
    void panels.load();
  }, SETTLE_MS);
}

/** Follows changes of services for as long as the page is open. */
export function followServices(): void {
  connections.subscribe(() => {
    // How those ended that others have asked for was perhaps said meanwhile, or will never be.
    for (const name of deploys.peek().keys()) {
      if (isDeploying(name) && !calling.has(name)) forgetDeploy(name);
    }
    void services.load();
    void panels.load();
  });
  onMessage((message) => {
    if (message.kind === "services") refreshServices();
    if (message.kind !== "deploy") return;
    const { name, step, status, detail, durationMs } = message;
    stepped(name, { step, status: status as DeployStep["status"], detail, durationMs });
  });
}
