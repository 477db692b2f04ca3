/** Runs a service's tools so that aborts take effect and failures are recognised as such. */
import type { ToolDefinition } from "@mariozechner/pi-coding-agent";
import { messageOf } from "../errors.js";
import { underLimits } from "./limits.js";
import { contextFor, type Owner } from "./owner.js";
import { runOutside } from "./owner-context.js";
import { assertSuccess, resultOf } from "./results.js";
import { keepAlive, TIMED_OUT, waitAtMost } from "./timeouts.js";

type Execute = ToolDefinition["execute"];

/** How long an aborted tool may take to return its result, in milliseconds. */
const ABORT_GRACE_MS = 100;

/** Wraps a tool's `execute`: it ends when the agent aborts it, and error results are thrown. */
export function guarded(tool: ToolDefinition, owner: Owner): Execute {
  return async (toolCallId, params, signal, onUpdate, ctx) => {
    const ownSignal = signal && owner.signal(signal);
    const aborted = abortOf(signal);
    const update: typeof onUpdate =
      onUpdate && ((partial) => runOutside(() => onUpdate(resultOf(partial) as typeof partial)));
    const running = underLimits({ signal }, () =>
      owner.run(async () =>
        tool.execute(toolCallId, params, ownSignal, update, contextFor(owner, ctx) as typeof ctx),
      ),
    );
    try {
      const ending = aborted.promise.then(() => waitAtMost(running, ABORT_GRACE_MS));
      const result: unknown = await keepAlive(Promise.race([running, ending]));
      if (result === TIMED_OUT) throw new Error("aborted");
      return assertSuccess(result) as Awaited<ReturnType<Execute>>;
    } catch (error) {
      // pi shows any other thrown value as "[object Object]".
      throw error instanceof Error ? error : new Error(typeof error === "string" ? error : messageOf(error));
    } finally {
      aborted.release();
    }
  };
}

/** Resolves when `signal` is aborted. */
function abortOf(signal: AbortSignal | undefined) {
  let abort: () => void = () => undefined;
  const promise = new Promise<void>((resolve) => {
    abort = resolve;
  });
  if (signal?.aborted) abort();
  else signal?.addEventListener("abort", abort, { once: true });
  return { promise, release: () => signal?.removeEventListener("abort", abort) };
}
