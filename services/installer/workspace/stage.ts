/** From a source to a folder that is ready to be put into place: fetched, checked, complete, tried and tested. */
import { contentDigest } from "../../../src/core/code/digest.js";
import type { ServiceRegistry } from "../../../src/core/registry-types.js";
import type { TestVerdict } from "../../services/test-run/verdict.js";
import type { Folders } from "../folders.js";
import type { Progress } from "../jobs.js";
import { installDependencies } from "../package/dependencies.js";
import { validatePlugin } from "../package/plugins.js";
import { asUnreadable, testPackage, validateService } from "../package/validate.js";
import { inspectPackage, type PackageFacts } from "../package.js";
import type { InstalledVersion } from "../place/lock.js";
import { listFiles } from "../place.js";
import { type AcquireOptions, acquire } from "../sources/acquire.js";
import type { Origin } from "../sources/origin.js";
import type { Workspace } from "../workspace.js";

export interface StageOptions extends AcquireOptions {
  registry: ServiceRegistry;
  servicesDir: string;
  folders: Folders;
  initTimeoutMs: number;
  testTimeoutMs: number;
  /** Whether its own tests must pass. */
  test: boolean;
  /** Called as soon as it is known what the package asks for; may refuse it by throwing. */
  review?(version: Pick<InstalledVersion, "kind" | "permissions" | "commit">): void;
}

export interface Staged {
  version: InstalledVersion;
  tests: TestVerdict | undefined;
}

/** Leaves the folder as `workspace.incoming`. Rejects with an `InstallError`; the caller then removes the workspace. */
export async function stage(
  origin: Origin,
  dirName: string,
  workspace: Workspace,
  progress: Progress,
  options: StageOptions,
): Promise<Staged> {
  const { signal } = options;
  const linked = origin.type === "local" && origin.linked;
  const { commit } = await acquire(origin, workspace, progress, options);
  const facts = await progress.step(
    "check",
    async () => {
      const found = inspect(workspace.incoming);
      options.review?.({ kind: found.kind, permissions: found.permissions, commit });
      return found;
    },
    ({ kind, permissions }) => [kind, ...permissions].join(", "),
  );
  const files = linked ? {} : await listFiles(workspace.incoming, { signal });
  if (linked) progress.skip("dependencies", "a linked folder uses its own");
  else {
    await progress.step(
      "dependencies",
      () =>
        installDependencies(workspace.incoming, workspace.path, facts, {
          cacheDir: options.folders.cache,
          signal,
        }),
      (count) => (count === 0 ? "none" : `${count}`),
    );
  }
  workspace.linkNeighbours(options.servicesDir);
  const name = await progress.step(
    "validate",
    () => nameOf(facts.kind, workspace, dirName, options),
    (found) => found,
  );
  const tests = options.test
    ? await progress.step(
        "test",
        () => testPackage(workspace, dirName, options.testTimeoutMs, signal),
        ({ detail }) => detail,
      )
    : undefined;
  const ref = origin.type === "git" ? origin.ref : undefined;
  const version: InstalledVersion = {
    name,
    kind: facts.kind,
    digest: facts.digest,
    ...(commit !== undefined && { commit }),
    ...(ref !== undefined && { ref }),
    permissions: facts.permissions,
    at: new Date().toISOString(),
    files,
  };
  return { version, tests };
}

/** What a package says about itself, and the digest of its code, before anything else is added to the folder. */
function inspect(dir: string): PackageFacts & { digest: string } {
  try {
    return { ...inspectPackage(dir), digest: contentDigest(dir) };
  } catch (error) {
    throw asUnreadable(error, "check");
  }
}

/** Tries a package and resolves with what it calls itself. */
async function nameOf(
  kind: "service" | "plugin",
  workspace: Workspace,
  dirName: string,
  { registry, servicesDir, initTimeoutMs: timeoutMs, signal }: StageOptions,
): Promise<string> {
  if (kind === "plugin") return validatePlugin(workspace);
  const { name } = await validateService(workspace, { registry, servicesDir, dirName, timeoutMs, signal });
  return name;
}
