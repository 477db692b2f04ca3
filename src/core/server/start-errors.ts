/** Errors at the start of a server, worded to name the setting to change. */
import { ConfigError } from "../config.js";
import { messageOf } from "../errors.js";
import { systemErrorCode } from "../storage-error.js";

/** The error for an address that cannot be listened on. */
export function listenError(error: unknown, host: string, port: number): ConfigError {
  const code = systemErrorCode(error);
  if (code === "EADDRINUSE") {
    return new ConfigError(
      `PORT is ${port}, which is in use on ${host}; use another port (0 picks a free one), or stop the process that uses it.`,
    );
  }
  if (code === "EACCES") {
    return new ConfigError(
      `PORT is ${port}, which this user may not listen on; use a port from 1024 up (0 picks a free one).`,
    );
  }
  // For names that cannot be resolved, the error code is a left-over of another call.
  const leadsNowhere = code === "EADDRNOTAVAIL" || !isAddress(host);
  const reason = leadsNowhere ? "which is not an address of this machine" : unusable(error);
  return new ConfigError(
    `REEF_HOST is ${JSON.stringify(host)}, ${reason}; use an address of this machine, such as 127.0.0.1, or 0.0.0.0 for all addresses.`,
  );
}

/** `node:net` is loaded on demand: it takes 4 ms, which no successful start should pay. */
function isAddress(host: string): boolean {
  return process.getBuiltinModule("node:net").isIP(host) !== 0;
}

/** The error for a data folder that is not a folder, or not writable. */
export function dataDirError(error: unknown, dataDir: string): ConfigError {
  const isFile = ["EEXIST", "ENOTDIR"].includes(systemErrorCode(error));
  const reason = isFile ? "where a file is in the way" : unusable(error);
  return new ConfigError(
    `REEF_DATA_DIR is ${JSON.stringify(dataDir)}, ${reason}; use a folder that Reef can write to or create.`,
  );
}

/** The error for a lock that cannot be taken for a reason other than another server. */
export function lockFileError(error: unknown, dataDir: string, path: string): ConfigError {
  const reason = `where the lock ${path} cannot be used (${messageOf(error)})`;
  return new ConfigError(
    `REEF_DATA_DIR is ${JSON.stringify(dataDir)}, ${reason}; use a folder that Reef can write to, or delete that file: it is not needed while no server is running.`,
  );
}

function unusable(error: unknown): string {
  return `which cannot be used (${messageOf(error)})`;
}
