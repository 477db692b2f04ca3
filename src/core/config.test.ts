import { describe, expect, test } from "bun:test";
import { join, resolve } from "node:path";
import { ConfigError, dataDir, readAgentEnvironment, readConfig } from "./config.js";

const root = resolve(import.meta.dir, "..", "..");

describe("readConfig", () => {
  test("has a safe default for everything", () => {
    expect(readConfig({})).toEqual({
      host: "127.0.0.1",
      port: 3000,
      authToken: undefined,
      servicesDir: join(root, "services"),
      dataDir: resolve("data"),
      maxBodyBytes: 16 * 1024 * 1024,
      idleTimeoutSeconds: 120,
      drainTimeoutMs: 10_000,
      initTimeoutMs: 10_000,
      testTimeoutMs: 60_000,
      allowedHosts: ["localhost", "127.0.0.1", "[::1]"],
      check: true,
      eventsMax: 1_000_000,
      eventsMaxDays: 0,
      installAllow: new Set(["loopback"]),
      installTimeoutMs: 300_000,
      brokerEnforcement: "scoped",
    });
  });

  test("takes what the environment says", () => {
    const config = readConfig({
      REEF_HOST: "0.0.0.0",
      PORT: "0",
      VERS_AUTH_TOKEN: "t",
      REEF_SERVICES_DIR: "some/services",
      REEF_DATA_DIR: "/var/lib/reef",
      REEF_MAX_BODY_BYTES: "2048",
      REEF_IDLE_TIMEOUT: "255",
      REEF_DRAIN_TIMEOUT: "0",
      REEF_INIT_TIMEOUT: "100",
      REEF_TEST_TIMEOUT: "250",
      REEF_CHECK: "off",
      REEF_EVENTS_MAX: "5000",
      REEF_EVENTS_MAX_DAYS: "30",
      REEF_ALLOWED_HOSTS: "Reef.example.org, localhost",
      REEF_INSTALL_ALLOW: "private, file",
      REEF_INSTALL_TIMEOUT: "60000",
      REEF_BROKER_ENFORCEMENT: "required",
    });
    expect(config).toEqual({
      host: "0.0.0.0",
      port: 0,
      authToken: "t",
      servicesDir: resolve("some/services"),
      dataDir: "/var/lib/reef",
      maxBodyBytes: 2048,
      idleTimeoutSeconds: 255,
      drainTimeoutMs: 0,
      initTimeoutMs: 100,
      testTimeoutMs: 250,
      allowedHosts: ["localhost", "127.0.0.1", "[::1]", "reef.example.org"],
      check: false,
      eventsMax: 5000,
      eventsMaxDays: 30,
      installAllow: new Set(["private", "file"]),
      installTimeoutMs: 60_000,
      brokerEnforcement: "required",
    });
  });

  test("sources on this machine are allowed only while nobody from elsewhere can ask for them", () => {
    const allowed = (env: Record<string, string>) => [...readConfig(env).installAllow];
    expect(allowed({ REEF_HOST: "localhost" })).toEqual(["loopback"]);
    expect(allowed({ REEF_HOST: "0.0.0.0" })).toEqual([]);
    expect(allowed({ REEF_ALLOWED_HOSTS: "reef.example.org" })).toEqual([]);
    expect(allowed({ REEF_INSTALL_ALLOW: "none" })).toEqual([]);
    expect(allowed({ REEF_HOST: "0.0.0.0", REEF_INSTALL_ALLOW: "loopback" })).toEqual(["loopback"]);
  });

  test("an empty variable counts as unset", () => {
    const keys = ["REEF_HOST", "PORT", "VERS_AUTH_TOKEN", "REEF_SERVICES_DIR", "REEF_DATA_DIR", "REEF_CHECK"];
    expect(readConfig(Object.fromEntries(keys.map((key) => [key, ""])))).toEqual(readConfig({}));
  });

  test.each([
    ["PORT", "http"],
    ["PORT", "-1"],
    ["PORT", "65536"],
    ["PORT", "80.5"],
    ["PORT", "3000; rm"],
    ["PORT", "NaN"],
    ["PORT", "Infinity"],
    ["PORT", "0x10"],
    ["PORT", "0b11"],
    ["PORT", "1e1"],
    ["PORT", "80.0"],
    ["PORT", "+80"],
    ["PORT", " "],
    ["PORT", " 80"],
    ["PORT", "80\n"],
    ["PORT", "٣"],
    ["REEF_MAX_BODY_BYTES", "16MB"],
    ["REEF_MAX_BODY_BYTES", "1023"],
    ["REEF_IDLE_TIMEOUT", "0"],
    ["REEF_IDLE_TIMEOUT", "256"],
    ["REEF_DRAIN_TIMEOUT", "-5"],
    ["REEF_INIT_TIMEOUT", "99"],
    ["REEF_CHECK", "yes"],
    ["REEF_INSTALL_ALLOW", "everything"],
    ["REEF_INSTALL_ALLOW", "none, file"],
    ["REEF_INSTALL_TIMEOUT", "999"],
    ["REEF_BROKER_ENFORCEMENT", "on"],
    ["VERS_AUTH_TOKEN", "two words"],
    ["VERS_AUTH_TOKEN", "line\nbreak"],
    ["VERS_AUTH_TOKEN", "umläut"],
  ])("%s=%p is refused by name", (key, value) => {
    const read = () => readConfig({ [key]: value });
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(key);
  });

  test("a refused token is not repeated in the message", () => {
    expect(() => readConfig({ VERS_AUTH_TOKEN: "very secret" })).not.toThrow(/secret/);
  });
});

test("dataDir follows the environment at each call", () => {
  expect(dataDir({ REEF_DATA_DIR: "a" })).toBe(resolve("a"));
  expect(dataDir({})).toBe(resolve("data"));
  expect(dataDir()).toBe(resolve(process.env.REEF_DATA_DIR ?? "data"));
});

describe("readAgentEnvironment", () => {
  test("has defaults", () => {
    expect(readAgentEnvironment({})).toEqual({
      baseUrl: "",
      authToken: "",
      agentName: `agent-${process.pid}`,
      vmId: undefined,
      agentRole: "worker",
      agentCategory: undefined,
      isChildAgent: false,
      services: undefined,
    });
  });

  test("reads every variable; the base URL loses its trailing slashes", () => {
    expect(
      readAgentEnvironment({
        VERS_INFRA_URL: "http://reef:3000//",
        VERS_AUTH_TOKEN: "t",
        VERS_AGENT_NAME: "ada",
        VERS_VM_ID: "vm1",
        VERS_AGENT_ROLE: "lead",
        REEF_CATEGORY: "ops",
        VERS_PARENT_AGENT: "root",
        REEF_SERVICES: "board, log,",
      }),
    ).toEqual({
      baseUrl: "http://reef:3000",
      authToken: "t",
      agentName: "ada",
      vmId: "vm1",
      agentRole: "lead",
      agentCategory: "ops",
      isChildAgent: true,
      services: ["board", "log"],
    });
  });
});
