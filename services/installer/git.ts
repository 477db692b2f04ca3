/** Fetches one commit of a git repository into a bare repository of our own, and gives its files as a tar stream. */
import { mkdirSync, writeFileSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { isIP } from "node:net";
import { join } from "node:path";
import { type Allowed, allowedAddresses, assertReach, forbidden } from "./addresses.js";
import { InstallError, printable } from "./errors.js";
import { LIMITS } from "./limits.js";
import { cleanEnvironment, type RunResult, run } from "./process.js";
import type { GitSource } from "./sources.js";

export interface GitOptions {
  allowed: Allowed;
  /** For repositories that need one; used for https, or for this machine. */
  token?: string;
  signal: AbortSignal;
}

/** A commit that has been fetched. */
export interface FetchedCommit {
  repository: string;
  /** Its full id. */
  commit: string;
}

const TARGET = "refs/reef/target";
const COMMIT_ID = /^[0-9a-f]{40}([0-9a-f]{24})?$/;
const POLL_MS = 250;

/** No conversion of what is in the repository: files come as they were committed, all of them. */
const ATTRIBUTES = "* -export-ignore -export-subst -text -eol -ident -filter -working-tree-encoding\n";

/** Settings that keep a repository from running programs, asking questions or going elsewhere. */
const SETTINGS: Record<string, string> = {
  "core.hooksPath": "/dev/null",
  "core.fsmonitor": "false",
  "core.askPass": "",
  "credential.helper": "",
  "submodule.recurse": "false",
  "fetch.recurseSubmodules": "false",
  "fetch.fsckObjects": "true",
  "gc.auto": "0",
  "maintenance.auto": "false",
  "http.followRedirects": "false",
  "http.lowSpeedLimit": "500",
  "http.lowSpeedTime": "20",
  "protocol.version": "2",
};

const SSH_COMMAND =
  "ssh -oBatchMode=yes -oConnectTimeout=15 -oPermitLocalCommand=no -oForwardAgent=no -oForwardX11=no -oClearAllForwardings=yes";

/**
 * Fetches the commit that `source` names into `<room>/repository`.
 *
 * @throws InstallError 403 when the operator does not allow the place, 404 when the ref does not exist there,
 * 502 when the repository cannot be fetched, or the signal's reason.
 */
export async function fetchCommit(
  source: GitSource,
  room: string,
  options: GitOptions,
): Promise<FetchedCommit> {
  const settings = { ...SETTINGS, ...(await connection(source, options)) };
  const repository = join(room, "repository");
  const home = join(room, "home");
  mkdirSync(home, { recursive: true });
  const git = new Git(room, environment(settings, home, source), options.signal);
  must(
    await git.run(["init", "--quiet", "--bare", "--template=", repository]),
    "a repository cannot be made",
  );
  mkdirSync(join(repository, "info"), { recursive: true });
  writeFileSync(join(repository, "info", "attributes"), ATTRIBUTES);
  const stopWatching = watchSize(repository, git);
  try {
    return { repository, commit: await fetchTarget(git, repository, source) };
  } finally {
    stopWatching();
  }
}

/** Checks where the source leads, and pins the connection to the addresses that were checked. */
async function connection(
  source: GitSource,
  { allowed, token, signal }: GitOptions,
): Promise<Record<string, string>> {
  const { transport, host, port } = source;
  if (token !== undefined && transport !== "https" && transport !== "http") {
    throw new InstallError(400, "source", `a token is for https; ${transport} has its own keys.`);
  }
  if (transport === "file") {
    if (!allowed.has("file")) throw forbidden("a git repository on this machine", "file");
    return {};
  }
  const addresses = await allowedAddresses(host, transport !== "http", allowed, signal);
  const settings: Record<string, string> = {};
  if (token !== undefined) {
    if (transport === "http")
      for (const address of addresses) assertReach(address, true, new Set(["loopback"]));
    const basic = Buffer.from(`x-access-token:${token}`).toString("base64");
    settings["http.extraHeader"] = `Authorization: Basic ${basic}`;
  }
  if (transport !== "ssh" && !isIP(host)) {
    const shown = addresses.map((address) => (isIP(address) === 6 ? `[${address}]` : address));
    settings["http.curloptResolve"] =
      `${host}:${port || (transport === "https" ? "443" : "80")}:${shown.join(",")}`;
  }
  return settings;
}

/** Settings travel in the environment: a token in an argument would be visible to other users. */
function environment(settings: Record<string, string>, home: string, { transport }: GitSource) {
  const env = cleanEnvironment(
    {
      HOME: home,
      XDG_CONFIG_HOME: home,
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_ATTR_NOSYSTEM: "1",
      GIT_TERMINAL_PROMPT: "0",
      GIT_ASKPASS: "true",
      SSH_ASKPASS: "true",
      GIT_ALLOW_PROTOCOL: transport,
      GIT_LFS_SKIP_SMUDGE: "1",
      GIT_SSH_COMMAND: SSH_COMMAND,
      GIT_SSH_VARIANT: "ssh",
      GIT_OPTIONAL_LOCKS: "0",
      GIT_NO_REPLACE_OBJECTS: "1",
      GIT_CONFIG_COUNT: String(Object.keys(settings).length),
    },
    ["SSH_AUTH_SOCK"],
  );
  for (const [index, [key, value]] of Object.entries(settings).entries()) {
    env[`GIT_CONFIG_KEY_${index}`] = key;
    env[`GIT_CONFIG_VALUE_${index}`] = value;
  }
  return env;
}

class Git {
  readonly #cwd: string;
  readonly #env: Record<string, string>;
  readonly #signal: AbortSignal;
  readonly #tooLarge = new AbortController();

  constructor(cwd: string, env: Record<string, string>, signal: AbortSignal) {
    this.#cwd = cwd;
    this.#env = env;
    this.#signal = AbortSignal.any([signal, this.#tooLarge.signal]);
  }

  run(args: string[], consume?: (stdout: ReadableStream<Uint8Array>) => Promise<void>): Promise<RunResult> {
    const signal = this.#signal;
    return run(["git", ...args], { cwd: this.#cwd, env: this.#env, signal, step: "fetch", consume });
  }

  refuseSize(): void {
    const most = LIMITS.repositoryBytes / 1024 / 1024;
    this.#tooLarge.abort(new InstallError(400, "fetch", `the repository is larger than ${most} MiB.`));
  }
}

async function fetchTarget(git: Git, repository: string, { url, ref }: GitSource): Promise<string> {
  const wanted = `+${ref ?? "HEAD"}:${TARGET}`;
  let result = await fetch(git, repository, url, ["--depth=1"], [wanted]);
  if (result.code !== 0 && /shallow/.test(result.stderr)) {
    result = await fetch(git, repository, url, [], [wanted]);
  }
  if (result.code === 0) return commitOf(git, repository, TARGET, ref);
  if (ref !== undefined && /^[0-9a-f]{7,64}$/.test(ref)) {
    // Abbreviated, or a commit that this server does not give out by its id.
    const all = ["+refs/heads/*:refs/reef/heads/*", "+refs/tags/*:refs/reef/tags/*"];
    const everything = await fetch(git, repository, url, [], all);
    if (everything.code === 0) return commitOf(git, repository, ref, ref);
  }
  if (/couldn't find remote ref|not our ref|unadvertised object|invalid refspec/i.test(result.stderr)) {
    throw new InstallError(
      404,
      "fetch",
      `the repository has no ${ref === undefined ? "default branch" : `"${ref}"`}.`,
    );
  }
  throw failed("the repository cannot be fetched", result);
}

function fetch(
  git: Git,
  repository: string,
  url: string,
  options: string[],
  refspecs: string[],
): Promise<RunResult> {
  const fixed = [
    "--quiet",
    "--no-tags",
    "--no-recurse-submodules",
    "--no-auto-maintenance",
    "--no-write-fetch-head",
  ];
  return git.run(["-C", repository, "fetch", ...fixed, ...options, "--", url, ...refspecs]);
}

async function commitOf(
  git: Git,
  repository: string,
  name: string,
  ref: string | undefined,
): Promise<string> {
  const args = ["-C", repository, "rev-parse", "--quiet", "--verify", "--end-of-options", `${name}^{commit}`];
  const { code, stdout } = await git.run(args);
  const commit = stdout.trim();
  if (code === 0 && COMMIT_ID.test(commit)) return commit;
  throw new InstallError(
    404,
    "fetch",
    `the repository has no commit ${ref === undefined ? "" : `"${ref}"`}.`,
  );
}

/**
 * Writes a commit's files, or those of one folder in it, to `consume` as an uncompressed tar archive.
 *
 * @throws InstallError 404 when the folder is not in the commit.
 */
export async function readCommit(
  { repository, commit }: FetchedCommit,
  subdirectory: string | undefined,
  room: string,
  signal: AbortSignal,
  consume: (stdout: ReadableStream<Uint8Array>) => Promise<void>,
): Promise<void> {
  const env = cleanEnvironment({
    HOME: join(room, "home"),
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_ATTR_NOSYSTEM: "1",
    GIT_ALLOW_PROTOCOL: "none",
  });
  const git = new Git(room, env, signal);
  const tree = subdirectory === undefined ? commit : `${commit}:${subdirectory}`;
  const type = await git.run(["-C", repository, "cat-file", "-t", tree]);
  if (type.code !== 0 || !/^(commit|tree)$/.test(type.stdout.trim())) {
    throw new InstallError(404, "fetch", `the repository has no folder "${subdirectory}".`);
  }
  must(
    await git.run(["-C", repository, "archive", "--format=tar", tree], consume),
    "the files cannot be read",
  );
}

function must(result: RunResult, what: string): void {
  if (result.code !== 0) throw failed(what, result);
}

/** git says why on stderr, in its last lines; some of it is the remote's own words. */
function failed(what: string, { code, stderr }: RunResult): InstallError {
  const lines = stderr.split("\n").filter((line) => /^(fatal|error|remote):/.test(line));
  const why = printable(lines.slice(-2).join("; ") || stderr, 300) || `git ended with code ${code}`;
  return new InstallError(502, "fetch", `${what}: ${why}`);
}

/** Ends git when a repository grows beyond its limit. */
function watchSize(repository: string, git: Git): () => void {
  let timer: ReturnType<typeof setTimeout>;
  let over = false;
  const look = async () => {
    const bytes = await sizeOf(repository);
    if (bytes > LIMITS.repositoryBytes) git.refuseSize();
    else if (!over) timer = setTimeout(look, POLL_MS);
  };
  timer = setTimeout(look, POLL_MS);
  return () => {
    over = true;
    clearTimeout(timer);
  };
}

async function sizeOf(folder: string): Promise<number> {
  let bytes = 0;
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) bytes += await sizeOf(path);
    // git renames and removes files while we look.
    else
      bytes += await stat(path).then(
        ({ size }) => size,
        () => 0,
      );
  }
  return bytes;
}
