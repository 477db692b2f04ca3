/** Creates workers. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { BrokerError } from "./errors.js";
import type { BrokerLimits } from "./limits.js";
import type { LoadedPlugin, PluginManifest, ServiceManifest } from "./manifest.js";
import { describeDenial, explain, isAllowed } from "./permissions/check.js";
import { OS_ENFORCED } from "./permissions/names.js";
import type { Permissions } from "./permissions/set.js";
import { Worker, type WorkerEvents } from "./pool/worker.js";
import { fileLayers } from "./sandbox/layers.js";
import type { EnforcementLevel, EnforcementMode } from "./sandbox/level.js";
import { type AllowListProxy, startProxy } from "./sandbox/proxy.js";
import { schemasOf } from "./schema/worker-checks.js";

/** Environment variables that every worker gets. */
const COMMON_ENVIRONMENT = ["LANG", "LC_ALL", "TZ"];
/** Environment variables that are never passed to workers. */
const SECRET = /^(VERS_|REEF_)|TOKEN|SECRET|PASSWORD|CREDENTIAL/i;

/** How many denied hosts are logged per worker. */
const MAX_TOLD_HOSTS = 100;

/** Creates workers, each confined to its permissions. */
export class WorkerFactory {
  #folder: string | null = null;
  #count = 0;

  constructor(
    private readonly limits: BrokerLimits,
    private readonly mode: EnforcementMode,
    private readonly level: () => Promise<EnforcementLevel>,
    private readonly environment: Readonly<Record<string, string | undefined>>,
  ) {}

  /**
   * Whether a plugin will be confined on this machine; throws `not_enforceable` when it must not run
   * unconfined.
   */
  async confines(plugin: PluginManifest): Promise<boolean> {
    if (this.mode === "off") return false;
    const { level, reason } = await this.level();
    if (level === "full") return true;
    if (level === "partial") {
      if (!plugin.permissions.network) return true;
      throw new BrokerError(
        "not_enforceable",
        `${plugin.id} cannot run: its network permission is not enforceable on this machine: ${reason}`,
      );
    }
    const scoped = Object.keys(plugin.permissions).filter((name) => OS_ENFORCED.includes(name));
    if (this.mode === "scoped" && scoped.length === 0) return false;
    const what = scoped.length > 0 ? `its permissions (${scoped.join(", ")}) are` : "permissions are";
    throw new BrokerError(
      "not_enforceable",
      `${plugin.id} cannot run: ${what} not enforceable on this machine: ${reason}`,
    );
  }

  /** Starts a worker, with a network proxy that ends with it if it has a network permission. */
  async create(
    plugin: LoadedPlugin,
    service: ServiceManifest,
    permissions: Permissions,
    events: WorkerEvents,
  ): Promise<{ worker: Worker; proxySocket: string | null }> {
    const confined = await this.confines(plugin);
    const layers = confined ? await fileLayers(permissions, this.limits.maxFileRules) : [[]];
    const proxy = confined ? await this.#proxyFor(plugin, permissions, events) : null;
    try {
      const worker = new Worker(
        {
          confined,
          layers,
          plugin,
          env: this.environmentFor(permissions, plugin),
          proxySocket: proxy?.socketPath ?? null,
          setup: {
            pluginId: plugin.id,
            service: service.name,
            main: join(plugin.code.path, relative(plugin.root, service.main)),
            methods: [...service.methods.keys()],
            schemas: schemasOf(service),
            destroyTimeout: this.limits.destroyTimeout,
            maxMessage: this.limits.maxMessage,
          },
        },
        this.limits,
        {
          ...events,
          exit: (reason) => {
            proxy?.close();
            events.exit(reason);
          },
        },
      );
      return { worker, proxySocket: proxy?.socketPath ?? null };
    } catch (error) {
      proxy?.close();
      throw error;
    }
  }

  async #proxyFor(
    plugin: PluginManifest,
    permissions: Permissions,
    events: WorkerEvents,
  ): Promise<AllowListProxy | null> {
    if (permissions !== "all" && permissions.network === undefined) return null;
    this.#folder ??= mkdtempSync(join(tmpdir(), "reef-broker-"));
    const told = new Set<string>();
    return startProxy(join(this.#folder, `${++this.#count}.sock`), permissions, (host) => {
      if (told.has(host) || told.size > MAX_TOLD_HOSTS) return;
      const denial = explain([{ id: plugin.id, permissions }], "network", host);
      told.add(host);
      if (told.size > MAX_TOLD_HOSTS) events.log("broker", "network access to other hosts is denied");
      else if (denial) events.log("broker", describeDenial(denial));
    });
  }

  /**
   * The environment of a plugin's processes: a few common variables, those that `env` permits, and the paths of
   * its own folders.
   */
  environmentFor(
    permissions: Permissions,
    { root, support }: Pick<PluginManifest, "root" | "support">,
  ): Record<string, string> {
    const env: Record<string, string> = { NODE_ENV: "production", BUN_RUNTIME_TRANSPILER_CACHE_PATH: "0" };
    for (const [name, value] of Object.entries(this.environment)) {
      if (value === undefined || SECRET.test(name)) continue;
      const granted = COMMON_ENVIRONMENT.includes(name) || isAllowed(permissions, "env", name);
      if (granted && !value.includes("\0")) env[name] = value;
    }
    return { ...env, EXTENSION: root, EXTENSION_SUPPORT: support };
  }

  /** Deletes the socket files of proxies. */
  close(): void {
    if (this.#folder) rmSync(this.#folder, { recursive: true, force: true });
    this.#folder = null;
  }
}
