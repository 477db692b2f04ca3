/** The agent's side: turns service modules into one pi extension. Runs on Node and on Bun. */
import type { ExtensionAPI, ExtensionContext, ToolDefinition } from "@mariozechner/pi-coding-agent";
import { messageOf } from "./errors.js";
import { claimSession } from "./extension/claims.js";
import { HandlerGuard } from "./extension/handlers.js";
import { Installation, type InstallationOptions } from "./extension/installation.js";
import { isSelected, selectionFrom } from "./extension/selection.js";
import { ToolRegistrar } from "./extension/tools.js";
import { guardUnhandled } from "./extension/unhandled.js";
import { CompositeWidget } from "./extension/widget.js";
import type { ServiceModule } from "./types.js";

/** Options of {@link createExtension}. */
export interface ExtensionOptions extends InstallationOptions {
  /** The file that the extension is loaded from, which distinguishes a reload from a second copy. */
  origin?: string;
  /** The services' code file, as it appears in stack traces. */
  codeFile?: string;
  /** Preassigned wire names by canonical tool name; others are derived. */
  wireNames?: Readonly<Record<string, string>>;
  /** Earlier problems, reported once the extension has claimed the session. */
  problems?: readonly string[];
}

/**
 * Creates the pi extension for these services: their tools, behaviours and widgets. Errors of one service do
 * not affect the others. Services without a client half are ignored; `REEF_SERVICES` and `REEF_CATEGORY` select
 * among the rest.
 *
 * @example
 * export default createExtension([board, log]);
 */
export function createExtension(
  modules: readonly ServiceModule[],
  options: ExtensionOptions = {},
): (pi: ExtensionAPI) => void {
  return (pi) => {
    const installation = new Installation(options);
    const release = claimSession(pi, options.origin);
    if (!release) {
      installation.say("is already installed in this agent; this copy is not used.");
      return;
    }
    for (const problem of options.problems ?? []) installation.say(problem);
    const choice = selectionFrom(options.env);
    const chosen = modules.filter((module) => isSelected(module, choice));
    guardUnhandled((error) => installation.report("unhandled error in a service", error), options.codeFile);
    followSession(pi, installation, new CompositeWidget(chosen, installation), release);
    const registrar = new ToolRegistrar(options.wireNames);
    for (const module of chosen) register(pi, module, installation, registrar);
    registrar.settle();
  };
}

/** Subscribes to session events, before the services' own handlers so that slow ones cannot delay the widget. */
function followSession(
  pi: ExtensionAPI,
  installation: Installation,
  widget: CompositeWidget,
  release: () => void,
): void {
  const begin = (ctx: ExtensionContext) => {
    if (ctx.hasUI) {
      const { ui } = ctx;
      installation.notify = (line) => ui.notify(line, "warning");
    }
    widget.start(ctx);
  };
  const contained = (where: string, fn: () => void) => {
    try {
      fn();
    } catch (error) {
      installation.report(where, error);
    }
  };
  pi.on("session_start", (_event, ctx) => contained("session_start", () => begin(ctx)));
  pi.on("agent_end", () => widget.refresh());
  pi.on("session_shutdown", () => {
    widget.stop();
    release();
    installation.close();
  });
}

function register(
  pi: ExtensionAPI,
  module: ServiceModule,
  installation: Installation,
  registrar: ToolRegistrar,
): void {
  const { name } = module;
  const owner = installation.ownerOf(name);
  const handlers = new HandlerGuard(pi, name, installation);
  const report = (error: unknown) => installation.report(name, error);
  const view = owner.view(pi, {
    registerTool: (tool: ToolDefinition) => {
      try {
        registrar.register({ pi, service: name, tool, owner, report });
      } catch (error) {
        report(error);
      }
    },
    on: (event: string, handler: (event: unknown, ctx: unknown) => unknown) => handlers.on(event, handler),
    events: pi.events && owner.view(pi.events),
  });
  for (const half of ["registerTools", "registerBehaviors"] as const) {
    try {
      const result: unknown = owner.run(() => module[half]?.(view, installation.client));
      if (result instanceof Promise) {
        result.catch((error) => installation.report(`${name}, ${half}`, error));
      }
    } catch (error) {
      installation.say(`${name}, ${half}: ${messageOf(error)}`);
    }
  }
}
