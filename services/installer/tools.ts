/** The installer's tools for agents: one for each operation. */
import type { ExtensionAPI } from "@mariozechner/pi-coding-agent";
import { type Static, type TObject, Type } from "@sinclair/typebox";
import { given } from "../../src/core/tool-params.js";
import type { FleetClient } from "../../src/core/types.js";
import type { Job } from "./jobs.js";

const Name = Type.String({ description: "Name of the installed service, or its folder" });
const Token = Type.Optional(
  Type.String({
    description: "Token for a private https repository or the other Reef. Never stored",
  }),
);
const Test = Type.Optional(
  Type.Boolean({ description: "Run the package's own tests first; they must pass. Default false" }),
);

const Install = Type.Object({
  source: Type.Optional(
    Type.String({
      description:
        "user/repo, host/user/repo, https://…, git@host:path, each with //folder and @ref if needed; or an absolute path on the server. Omit it to install from another Reef",
    }),
  ),
  from: Type.Optional(
    Type.String({ description: "URL of another Reef, e.g. http://other:3000; requires name" }),
  ),
  name: Type.Optional(Type.String({ description: "With from: name of the service on that Reef" })),
  dirName: Type.Optional(
    Type.String({ description: "Folder to install into. Default: the last name in the source" }),
  ),
  token: Token,
  test: Test,
});

const Update = Type.Object({
  name: Name,
  ref: Type.Optional(Type.String({ description: "Follow this branch, tag or commit from now on" })),
  token: Token,
  test: Test,
  acceptPermissions: Type.Optional(
    Type.Boolean({
      description:
        "Accept new permissions. Set it only after a person has approved the permissions that the error listed",
    }),
  ),
});

interface Operation<T extends TObject> {
  name: string;
  label: string;
  description: string;
  parameters: T;
  path: string;
}

const operation = <T extends TObject>(definition: Operation<T>) => definition;

const operations = [
  operation({
    name: "installer_install",
    label: "Installer: Install",
    description:
      "Install a service on the Reef control plane from git, a folder on the server or another Reef, and load it. If it fails, nothing changes. The code runs inside the server: install only what a person asked for. Returns the installed version and its permissions.",
    parameters: Install,
    path: "/installer/install",
  }),
  operation({
    name: "installer_update",
    label: "Installer: Update",
    description:
      "Update an installed service to the latest version of its source. If the new version fails, the running one stays. If it requests more permissions, the call fails and lists them: ask a person.",
    parameters: Update,
    path: "/installer/update",
  }),
  operation({
    name: "installer_rollback",
    label: "Installer: Roll back",
    description:
      "Roll an installed service back to the version before its latest update. Use it when an update turned out to be bad. A second call restores the newer version.",
    parameters: Type.Object({ name: Name }),
    path: "/installer/rollback",
  }),
  operation({
    name: "installer_remove",
    label: "Installer: Remove",
    description:
      "Stop an installed service and delete its folder; a linked folder is only unlinked. Works only for services that the installer installed.",
    parameters: Type.Object({
      name: Name,
      force: Type.Optional(
        Type.Boolean({ description: "Remove it even if other services depend on it. Default false" }),
      ),
    }),
    path: "/installer/remove",
  }),
];

interface JobReply {
  id: string;
  status: Job["status"];
  steps: Array<{ step: string; status: string; detail?: string }>;
  result?: Record<string, unknown>;
  error?: string;
}

const POLL_MS = 500;
/** Longer than the longest limit that the server can be given: what it says at its end is not missed. */
const PATIENCE_MS = 3_660_000;

/** Waits for a job that was begun with `background`: a single request would run into the client's time limit. */
export async function waitForJob(
  client: Pick<FleetClient, "api">,
  id: string,
  options: { pollMs?: number; patienceMs?: number; signal?: AbortSignal; onPoll?(job: JobReply): void } = {},
): Promise<JobReply> {
  const { pollMs = POLL_MS, patienceMs = PATIENCE_MS, signal } = options;
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const path = `/installer/jobs/${encodeURIComponent(id)}`;
    // The server may be restarted meanwhile, and knows the job afterwards.
    const job = await client.api<JobReply>("GET", path, undefined, { untilAnswered: true });
    options.onPoll?.(job);
    if (job.status !== "running") return job;
    signal?.throwIfAborted();
    if (Date.now() > deadline)
      throw new Error(`job ${id} is still running; GET /installer/jobs/${id} returns its result`);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

export function registerTools(pi: ExtensionAPI, client: FleetClient): void {
  for (const { name, label, description, parameters, path } of operations) {
    pi.registerTool({
      name,
      label,
      description,
      parameters,
      async execute(_id, params: Static<typeof parameters>, signal) {
        if (!client.getBaseUrl()) return client.noUrl();
        try {
          const body = { ...given(params), background: true };
          const { id } = await client.api<{ id: string }>("POST", path, body);
          const job = await waitForJob(client, id, { signal });
          if (job.status !== "done") return client.err(job.error ?? `it is ${job.status}`);
          return client.ok(JSON.stringify(job.result, null, 2), { result: job.result });
        } catch (error) {
          return client.err(error instanceof Error ? error.message : String(error));
        }
      },
    });
  }
  pi.registerTool({
    name: "installer_list",
    label: "Installer: List",
    description:
      "List the services that were installed on the Reef control plane. Returns source, version (commit or digest), permissions and time of each.",
    parameters: Type.Object({}),
    async execute() {
      if (!client.getBaseUrl()) return client.noUrl();
      try {
        const result = await client.api("GET", "/installer/installed");
        return client.ok(JSON.stringify(result, null, 2), { result });
      } catch (error) {
        return client.err(error instanceof Error ? error.message : String(error));
      }
    },
  });
}
