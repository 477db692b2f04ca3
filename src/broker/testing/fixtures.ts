/** Test helpers: plugins in temporary folders, and a broker that records its reports. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Broker, type BrokerOptions } from "../broker.js";
import type { BrokerError } from "../errors.js";
import type { BrokerLimits } from "../limits.js";
import type { BrokerEvent, LogEntry } from "../sinks.js";

/** A temporary folder, deleted by `remove`. */
export function temporaryFolder(): { path: string; remove(): void } {
  const path = realpathSync(mkdtempSync(join(tmpdir(), "reef-broker-test-")));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** A plugin for tests. */
export interface PluginFixture {
  id: string;
  key?: "reef" | "kunkun";
  permissions?: unknown[];
  /** The methods of its only service, `main` by default; values are further fields of the declaration. */
  service?: string;
  methods: Record<string, object>;
  /** The source of `main.ts`: its default export, or a whole module. */
  code: string;
  files?: Record<string, string>;
}

/** Writes a plugin below `parent` and returns its folder. */
export function writePlugin(parent: string, fixture: PluginFixture): string {
  const folder = join(parent, fixture.id);
  const manifest = {
    name: fixture.id,
    version: "1.0.0",
    [fixture.key ?? "reef"]: {
      identifier: fixture.id,
      permissions: fixture.permissions ?? [],
      services: [
        {
          name: fixture.service ?? "main",
          main: "main.ts",
          methods: Object.entries(fixture.methods).map(([name, more]) => ({ name, ...more })),
        },
      ],
    },
  };
  const files = { "package.json": JSON.stringify(manifest), "main.ts": fixture.code, ...fixture.files };
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

/** A broker with its recorded reports. */
export interface TestBroker {
  broker: Broker;
  folder: string;
  logs: LogEntry[];
  events: BrokerEvent[];
  add(fixture: PluginFixture): Promise<void>;
  close(): Promise<void>;
}

/** Creates a broker in a temporary folder. */
export function testBroker(
  limits: Partial<BrokerLimits> = {},
  options: Partial<BrokerOptions> = {},
): TestBroker {
  const temporary = temporaryFolder();
  const logs: LogEntry[] = [];
  const events: BrokerEvent[] = [];
  const broker = new Broker({
    log: { write: (entry) => logs.push(entry) },
    events: { emit: (event) => events.push(event) },
    supportFolder: (id) => join(temporary.path, "support", id),
    codeFolder: join(temporary.path, "code"),
    limits,
    ...options,
  });
  return {
    broker,
    folder: temporary.path,
    logs,
    events,
    async add(fixture) {
      await broker.load(writePlugin(temporary.path, fixture));
    },
    async close() {
      await broker.close();
      temporary.remove();
    },
  };
}

/** The error of a failing call. */
export async function failure(call: Promise<unknown>): Promise<BrokerError> {
  try {
    const value = await call;
    throw new Error(`the call succeeded with ${JSON.stringify(value)}`);
  } catch (error) {
    return error as BrokerError;
  }
}
