/** The installer's tools for agents: one for each operation. */
import type { ExtensionAPI } from "@mariozechner/pi-coding-agent";
import { type Static, type TObject, Type } from "@sinclair/typebox";
import { given } from "../../src/core/tool-params.js";
import type { FleetClient } from "../../src/core/types.js";
import type { Job } from "./jobs.js";

const Name = Type.String({ description: "The installed service, or its folder" });
const Token = Type.Optional(
  Type.String({
    description: "Token for a private repository over https, or for the other Reef. Kept nowhere",
  }),
);
const Test = Type.Optional(
  Type.Boolean({ description: "Run the package's own tests first; they must pass. Default false" }),
);

const Install = Type.Object({
  source: Type.Optional(
    Type.String({
      description:
        "user/repo, host/user/repo, https://…, git@host:path, each with //folder and @ref if needed; or an absolute path on the server. Leave out to install from another Reef",
    }),
  ),
  from: Type.Optional(
    Type.String({ description: "Address of another Reef, e.g. http://other:3000; needs name" }),
  ),
  name: Type.Optional(Type.String({ description: "With from: the service there" })),
  dirName: Type.Optional(
    Type.String({ description: "Folder to install into. Default: the last name of the source" }),
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
      description: "Agree to new permissions. Only after a person has agreed to those that were named",
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
      "Installs a service on the Reef control plane from git, from a folder on the server, or from another Reef, and loads it. Nothing changes when it fails. The code then runs inside the server: install only what a person asked for.",
    parameters: Install,
    path: "/installer/install",
  }),
  operation({
    name: "installer_update",
    label: "Installer: Update",
    description:
      "Updates an installed service to what its source holds now. The running version stays when the new one fails. When the new version asks for more permissions this fails and names them: ask a person.",
    parameters: Update,
    path: "/installer/update",
  }),
  operation({
    name: "installer_rollback",
    label: "Installer: Roll back",
    description:
      "Returns an installed service to the version before its latest update. Calling it again returns to the newer version.",
    parameters: Type.Object({ name: Name }),
    path: "/installer/rollback",
  }),
  operation({
    name: "installer_remove",
    label: "Installer: Remove",
    description:
      "Stops an installed service and deletes its folder; a linked folder is only unlinked. Not for services that are part of the checkout.",
    parameters: Type.Object({
      name: Name,
      force: Type.Optional(
        Type.Boolean({ description: "Although other services depend on it. Default false" }),
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
      throw new Error(`job ${id} is still running; GET /installer/jobs/${id} tells how it ends`);
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
      "Lists what was installed on the Reef control plane from elsewhere: source, version (commit or digest), permissions, time.",
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
