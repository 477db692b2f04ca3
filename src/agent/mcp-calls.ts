/** Tool calls by MCP clients. */
import { messageOf, ReefError } from "../core/errors.js";
import { resultOf } from "../core/extension/results.js";
import { KEPT_JOBS, type KeptJobsHost } from "../core/kept-jobs.js";
import { truncate } from "../core/truncate.js";
import type { ToolResult } from "../core/types.js";
import type { ToolCatalog } from "./catalog.js";
import { type Caller, type ExecutionHost, executeTool } from "./execute.js";
import { type LongCall, LongCalls } from "./long-calls.js";
import { CALL, LIST, MAX_MCP_NAME, search, WAIT } from "./mcp-tools.js";

/** The result of a call in MCP's form. */
export type CallResult = Pick<ToolResult, "content" | "isError">;

/** The part of a service's context that is needed to run tools and keep long calls. */
export type McpHost = ExecutionHost & KeptJobsHost;

/** The maximum length of an unknown id in messages. */
const MAX_SHOWN_ID = 100;

/** Runs the calls of MCP clients. */
export class McpCalls {
  readonly #long: LongCalls<CallResult>;

  /** @param answerAfterMs After how long a call is answered without its result, in milliseconds. */
  constructor(
    private readonly host: McpHost,
    private readonly catalog: ToolCatalog,
    answerAfterMs?: number,
  ) {
    this.#long = new LongCalls(host, answerAfterMs);
  }

  /**
   * Calls a tool. Failures are results for the model rather than protocol errors, so that it can correct its
   * input or try another tool.
   */
  async call(name: string, input: unknown, caller: Caller): Promise<CallResult> {
    try {
      if (name === LIST) return text(JSON.stringify(await search(this.catalog, input), null, 2));
      if (name === WAIT) return await this.#wait(input);
      if (name !== CALL) return await this.#begin(name, input, caller);
      const { name: target, arguments: given } = fieldsOf(input);
      if (typeof target !== "string")
        throw new ReefError("BAD_REQUEST", `${CALL} requires the name of a tool`);
      return await this.call(target === CALL ? LIST : target, given, caller);
    } catch (error) {
      return failure(error);
    }
  }

  async #begin(name: string, input: unknown, caller: Caller): Promise<CallResult> {
    const tool = await this.catalog.expect(name, MAX_MCP_NAME);
    if (!tool)
      throw new ReefError("NOT_FOUND", `there is no tool "${name}"; ${LIST} lists the existing ones`);
    const run = async (signal: AbortSignal): Promise<CallResult> => {
      try {
        const { content } = await executeTool(this.host, tool, input, { ...caller, signal });
        return { content };
      } catch (error) {
        return failure(error);
      }
    };
    const begun = await this.#long.begin(tool.name, run, caller.signal);
    return "status" in begun ? describeCall(begun) : begun.result;
  }

  async #wait(input: unknown): Promise<CallResult> {
    const { id } = fieldsOf(input);
    if (typeof id !== "string") throw new ReefError("BAD_REQUEST", `${WAIT} requires the id of a call`);
    const call = await this.#long.wait(id);
    if (call) return describeCall(call);
    const shown = JSON.stringify(truncate(id, MAX_SHOWN_ID));
    throw new ReefError(
      "NOT_FOUND",
      `there is no call with the id ${shown}: only the latest ${KEPT_JOBS} long calls are kept. Check what the tool changed`,
    );
  }
}

const fieldsOf = (input: unknown) => (input ?? {}) as Record<string, unknown>;

function describeCall({ id, name, status, result, error }: LongCall<CallResult>): CallResult {
  if (status === "running") {
    const asked = JSON.stringify({ id });
    return text(
      `"${name}" is still running. Call ${WAIT} with ${asked} to get its result; do not call "${name}" again.`,
    );
  }
  const why = error ?? "its result was too large to keep over a restart of the server";
  return result ?? failure(new Error(`"${name}": ${why}`));
}

const failure = (error: unknown): CallResult => ({ ...text(`Error: ${messageOf(error)}`), isError: true });

const text = (value: string): CallResult => ({ content: resultOf(value).content });
