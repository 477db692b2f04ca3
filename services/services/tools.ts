/** The manager's tools for agents: one for each operation. */
import type { ExtensionAPI } from "@mariozechner/pi-coding-agent";
import { type Static, type TObject, Type } from "@sinclair/typebox";
import type { FleetClient } from "../../src/core/types.js";
import { type Call, send, sendInBackground } from "./tool-calls.js";

const Nothing = Type.Object({});
const Name = Type.Object({ name: Type.String({ description: "Name of the service, e.g. board" }) });
const Forced = Type.Object({
  ...Name.properties,
  force: Type.Optional(
    Type.Boolean({
      description:
        "Proceed even if other services depend on it, or its store cannot be saved (that data is lost). Default false",
    }),
  ),
});
const Disable = Type.Object({
  ...Forced.properties,
  reason: Type.Optional(Type.String({ description: "Why it is disabled, shown in the list of services" })),
});
const Rollback = Type.Object({
  ...Name.properties,
  digest: Type.Optional(
    Type.String({
      description:
        "Digest of the version to roll back to (see services_versions). Default: the previous version",
    }),
  ),
});

interface Operation<T extends TObject> {
  name: string;
  label: string;
  description: string;
  parameters: T;
  call(params: Static<T>): Call;
  /** How it is asked, where that is not with one request that lasts until it is done. */
  send?: typeof send;
  /** What the agent is shown, where that is not the server's answer. */
  show?(params: Static<T>, baseUrl: string): unknown;
}

const operation = <T extends TObject>(definition: Operation<T>) => definition;

/** A name as a path segment. An empty one, and dots that lead to another path, would ask for something else. */
function segment(name: string): string {
  if (name !== "" && name !== "." && name !== "..") return encodeURIComponent(name);
  throw new Error(`"${name}" is not a valid service name; services_list shows the existing ones`);
}

const forced = (force: boolean | undefined) => (force ? "?force=true" : "");

const operations = [
  operation({
    name: "services_list",
    label: "Services: List",
    description:
      "List the services of the Reef control plane. Use it first to see what is there. Returns each service's state (loaded, failed, disabled), what it offers and why it failed.",
    parameters: Nothing,
    call: () => ({ method: "GET", path: "/services" }),
  }),
  operation({
    name: "services_manifest",
    label: "Services: Manifest",
    description:
      "List every loaded service with its HTTP routes, tools and events. Use it to find the route or tool for a task.",
    parameters: Nothing,
    call: () => ({ method: "GET", path: "/services/manifest" }),
  }),
  operation({
    name: "services_inspect",
    label: "Services: Inspect",
    description:
      "Get one service in detail. Use it to diagnose a service. Returns state and failure, routes, dependencies and dependents, and for each running version its open requests, timers, handlers, errors and age.",
    parameters: Name,
    call: ({ name }) => ({ method: "GET", path: `/services/${segment(name)}` }),
  }),
  operation({
    name: "services_logs",
    label: "Services: Logs",
    description:
      "Read the latest log lines of one service. Use it when a service returns errors or failed to load.",
    parameters: Name,
    call: ({ name }) => ({ method: "GET", path: `/services/${segment(name)}/logs` }),
  }),
  operation({
    name: "services_versions",
    label: "Services: Versions",
    description:
      "List the kept versions of a service's code, latest first. Use it before services_rollback to find a digest.",
    parameters: Name,
    call: ({ name }) => ({ method: "GET", path: `/services/${segment(name)}/versions` }),
  }),
  operation({
    name: "services_deploy",
    label: "Services: Deploy",
    description:
      "Validate, test, load and verify the current code of a service folder in one step. Use it to deploy new or changed code. If a step fails, nothing changes, and the report says which step and why.",
    parameters: Name,
    call: ({ name }) => ({ method: "POST", path: "/services/deploy", body: { name, background: true } }),
    send: sendInBackground,
  }),
  operation({
    name: "services_reload",
    label: "Services: Reload",
    description:
      "Reload code from the services folder without running tests. With a name: reloads that service. Without: loads new folders, reloads changed ones and unloads deleted ones. Prefer services_deploy.",
    parameters: Type.Partial(Name),
    call: ({ name }) => ({
      method: "POST",
      path: name === undefined ? "/services/reload" : `/services/reload/${segment(name)}`,
    }),
  }),
  operation({
    name: "services_rollback",
    label: "Services: Roll back",
    description:
      "Roll a service back: restore an earlier version's code to its folder and load it. Use it when a change turned out to be bad. A second call restores the newer version.",
    parameters: Rollback,
    call: ({ name, digest }) => ({
      method: "POST",
      path: `/services/rollback/${segment(name)}`,
      // As `given` of src/core/tool-params.ts has it, which a file that is required cannot import.
      body: { digest: digest || undefined },
    }),
  }),
  operation({
    name: "services_disable",
    label: "Services: Disable",
    description:
      "Disable a service: stop it and keep it stopped, even after a restart of the server, until services_enable.",
    parameters: Disable,
    call: ({ name, force, reason }) => ({
      method: "POST",
      path: `/services/disable/${segment(name)}${forced(force)}`,
      body: { reason: reason || undefined },
    }),
  }),
  operation({
    name: "services_enable",
    label: "Services: Enable",
    description: "Enable a disabled service and load it. Use it to undo services_disable.",
    parameters: Name,
    call: ({ name }) => ({ method: "POST", path: `/services/enable/${segment(name)}` }),
  }),
  operation({
    name: "services_unload",
    label: "Services: Unload",
    description:
      "Unload a service until the next reload or restart; its folder is kept. Fails if other services depend on it, unless force is set.",
    parameters: Forced,
    call: ({ name, force }) => ({ method: "DELETE", path: `/services/${segment(name)}${forced(force)}` }),
  }),
  operation({
    name: "services_export",
    label: "Services: Export",
    description:
      "Get the URL of a service's code as a tarball, to install it elsewhere. The download requires the control plane's bearer token.",
    parameters: Name,
    call: ({ name }) => ({ method: "GET", path: `/services/${segment(name)}` }),
    show: ({ name }, baseUrl) => ({
      url: `${baseUrl}/services/export/${segment(name)}`,
      file: `${name}.tar.gz`,
      header: "Authorization: Bearer <VERS_AUTH_TOKEN>",
    }),
  }),
];

export function registerTools(pi: ExtensionAPI, client: FleetClient): void {
  for (const {
    call,
    send: ask = send,
    show,
    ...definition
  } of operations as unknown as Operation<TObject>[]) {
    pi.registerTool({
      ...definition,
      async execute(_toolCallId, params) {
        if (!client.getBaseUrl()) return client.noUrl();
        try {
          const answer = await ask(client, call(params));
          const result = show ? show(params, client.getBaseUrl()) : answer;
          return client.ok(JSON.stringify(result, null, 2), { result });
        } catch (error) {
          return client.err(error instanceof Error ? error.message : String(error));
        }
      },
    });
  }
}
