/** A pi for tests: keeps what is registered, and emits events the way pi does: one handler after the other. */
import type { ExtensionAPI, ToolDefinition } from "@mariozechner/pi-coding-agent";

type Handler = (event: unknown, ctx: unknown) => unknown;

export interface FakePi {
  pi: ExtensionAPI;
  tools: Map<string, ToolDefinition>;
  /** Widgets in the order in which they were set. */
  widgets: string[][];
  notifications: string[];
  /** Makes the present context throw on every use, as pi does after a session was replaced. */
  invalidate(): void;
  /** Resolves with what the handlers returned. */
  emit(type: string): Promise<unknown[]>;
  /** Calls a tool as pi does. */
  call(name: string, params?: unknown, signal?: AbortSignal): Promise<unknown>;
}

/** @param events The bus that extensions of one session share; a session of its own when absent. */
export function createFakePi(options: { hasUI?: boolean; events?: object } = {}): FakePi {
  const tools = new Map<string, ToolDefinition>();
  const handlers = new Map<string, Handler[]>();
  const widgets: string[][] = [];
  const notifications: string[] = [];
  let stale = false;
  const fresh = <T>(value: T): T => {
    if (stale) throw new Error("This extension ctx is stale");
    return value;
  };
  const ui = {
    setWidget: (_key: string, lines: string[]) => void widgets.push(lines),
    notify: (line: string) => void notifications.push(line),
  };
  const createContext = () => ({
    get ui() {
      return fresh(ui);
    },
    get hasUI() {
      return fresh(options.hasUI ?? true);
    },
  });
  const pi = {
    events: options.events ?? {},
    registerTool: (tool: ToolDefinition) => void tools.set(tool.name, tool),
    on: (type: string, handler: Handler) => void handlers.set(type, [...(handlers.get(type) ?? []), handler]),
  } as unknown as ExtensionAPI;
  return {
    pi,
    tools,
    widgets,
    notifications,
    invalidate: () => {
      stale = true;
    },
    emit: async (type) => {
      const event = { type };
      const ctx = createContext();
      const results: unknown[] = [];
      for (const handler of handlers.get(type) ?? []) results.push(await handler(event, ctx));
      return results;
    },
    call: async (name, params = {}, signal) => {
      const tool = tools.get(name);
      if (!tool) throw new Error(`there is no tool ${name}`);
      return tool.execute("call", params as never, signal, undefined, createContext() as never);
    },
  };
}
