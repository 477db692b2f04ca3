import { createTestHarness, type TestHarness, type TestHarnessOptions } from "../../src/core/testing.js";
import type { Json } from "../../src/core/types.js";
import { type BrokerServiceOptions, type BrokerStore, createBrokerService } from "./service.js";

/** A harness with a broker in it. */
export interface BrokerHarness extends TestHarness {
  /** Calls a method as an operator would. */
  call<Result = Json>(
    pluginId: string,
    service: string,
    method: string,
    input?: unknown,
    options?: { timeout?: number },
  ): Promise<Result>;
  broker: BrokerStore;
}

/** What goes into a {@link BrokerHarness}. */
export interface BrokerHarnessOptions extends Partial<TestHarnessOptions> {
  /** Plugin folders to load. */
  plugins?: string[];
  broker?: BrokerServiceOptions;
}

/**
 * A harness for tests of plugins and of services that call them.
 *
 * @example
 * ```ts
 * const t = await createBrokerHarness({ plugins: [import.meta.dir] });
 * expect(await t.call("com.example.math-plugin", "math", "add", { a: 5, b: 3 })).toEqual({ result: 8 });
 * await t.cleanup();
 * ```
 */
export async function createBrokerHarness(options: BrokerHarnessOptions = {}): Promise<BrokerHarness> {
  const { plugins = [], broker: brokerOptions, services = [], ...rest } = options;
  const module = createBrokerService({ pluginsDir: import.meta.dir, ...brokerOptions });
  const harness = await createTestHarness({ ...rest, services: [module, ...services] });
  const broker = module.store as BrokerStore;
  try {
    for (const folder of plugins) await broker.load(folder);
  } catch (error) {
    await harness.cleanup();
    throw error;
  }
  return { ...harness, broker, call: (...args) => broker.call(...args) };
}
