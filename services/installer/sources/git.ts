/** Fetches one commit of a git repository into a bare repository of our own, and gives its files as a tar stream. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { InstallError } from "../errors.js";
import { LIMITS } from "../limits.js";
import type { RunResult } from "../process.js";
import type { GitSource } from "../sources.js";
import {
  type ConnectionOptions,
  localEnvironment,
  remoteEnvironment,
  settingsFor,
} from "./git-environment.js";
import { Git, gitFailure, must, watchSize } from "./git-process.js";

/** A commit that has been fetched. */
export interface FetchedCommit {
  repository: string;
  /** Its full id. */
  commit: string;
}

const TARGET = "refs/reef/target";
const COMMIT_ID = /^[0-9a-f]{40}([0-9a-f]{24})?$/;

/** No conversion of what is in the repository: files come as they were committed, all of them. */
const ATTRIBUTES = "* -export-ignore -export-subst -text -eol -ident -filter -working-tree-encoding\n";

/**
 * Fetches the commit that `source` names into `<workspace>/repository`.
 *
 * @throws InstallError 403 when the operator does not allow the place, 404 when the ref does not exist there,
 * 502 when the repository cannot be fetched, or the signal's reason.
 */
export async function fetchCommit(
  source: GitSource,
  workspace: string,
  options: ConnectionOptions,
): Promise<FetchedCommit> {
  const settings = await settingsFor(source, options);
  const repository = join(workspace, "repository");
  const home = join(workspace, "home");
  mkdirSync(home, { recursive: true });
  const git = new Git(workspace, remoteEnvironment(home, settings, source.transport), options.signal);
  must(
    await git.run(["init", "--quiet", "--bare", "--template=", repository]),
    "the repository cannot be created",
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
  throw gitFailure("the repository cannot be fetched", result);
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
 * @throws InstallError 404 when the folder is not in the commit, 400 when it holds too much.
 */
export async function readCommit(
  { repository, commit }: FetchedCommit,
  subdirectory: string | undefined,
  workspace: string,
  signal: AbortSignal,
  consume: (stdout: ReadableStream<Uint8Array>) => Promise<void>,
): Promise<void> {
  const git = new Git(workspace, localEnvironment(join(workspace, "home")), signal);
  const tree = subdirectory === undefined ? commit : `${commit}:${subdirectory}`;
  const type = await git.run(["-C", repository, "cat-file", "-t", tree]);
  if (type.code !== 0 || !/^(commit|tree)$/.test(type.stdout.trim())) {
    throw new InstallError(404, "fetch", `the repository has no folder "${subdirectory}".`);
  }
  await assertFew(git, repository, tree);
  must(
    await git.run(["-C", repository, "archive", "--format=tar", tree], consume),
    "the files cannot be read",
  );
}

/**
 * Refuses a tree of more names than a package may have. `git archive` takes all of them into memory before it writes
 * the first, and a repository of a few kilobytes can hold billions: its folders may be the same one again and again.
 */
async function assertFew(git: Git, repository: string, tree: string): Promise<void> {
  const { entries, pathBytes } = LIMITS;
  let names = 0;
  let bytes = 0;
  const count = async (stdout: ReadableStream<Uint8Array>) => {
    for await (const chunk of stdout) {
      bytes += chunk.byteLength;
      for (const byte of chunk) if (byte === 0) names++;
      if (names <= entries && bytes <= entries * pathBytes) continue;
      throw new InstallError(
        400,
        "unpack",
        `the package has more than ${entries} entries, or entries that are too long.`,
      );
    }
  };
  const list = ["-C", repository, "ls-tree", "-r", "-t", "-z", "--name-only", tree];
  must(await git.run(list, count), "the files cannot be listed");
}
