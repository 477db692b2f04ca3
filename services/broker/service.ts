import { join } from "node:path";
import {
  Broker,
  type BrokerLimits,
  type BrokerTool,
  type CallOptions,
  type EnforcementMode,
  type Permissions,
  type ProviderInfo,
  type ServiceClient,
  serveOffers,
} from "../../src/broker/index.js";
import { readConfig } from "../../src/core/config.js";
import { messageOf } from "../../src/core/errors.js";
import type { Json, ServiceContext, ServiceModule, ServiceStore } from "../../src/core/types.js";
import { routeDocs } from "./docs.js";
import { type FolderChanges, PluginFolders } from "./folders.js";
import { PluginLogs } from "./logs.js";
import { brokerRoutes, type Running } from "./routes.js";
import { SqlitePluginStorage } from "./storage.js";

/** What other services get from `ctx.getStore<BrokerStore>("broker")`. */
export interface BrokerStore {
  /** Calls a method with a service's own authority. Rejects with a `BrokerError`. */
  call<Result = Json>(
    pluginId: string,
    service: string,
    method: string,
    input?: unknown,
    options?: CallOptions & { caller?: string },
  ): Promise<Result>;
  createServiceClient<T>(
    pluginId: string,
    service: string,
    options?: CallOptions & { caller?: string },
  ): ServiceClient<T>;
  describe(): ProviderInfo[];
  listTools(): BrokerTool[];
  effectivePermissions(callerId: string, calleeId: string): Permissions;
  /** Takes up the plugin folders as they are now. */
  sync(): Promise<FolderChanges>;
  /** Loads a plugin from any folder; it stays until it is unloaded or the broker goes. */
  load(folder: string): Promise<string>;
  unload(pluginId: string): boolean;
}

/** What can be set about the broker. */
export interface BrokerServiceOptions {
  /** The operator's `REEF_BROKER_ENFORCEMENT` unless given. */
  enforcement?: EnforcementMode;
  limits?: Partial<BrokerLimits>;
  /** Where plugin folders are looked for; the services folder unless given. */
  pluginsDir?: string;
}

/** Makes the broker's service. */
export function createBrokerService(options: BrokerServiceOptions = {}): ServiceModule {
  let current: Running | null = null;
  const running = (): Running => {
    if (!current) throw new Error("the broker is not running");
    return current;
  };
  const store: BrokerStore & ServiceStore = {
    call: (...args) => running().broker.call(...args),
    createServiceClient: (...args) => running().broker.createServiceClient(...args),
    describe: () => running().broker.describe(),
    listTools: () => running().broker.listTools(),
    effectivePermissions: (...args) => running().broker.effectivePermissions(...args),
    sync: () => running().folders.sync(),
    load: async (folder) => (await running().broker.load(folder)).id,
    unload: (pluginId) => running().broker.unload(pluginId),
    flush: () => current?.storage.flush(),
  };

  return {
    name: "broker",
    description: "Calls between plugins and from agents, limited by permissions",
    routes: brokerRoutes(running),
    routeDocs,
    store,
    toolProvider: {
      listTools: () =>
        running()
          .broker.listTools()
          .map(({ name, description, inputSchema, target }) => ({
            name,
            label: `${target.service}: ${target.method}`,
            description,
            inputSchema: typeof inputSchema === "boolean" ? {} : { ...inputSchema },
            owner: target.pluginId,
          })),
      callTool: (name, input, { signal }) => {
        const { broker } = running();
        const tool = broker.listTools().find((one) => one.name === name);
        if (!tool) throw new Error(`no plugin offers "${name}" any longer`);
        const { pluginId, service, method } = tool.target;
        return broker.call(pluginId, service, method, input, { signal });
      },
    },
    async init(ctx) {
      current = await start(ctx, options);
    },
  };
}

async function start(ctx: ServiceContext, options: BrokerServiceOptions): Promise<Running> {
  const storage = new SqlitePluginStorage(join(ctx.dataDir, "broker.sqlite"));
  ctx.onDispose(() => storage.close());
  const logs = new PluginLogs((pluginId, line) => ctx.log.warn(`${pluginId}: ${line}`));
  const broker = new Broker({
    log: logs,
    storage,
    limits: options.limits,
    enforcement: options.enforcement ?? readConfig().brokerEnforcement,
    supportFolder: (pluginId) => join(ctx.dataDir, "plugins", encodeURIComponent(pluginId)),
    codeFolder: join(ctx.dataDir, "plugin-code"),
    events: {
      emit(event) {
        if (event.type === "broker.plugin_event")
          ctx.events.fire(`plugin:${event.pluginId}:${event.name}`, event);
        ctx.events.fire(event.type, event);
        if (event.type === "broker.loaded" || event.type === "broker.unloaded")
          ctx.events.fire("tools:changed", {});
      },
    },
  });
  ctx.onDispose(() => broker.close());
  ctx.onDispose(
    serveOffers(ctx.dataDir, broker, (what, error) => ctx.log.error(`could not offer ${what}:`, error)),
  );
  const folders = new PluginFolders(broker, options.pluginsDir ?? ctx.servicesDir);
  const takeUp = async () => {
    const { results, errors } = await folders.sync();
    for (const { name, action } of results) ctx.log.info(`${name}: ${action}`);
    for (const { dir, error } of errors) ctx.log.warn(`${dir}: ${error}`);
  };
  await takeUp();
  for (const event of ["services:changed", "services:synced"]) {
    ctx.events.on(event, () =>
      takeUp().catch((error) => ctx.log.error(`plugin folders: ${messageOf(error)}`)),
    );
  }
  const { level, reason, mode } = await broker.enforcement();
  ctx.log.info(
    `permissions: ${mode === "off" ? "not enforced (REEF_BROKER_ENFORCEMENT=off)" : `${level} (${reason})`}`,
  );
  return { broker, folders, logs, storage };
}
