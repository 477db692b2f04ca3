// Chromium for the tests that need a real browser: where it is, and how to get it where that is allowed.
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";

const NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
const FIXED = [
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // Not there, or not ours to run.
    return false;
  }
}

export function findChromium(env = process.env) {
  if (env.CHROMIUM_PATH) return isExecutable(env.CHROMIUM_PATH) ? env.CHROMIUM_PATH : undefined;
  const folders = (env.PATH ?? "").split(delimiter).filter(Boolean);
  const candidates = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [...candidates, ...FIXED].find(isExecutable);
}

// The limits keep a machine without a package mirror from waiting.
const QUICK = [
  "-qq",
  "-o",
  "Acquire::Retries=0",
  "-o",
  "Acquire::http::Timeout=15",
  "-o",
  "DPkg::Lock::Timeout=60",
];

function apt(args) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  return spawnSync("apt-get", [...QUICK, ...args], { env, stdio: "ignore", timeout: 300_000 }).status === 0;
}

export function installChromium() {
  if (findChromium()) return true;
  const mayInstall =
    process.platform === "linux" && process.getuid?.() === 0 && existsSync("/usr/bin/apt-get");
  if (!mayInstall || process.env.REEF_SKIP_CHROMIUM) return false;
  const install = () => apt(["install", "-y", "--no-install-recommends", "chromium"]);
  if (!install() && apt(["update"])) install();
  return findChromium() !== undefined;
}
