/** A model on the loopback: makes one tool call, then says what came of it. */
interface Message {
  role: string;
  content?: unknown;
}

export interface ModelServer {
  url: string;
  /** Results of tools, as the model was told. */
  results: string[];
  /** Names of the tools that the model was offered. */
  offered: Set<string>;
  /** What the model was told first. */
  prompts: string[];
  stop(): Promise<void>;
}

export function startModelServer(call: { name: string; arguments: Record<string, unknown> }): ModelServer {
  const results: string[] = [];
  const offered = new Set<string>();
  const prompts: string[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const body = (await request.json()) as {
        messages: Message[];
        tools?: Array<{ function: { name: string } }>;
      };
      prompts.push(JSON.stringify(body.messages[0]?.content));
      for (const tool of body.tools ?? []) offered.add(tool.function.name);
      const result = body.messages.findLast(({ role }) => role === "tool");
      if (result) results.push(JSON.stringify(result.content));
      const delta = result
        ? { role: "assistant", content: "All done." }
        : {
            role: "assistant",
            tool_calls: [
              {
                index: 0,
                id: "call_1",
                type: "function",
                function: { name: call.name, arguments: JSON.stringify(call.arguments) },
              },
            ],
          };
      const chunk = (part: object) =>
        `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "fake-1", ...part })}\n\n`;
      const text =
        chunk({ choices: [{ index: 0, delta, finish_reason: null }] }) +
        chunk({ choices: [{ index: 0, delta: {}, finish_reason: result ? "stop" : "tool_calls" }] }) +
        "data: [DONE]\n\n";
      return new Response(text, { headers: { "content-type": "text/event-stream" } });
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    results,
    offered,
    prompts,
    stop: () => server.stop(true),
  };
}
