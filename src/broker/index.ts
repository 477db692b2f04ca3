/** The public API of the broker. */
export { Broker, type BrokerOptions } from "./broker.js";
export { kunkunCommandPlugin, servicePlugin } from "./build.js";
export type { LocalCall, LocalMethod } from "./calls/local.js";
export type { MethodStats } from "./calls/metrics.js";
export {
  type BrokerTool,
  type MethodInfo,
  type ProviderInfo,
  type ServiceInfo,
  toolName,
} from "./catalogue.js";
export type { CallOptions, ServiceClient, ServiceDefinition, ServiceMethod } from "./client.js";
export {
  BROKER_ERRORS,
  BrokerError,
  type BrokerErrorCode,
  type BrokerErrorDetails,
  type Denial,
  ManifestError,
  type SchemaIssue,
} from "./errors.js";
export { type BrokerLimits, DEFAULT_LIMITS } from "./limits.js";
export {
  CALLS_ALL,
  findManifest,
  MANIFEST_KEYS,
  manifestKey,
  type PluginManifest,
  readIdentifier,
  readManifest,
} from "./manifest.js";
export { type OfferingContext, offerMethods, serveOffers } from "./offers.js";
export { describeDenial, explain, isAllowed, type Party } from "./permissions/check.js";
export { kindOf, permissionName, SCOPED_PERMISSIONS } from "./permissions/names.js";
export { realPathOrName } from "./permissions/paths.js";
export {
  intersect,
  type PermissionSet,
  type Permissions,
  permissionKey,
  type Scope,
} from "./permissions/set.js";
export type { WorkerInfo } from "./pool/slot.js";
export { detectEnforcement, type EnforcementLevel, type EnforcementMode } from "./sandbox/level.js";
export type { BrokerEvent, EventSink, LogEntry, LogSink, PluginStorage } from "./sinks.js";
