/** A look at a new version before it replaces the running one. */
import { AsyncLocalStorage } from "node:async_hooks";
import { messageOf } from "../errors.js";
import { yieldToEventLoop } from "../event-loop.js";
import { LoadFailure } from "../load-failure.js";
import type { LoadOptions } from "../registry-types.js";
import { within } from "../scope.js";
import { discard, type Version } from "../version.js";

/** How long a verification may take, in milliseconds: requests to the running version wait for it. */
const VERIFY_LIMIT_MS = 5000;

/** Lets `verify` try a started version. When it throws or takes too long the version is discarded: `VERIFY_FAILED`. */
export async function verifyVersion(
  version: Version,
  verify: NonNullable<LoadOptions["verify"]>,
): Promise<void> {
  const { module, serving, source } = version;
  const mount = module.mountAtRoot ? "" : `/${module.name}`;
  // As part of the change, whatever the caller's context is.
  const inChange = AsyncLocalStorage.snapshot();
  const request = async (path: string, init?: RequestInit) =>
    inChange(() => serving.handle(new Request(`http://localhost${mount}${path}`, init), undefined));
  try {
    await yieldToEventLoop();
    const looking = verify({ module, digest: source?.digest ?? "", request });
    const tooSlow = () => new Error(`the verification did not finish within ${VERIFY_LIMIT_MS} ms.`);
    await within(looking, VERIFY_LIMIT_MS, tooSlow);
  } catch (error) {
    await discard(version);
    throw new LoadFailure("VERIFY_FAILED", "verify", messageOf(error), { cause: error });
  }
}
