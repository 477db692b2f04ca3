import { createMcp, ExtensionBuilder, type Mcp, ToolCatalog } from "../../src/agent/index.js";
import { messageOf } from "../../src/core/errors.js";
import type { ServiceContext } from "../../src/core/types.js";

/** Changes come in rows; the file is built when a row has ended, in milliseconds. */
const SETTLE_MS = 150;

interface Parts {
  ctx: ServiceContext;
  builder: ExtensionBuilder;
  catalog: ToolCatalog;
  mcp: Mcp;
}

/** The builder, the catalogue and the MCP handler of one server. */
export class AgentSide {
  #parts: Parts | undefined;

  start(ctx: ServiceContext): void {
    const builder = new ExtensionBuilder(ctx);
    const catalog = new ToolCatalog(ctx);
    const mcp = createMcp({
      host: ctx,
      catalog,
      version: "1",
      onError: (error) => ctx.log.warn(`MCP: ${messageOf(error)}`),
    });
    this.#parts = { ctx, builder, catalog, mcp };
    ctx.onDispose(() => mcp.close());
    ctx.onDispose(() => builder.close());
    ctx.events.on("services:changed", ({ action }: { action: string }) => {
      // The version that served before still does; its code may be gone from the folder.
      if (action === "failed") return;
      builder.invalidate();
      mcp.toolsChanged();
      cancel?.();
      cancel = ctx.setTimeout(() => this.#build(ctx), SETTLE_MS);
    });
    ctx.events.on("tools:changed", () => mcp.toolsChanged());
    let cancel: (() => void) | undefined = ctx.setTimeout(() => this.#build(ctx), SETTLE_MS);
    // Those that join while the server starts are not announced.
    void ctx.registry.started().then(() => mcp.toolsChanged());
  }

  /** Builds ahead of the first request, and says in the log what agents will not get. */
  async #build(ctx: ServiceContext): Promise<void> {
    const building = this.parts.builder.current();
    const built = await building.catch((error) => {
      // It has gone, and with it whoever would want the file.
      if (!ctx.signal.aborted) throw error;
    });
    if (!built) return;
    const { leftOut, problems, services, hash, builtInMs } = built;
    ctx.log.info(
      `extension ${hash.slice(0, 8)} built in ${Math.round(builtInMs)} ms: ${services.join(", ") || "no services"}`,
    );
    for (const { name, reason } of leftOut) ctx.log.warn(`extension without "${name}": ${reason}`);
    for (const { service, tool, error } of problems) {
      ctx.log.warn(`extension, "${service}"${tool ? `, tool "${tool}"` : ""}: ${error}`);
    }
  }

  get parts(): Parts {
    if (!this.#parts) throw new Error("the agent service has not started");
    return this.#parts;
  }
}
