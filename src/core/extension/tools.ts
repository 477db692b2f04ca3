/** Makes a service's tools behave the same in every agent: real errors, plain schemas, names that providers accept. */
import type { ExtensionAPI, ToolDefinition } from "@mariozechner/pi-coding-agent";
import { isErrorResult } from "../client.js";
import { messageOf } from "../errors.js";
import { wireNames } from "../tool-names.js";
import type { ToolResult } from "../types.js";
import { keepAlive, LATE, within } from "./alive.js";
import { underLimits } from "./limits.js";
import { contextFor, type Owner, outside } from "./owner.js";

type Execute = ToolDefinition["execute"];

/** The tools that an extension has registered so far, by the name the model sees. */
export class ToolRegistrar {
  /** Wire name → canonical name and the service it came from. */
  readonly #taken = new Map<string, { name: string; service: string }>();

  /** Registers `tool`. Throws when its name is missing or taken; the first one then stays. */
  register(pi: ExtensionAPI, service: string, tool: ToolDefinition, owner: Owner): void {
    const { name } = tool;
    if (typeof name !== "string" || name === "") throw new Error("a tool without a name was left out");
    if (typeof tool.execute !== "function")
      throw new Error(`tool "${name}" was left out: execute is no function`);
    for (const holder of this.#taken.values()) {
      if (holder.name !== name) continue;
      throw new Error(`tool "${name}" was left out: the name is taken by "${holder.service}"`);
    }
    const names = wireNames([...[...this.#taken.values()].map((holder) => holder.name), name]);
    const wire = names.get(name) as string;
    pi.registerTool({
      ...tool,
      name: wire,
      label: typeof tool.label === "string" ? tool.label : name,
      description: typeof tool.description === "string" ? tool.description : "",
      parameters: plainSchema(tool.parameters) as ToolDefinition["parameters"],
      execute: guarded(tool, owner),
    });
    this.#taken.set(wire, { name, service });
  }
}

/** A copy without the symbols by which a bundled TypeBox marks its schemas: they would switch off coercion. */
export function plainSchema(schema: unknown): Record<string, unknown> {
  const copy: unknown = schema === undefined ? undefined : JSON.parse(JSON.stringify(schema));
  if (typeof copy !== "object" || copy === null || Array.isArray(copy)) {
    return { type: "object", properties: {} };
  }
  return copy as Record<string, unknown>;
}

/** How long a tool may take to say what it did before it was aborted, in milliseconds. */
const LAST_WORD_MS = 100;

/** Runs a tool so that it ends when the agent aborts it, and so that what failed is seen as failed. */
function guarded(tool: ToolDefinition, owner: Owner): Execute {
  return async (toolCallId, params, signal, onUpdate, ctx) => {
    const own = new AbortController();
    // Listeners of the service run on its account, not on that of whoever aborts.
    const aborted = abortOf(signal, () => owner.run(() => own.abort(signal?.reason)));
    const update: typeof onUpdate = onUpdate && ((partial) => outside(() => onUpdate(partial)));
    const given = signal && own.signal;
    const running = underLimits({ signal }, () =>
      owner.run(async () =>
        tool.execute(toolCallId, params, given, update, contextFor(owner, ctx) as typeof ctx),
      ),
    );
    try {
      const ending = aborted.promise.then(() => within(running, LAST_WORD_MS));
      const result: unknown = await keepAlive(Promise.race([running, ending]));
      if (result === LATE) throw new Error("aborted");
      return assertSuccess(result) as Awaited<ReturnType<Execute>>;
    } finally {
      aborted.release();
    }
  };
}

/** Resolves when `signal` is aborted, after `onAbort`. */
function abortOf(signal: AbortSignal | undefined, onAbort: () => void) {
  let abort = onAbort;
  const promise = new Promise<void>((resolve) => {
    abort = () => {
      onAbort();
      resolve();
    };
  });
  if (signal?.aborted) abort();
  else signal?.addEventListener("abort", abort, { once: true });
  return { promise, release: () => signal?.removeEventListener("abort", abort) };
}

/** The result of a tool that succeeded; throws with the result's text when it did not. */
export function assertSuccess(result: unknown): ToolResult {
  const given = (typeof result === "object" && result !== null ? result : {}) as Partial<ToolResult>;
  const content = Array.isArray(given.content)
    ? given.content
    : [{ type: "text" as const, text: textOf(result) }];
  if (isErrorResult(result) || given.isError === true) throw new Error(errorText(content));
  return { ...given, content, details: given.details ?? {} };
}

function textOf(result: unknown): string {
  if (typeof result === "string") return result;
  return result === undefined ? "done" : (JSON.stringify(result) ?? messageOf(result));
}

function errorText(content: ToolResult["content"]): string {
  const text = content.map((part) => part.text ?? "").join("\n");
  return text.replace(/^Error: /, "") || "the tool failed";
}
