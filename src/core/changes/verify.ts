/** Verifies a new version before it replaces the running one. */
import { AsyncLocalStorage } from "node:async_hooks";
import { messageOf } from "../errors.js";
import { yieldToEventLoop } from "../event-loop.js";
import { LoadFailure } from "../load-failure.js";
import type { LoadOptions } from "../registry-types.js";
import { withTimeout } from "../scope.js";
import { discard, type Version } from "../version.js";

/** How long a verification may take, in milliseconds. Requests to the running version wait meanwhile. */
const VERIFY_LIMIT_MS = 5000;

/**
 * Runs `verify` against a started version. If it throws or times out, the version is discarded and
 * `VERIFY_FAILED` thrown.
 */
export async function verifyVersion(
  version: Version,
  verify: NonNullable<LoadOptions["verify"]>,
): Promise<void> {
  const { module, serving, source } = version;
  const mount = module.mountAtRoot ? "" : `/${module.name}`;
  // Requests belong to the change, whatever context the caller is in.
  const inChange = AsyncLocalStorage.snapshot();
  const request = async (path: string, init?: RequestInit) =>
    inChange(() => serving.handle(new Request(`http://localhost${mount}${path}`, init), undefined));
  try {
    await yieldToEventLoop();
    const looking = verify({ module, digest: source?.digest ?? "", request });
    const tooSlow = () => new Error(`the verification did not finish within ${VERIFY_LIMIT_MS} ms.`);
    await withTimeout(looking, VERIFY_LIMIT_MS, tooSlow);
  } catch (error) {
    await discard(version);
    throw new LoadFailure("VERIFY_FAILED", "verify", messageOf(error), { cause: error });
  }
}
