/** The command line: what the installer offers, against the running server. `bun run reef --help` lists it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type ArgsDef, type CommandMeta, defineCommand, type ParsedArgs, runMain } from "citty";
import { waitForJob } from "../services/installer/tools.js";
import { reachOf } from "../src/core/addresses.js";
import { tokenPath } from "../src/core/auth.js";
import { createFleetClient } from "../src/core/client.js";
import { readConfig } from "../src/core/config.js";
import { messageOf } from "../src/core/errors.js";
import type { FleetClient, Json } from "../src/core/types.js";

/** The server that `VERS_INFRA_URL` names, else the one on this machine. */
function connect(): FleetClient {
  const { host, port, dataDir, authToken } = readConfig();
  const here = `http://${/^(0\.0\.0\.0|::)$/.test(host) ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host}:${port}`;
  const url = process.env.VERS_INFRA_URL || here;
  const token = authToken ?? keptToken(dataDir, url === here || isThisMachine(url));
  return createFleetClient({ env: { ...process.env, VERS_INFRA_URL: url, VERS_AUTH_TOKEN: token } });
}

/** Whether a URL leads to this machine whoever is asked for addresses. */
function isThisMachine(url: string): boolean {
  const host = URL.parse(url)?.hostname ?? "";
  return host === "localhost" || reachOf(host.replace(/^\[|\]$/g, "")) === "loopback";
}

/** The token that this machine's own server keeps, which is nobody else's to see. */
function keptToken(dataDir: string, isOwn: boolean): string {
  const path = tokenPath(dataDir);
  if (!isOwn) {
    throw new Error(
      `no token: VERS_AUTH_TOKEN is not set, and ${path} does not apply to the server in VERS_INFRA_URL`,
    );
  }
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    throw new Error(`no token: VERS_AUTH_TOKEN is not set and ${path} cannot be read (${messageOf(error)})`);
  }
}

/** A command whose refusals are one line each, not a stack. */
function command<T extends ArgsDef>(
  meta: CommandMeta,
  args: T,
  work: (args: ParsedArgs<T>) => Promise<void>,
) {
  return defineCommand({
    meta,
    args,
    run: async ({ args: given }) => {
      try {
        assertKnown(given, args);
        await work(given);
      } catch (error) {
        console.error(`reef: ${messageOf(error)}`);
        process.exitCode = 1;
      }
    },
  });
}

/** What is misspelt must not be passed over: the text that follows it would count as a name. */
function assertKnown({ _: names, ...given }: { _: string[] }, declared: ArgsDef): void {
  const known = Object.keys(declared).filter((key) => declared[key]?.type !== "positional");
  const plain = (key: string) => key.replaceAll("-", "").toLowerCase();
  const accepted = new Set(Object.keys(declared).map(plain));
  for (const key of Object.keys(given)) {
    if (accepted.has(plain(key))) continue;
    const those =
      known.length > 0
        ? `known options: ${known.map((one) => `--${one}`).join(", ")}`
        : "there are no options";
    throw new Error(`unknown option ${key.length > 1 ? "--" : "-"}${key}; ${those}`);
  }
  const surplus = names[Object.keys(declared).length - known.length];
  if (surplus !== undefined) throw new Error(`unexpected argument: ${surplus}`);
}

/** Begins a job, shows its steps on stderr while it runs, and its outcome at the end. */
async function job(path: string, body: Record<string, unknown>): Promise<void> {
  const client = connect();
  const { id } = await client.api("POST", `/installer/${path}`, { ...body, background: true });
  let shown = 0;
  const outcome = await waitForJob(client, id, {
    pollMs: 200,
    onPoll: ({ steps }) => {
      for (const { step, status, detail } of steps.slice(shown)) {
        if (status === "running") break;
        console.error(`${status === "failed" ? "✗" : "✓"} ${step}${detail ? `: ${detail}` : ""}`);
        shown++;
      }
    },
  });
  if (outcome.status !== "done") throw new Error(outcome.error);
  print(outcome.result);
}

function print(value: Json): void {
  console.log(JSON.stringify(value, null, 2));
}

const name = {
  type: "positional",
  description: "Name of the installed service, or its folder",
  required: true,
} as const;
const test = { type: "boolean", description: "Run its tests first; they must pass" } as const;
const ref = { type: "string", description: "Branch, tag or commit" } as const;

/** A token in an argument would be visible to everybody on the machine. */
const SECRET = "The token for a private repository or another Reef is read from REEF_SOURCE_TOKEN.";
const secret = () => (process.env.REEF_SOURCE_TOKEN ? { token: process.env.REEF_SOURCE_TOKEN } : {});

const install = command(
  { name: "install", description: `Install a service. ${SECRET}` },
  {
    source: {
      type: "positional",
      description: "user/repo, a git URL or a path; with --from, a service's name",
      required: true,
    },
    from: { type: "string", description: "Another Reef, e.g. http://other:3000" },
    as: { type: "string", description: "The folder to install into" },
    copy: { type: "boolean", description: "Copy a local folder instead of linking it" },
    ref,
    test,
  },
  (args) => {
    const what = args.from ? { from: args.from, name: args.source } : { source: asAbsolute(args.source) };
    const how = { ref: args.ref, dirName: args.as, test: args.test, link: args.copy ? false : undefined };
    return job("install", { ...what, ...how, ...secret() });
  },
);

/**
 * A relative path means the caller's working directory, which is not the server's. That of a script that npm runs is
 * the package's.
 */
function asAbsolute(source: string): string {
  const { INIT_CWD, npm_lifecycle_event: script } = process.env;
  const here = script === "reef" && INIT_CWD ? INIT_CWD : process.cwd();
  return /^\.\.?(\/|$)/.test(source) ? join(here, source) : source;
}

const update = command(
  { name: "update", description: `Update to the latest version of the source. ${SECRET}` },
  {
    name,
    ref,
    test,
    force: { type: "boolean", description: "Replace locally changed files" },
    "accept-permissions": { type: "boolean", description: "Accept new permissions" },
  },
  (args) =>
    job("update", {
      name: args.name,
      ref: args.ref,
      test: args.test,
      force: args.force,
      acceptPermissions: args["accept-permissions"],
      ...secret(),
    }),
);

const rollback = command(
  { name: "rollback", description: "Roll back to the version before the latest update" },
  { name },
  (args) => job("rollback", { name: args.name }),
);

const remove = command(
  { name: "remove", description: "Stop a service and delete its installed files" },
  { name, force: { type: "boolean", description: "Remove even if other services depend on it" } },
  (args) => job("remove", { name: args.name, force: args.force }),
);

const list = command({ name: "list", description: "List installed services" }, {}, async () =>
  print(await connect().api("GET", "/installer/installed")),
);

await runMain(
  defineCommand({
    meta: { name: "reef", description: "Installs, updates and removes services of a running Reef" },
    subCommands: { install, update, rollback, remove, list },
  }),
);
