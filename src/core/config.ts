/** Reads all settings from the environment and validates them. Nothing else reads settings from `process.env`. */
import { join, resolve } from "node:path";
import { dataDirOf } from "./data-dir.js";

export { dataDir } from "./data-dir.js";

/** All settings, validated. */
export interface Config {
  /** `REEF_HOST`, default `127.0.0.1`. */
  host: string;
  /** `PORT`, default 3000; 0 picks a free one. */
  port: number;
  /** `VERS_AUTH_TOKEN`; undefined when unset. */
  authToken: string | undefined;
  /** `REEF_SERVICES_DIR`, default `services`; absolute. */
  servicesDir: string;
  /** `REEF_DATA_DIR`, default `data`; absolute. */
  dataDir: string;
  /** `REEF_MAX_BODY_BYTES`, default 16 MiB. */
  maxBodyBytes: number;
  /** `REEF_IDLE_TIMEOUT`, seconds without traffic after which a connection is closed; 1–255, default 120. */
  idleTimeoutSeconds: number;
  /** `REEF_DRAIN_TIMEOUT`, milliseconds that requests in flight get at shutdown and reload; default 10 000. */
  drainTimeoutMs: number;
  /** `REEF_INIT_TIMEOUT`, milliseconds that importing a service and its `init` may each take; default 10 000. */
  initTimeoutMs: number;
  /**
   * `REEF_ALLOWED_HOSTS`, comma-separated: names under which browsers may reach the dashboard besides
   * `localhost`, `127.0.0.1`, `[::1]` and `REEF_HOST`. Without ports.
   */
  allowedHosts: string[];
  /** `REEF_TEST_TIMEOUT`, milliseconds that all tests of a service may take in a deploy; default 60 000. */
  testTimeoutMs: number;
  /** `REEF_CHECK`: `off` skips trying unknown code in a child process before it is loaded. */
  check: boolean;
  /** `REEF_EVENTS_MAX`, how many events are kept at most; default 1,000,000, 0 for no limit. */
  eventsMax: number;
  /** `REEF_EVENTS_MAX_DAYS`, for how many days events are kept; default 0 for no limit. */
  eventsMaxDays: number;
  /**
   * `REEF_INSTALL_ALLOW`, comma-separated: sources of installations allowed beyond public hosts over https and
   * ssh. `loopback`: this machine; `private`: private networks; `http`: public hosts without encryption;
   * `file`: git repositories on this machine; `none`. Default `loopback` while `REEF_HOST` and
   * `REEF_ALLOWED_HOSTS` name this machine only, since callers are then on it anyway; else `none`.
   */
  installAllow: ReadonlySet<InstallAllowance>;
  /** `REEF_INSTALL_TIMEOUT`, milliseconds that one install or update may take; default 300 000. */
  installTimeoutMs: number;
  /**
   * `REEF_BROKER_ENFORCEMENT`, for plugins that this machine cannot confine: `required` refuses all, `scoped`
   * (default) those that declare scoped permissions; `off` confines no plugin at all.
   */
  brokerEnforcement: BrokerEnforcement;
}

const BROKER_ENFORCEMENTS = ["required", "scoped", "off"] as const;
/** A value of `REEF_BROKER_ENFORCEMENT`. */
export type BrokerEnforcement = (typeof BROKER_ENFORCEMENTS)[number];

const INSTALL_ALLOWANCES = ["loopback", "private", "http", "file"] as const;
/** A word in `REEF_INSTALL_ALLOW`. */
export type InstallAllowance = (typeof INSTALL_ALLOWANCES)[number];

type Environment = Record<string, string | undefined>;

/** An invalid setting; the message names the variable and what it takes. */
export class ConfigError extends Error {
  override name = "ConfigError";
}

function integer(env: Environment, key: string, fallback: number, min: number, max: number): number {
  const text = env[key];
  if (text === undefined || text === "") return fallback;
  const value = Number(text);
  // Number() also accepts blanks and other notations, whose meaning would be a guess.
  if (!/^\d+$/.test(text) || value < min || value > max) {
    throw new ConfigError(
      `${key} is ${JSON.stringify(text)}; it must be a whole number from ${min} to ${max}.`,
    );
  }
  return value;
}

function allowedHosts(env: Environment): string[] {
  const listed = (env.REEF_ALLOWED_HOSTS ?? "").split(",").map((host) => host.trim().toLowerCase());
  const bad = listed.find((host) => host !== "" && !/^([a-z0-9.-]+|\[[0-9a-f:.]+\])$/.test(host));
  if (bad !== undefined)
    throw new ConfigError(`REEF_ALLOWED_HOSTS contains ${JSON.stringify(bad)}, which is not a host name.`);
  const own =
    env.REEF_HOST && !["0.0.0.0", "::"].includes(env.REEF_HOST) ? [env.REEF_HOST.toLowerCase()] : [];
  return [...new Set(["localhost", "127.0.0.1", "[::1]", ...own, ...listed.filter(Boolean)])];
}

function installAllowances(env: Environment): ReadonlySet<InstallAllowance> {
  const text = env.REEF_INSTALL_ALLOW;
  if (text === undefined || text === "") {
    const isLocal = (host: string) => /^(localhost|127\.\d+\.\d+\.\d+|\[?::1\]?)$/.test(host);
    const onlyHere = [env.REEF_HOST || "127.0.0.1", ...allowedHosts(env)].every(isLocal);
    return new Set(onlyHere ? ["loopback" as const] : []);
  }
  const words = text.split(",").map((word) => word.trim());
  if (words.length === 1 && words[0] === "none") return new Set();
  const unknown = words.find((word) => !INSTALL_ALLOWANCES.some((known) => known === word));
  if (unknown !== undefined) {
    throw new ConfigError(
      `REEF_INSTALL_ALLOW contains ${JSON.stringify(unknown)}; it must be "none" or a comma-separated list of ${INSTALL_ALLOWANCES.join(", ")}.`,
    );
  }
  return new Set(words as InstallAllowance[]);
}

function brokerEnforcement(env: Environment): BrokerEnforcement {
  const word = env.REEF_BROKER_ENFORCEMENT || "scoped";
  const known = BROKER_ENFORCEMENTS.find((mode) => mode === word);
  if (known) return known;
  throw new ConfigError(
    `REEF_BROKER_ENFORCEMENT is ${JSON.stringify(word)}; it must be one of ${BROKER_ENFORCEMENTS.join(", ")}.`,
  );
}

/**
 * Reads and validates all settings.
 *
 * @throws ConfigError
 * @example
 * const { port, dataDir } = readConfig({ PORT: "8080", REEF_DATA_DIR: "/srv/reef/data" });
 */
export function readConfig(env: Environment = process.env): Config {
  const token = env.VERS_AUTH_TOKEN;
  if (token !== undefined && token !== "" && !/^[\x21-\x7e]+$/.test(token)) {
    throw new ConfigError("VERS_AUTH_TOKEN may contain only printable ASCII characters without spaces.");
  }
  const check = env.REEF_CHECK || "on";
  if (check !== "on" && check !== "off") throw new ConfigError('REEF_CHECK must be "on" or "off".');
  return {
    host: env.REEF_HOST || "127.0.0.1",
    port: integer(env, "PORT", 3000, 0, 65_535),
    authToken: token || undefined,
    servicesDir: resolve(env.REEF_SERVICES_DIR || join(import.meta.dir, "..", "..", "services")),
    dataDir: dataDirOf(env),
    maxBodyBytes: integer(env, "REEF_MAX_BODY_BYTES", 16 * 1024 * 1024, 1024, 4 * 1024 ** 3),
    idleTimeoutSeconds: integer(env, "REEF_IDLE_TIMEOUT", 120, 1, 255),
    drainTimeoutMs: integer(env, "REEF_DRAIN_TIMEOUT", 10_000, 0, 600_000),
    initTimeoutMs: integer(env, "REEF_INIT_TIMEOUT", 10_000, 100, 600_000),
    allowedHosts: allowedHosts(env),
    testTimeoutMs: integer(env, "REEF_TEST_TIMEOUT", 60_000, 100, 3_600_000),
    check: check === "on",
    eventsMax: integer(env, "REEF_EVENTS_MAX", 1_000_000, 0, 1_000_000_000),
    eventsMaxDays: integer(env, "REEF_EVENTS_MAX_DAYS", 0, 0, 36_500),
    installAllow: installAllowances(env),
    installTimeoutMs: integer(env, "REEF_INSTALL_TIMEOUT", 300_000, 1000, 3_600_000),
    brokerEnforcement: brokerEnforcement(env),
  };
}

/** The settings that a service's client half reads from an agent's environment; read at each call. */
export function readAgentEnvironment(env: Environment = process.env) {
  return {
    baseUrl: (env.VERS_INFRA_URL ?? "").replace(/\/+$/, ""),
    authToken: (env.VERS_AUTH_TOKEN ?? "").trim(),
    agentName: env.VERS_AGENT_NAME || `agent-${process.pid}`,
    vmId: env.VERS_VM_ID || undefined,
    agentRole: env.VERS_AGENT_ROLE || "worker",
    agentCategory: env.REEF_CATEGORY || undefined,
    isChildAgent: Boolean(env.VERS_PARENT_AGENT),
    /** `REEF_SERVICES`: the only services this agent uses, separated by commas; undefined or empty for all. */
    services: env.REEF_SERVICES?.split(/[\s,]+/).filter((name) => name !== ""),
  };
}
