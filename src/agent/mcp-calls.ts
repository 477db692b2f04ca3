/** Calls of tools by MCP clients. */
import { messageOf, ReefError } from "../core/errors.js";
import { resultOf } from "../core/extension/results.js";
import type { ToolResult } from "../core/types.js";
import type { ToolCatalog } from "./catalog.js";
import { type Caller, type ExecutionHost, executeTool } from "./execute.js";
import { LongCalls, Unfinished } from "./long-calls.js";
import { CALL, LIST, MAX_MCP_NAME, search, WAIT } from "./mcp-tools.js";

export type CallResult = Pick<ToolResult, "content" | "isError">;

export class McpCalls {
  readonly #long: LongCalls<CallResult>;

  /** @param answerAfterMs After how long a call is answered without its result, in milliseconds. */
  constructor(
    private readonly host: ExecutionHost,
    private readonly catalog: ToolCatalog,
    answerAfterMs?: number,
  ) {
    this.#long = new LongCalls(answerAfterMs);
  }

  /** What fails is told to the model, not to the protocol: it can mend its input or try another tool. */
  async call(name: string, input: unknown, caller: Caller): Promise<CallResult> {
    try {
      if (name === LIST) return text(JSON.stringify(await search(this.catalog, input), null, 2));
      if (name === WAIT) return await this.#wait(input);
      if (name !== CALL) return await this.#begin(name, input, caller);
      const { name: target, arguments: given } = fieldsOf(input);
      if (typeof target !== "string") throw new ReefError("BAD_REQUEST", `${CALL} takes the name of a tool`);
      return await this.call(target === CALL ? LIST : target, given, caller);
    } catch (error) {
      return failure(error);
    }
  }

  async #begin(name: string, input: unknown, caller: Caller): Promise<CallResult> {
    const tool = await this.catalog.expect(name, MAX_MCP_NAME);
    if (!tool) throw new ReefError("NOT_FOUND", `there is no tool "${name}"; ${LIST} shows those there are`);
    const run = async (signal: AbortSignal): Promise<CallResult> => {
      try {
        const { content } = await executeTool(this.host, tool, input, { ...caller, signal });
        return { content };
      } catch (error) {
        return failure(error);
      }
    };
    return told(await this.#long.begin(tool.name, run, caller.signal));
  }

  async #wait(input: unknown): Promise<CallResult> {
    const { id } = fieldsOf(input);
    if (typeof id !== "string") throw new ReefError("BAD_REQUEST", `${WAIT} takes the id of a call`);
    const result = await this.#long.wait(id);
    if (result) return told(result);
    throw new ReefError(
      "NOT_FOUND",
      `no call has the id "${id}": results of the latest fifty are kept, and none over a restart of the server or of its agent service. What the tool changed is there to be seen`,
    );
  }
}

const fieldsOf = (input: unknown) => (input ?? {}) as Record<string, unknown>;

function told(result: CallResult | Unfinished): CallResult {
  if (!(result instanceof Unfinished)) return result;
  const { id, name } = result;
  return text(
    `"${name}" is still running, and goes on. Call ${WAIT} with ${JSON.stringify({ id })} for its result; do not call "${name}" again.`,
  );
}

const failure = (error: unknown): CallResult => ({ ...text(`Error: ${messageOf(error)}`), isError: true });

const text = (value: string): CallResult => ({ content: resultOf(value).content });
