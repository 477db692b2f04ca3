// Makes a fresh checkout runnable on a machine that has only node and npm:
// fetches the pinned Bun from npm and lets it install what bun.lock names.
//   node scripts/setup.mjs production   what running Reef needs
//   node scripts/setup.mjs development  the above and the tools its tests need
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { findChromium, installChromium } from "./chromium.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const mode = process.argv[2] === "development" ? "development" : "production";
const manifest = readFileSync(join(root, "package.json"), "utf8");
const lock = readFileSync(join(root, "bun.lock"), "utf8");
const version = JSON.parse(manifest).dependencies.bun;

const modules = join(root, "node_modules");
const bun = join(modules, ".bin", "bun");
/** Folders of packages that Bun's program is in: its script moves it from the second to the first. */
const BUN = ["bun", "@oven"];

// The stamp says what is installed; a development install also serves production.
const stampPath = join(modules, ".reef-setup");
const fingerprint = createHash("sha256").update(manifest).update(lock).digest("hex");
const stamp = existsSync(stampPath) ? readFileSync(stampPath, "utf8") : "";
const upToDate = stamp === `development ${fingerprint}` || stamp === `${mode} ${fingerprint}`;

if (!upToDate || !runsBun()) install();
if (mode === "development") useHooks();

/** Whether the pinned Bun is there and is for this machine. */
function runsBun() {
  return spawnSync(bun, ["--version"], { encoding: "utf8" }).stdout?.trim() === version;
}

function install() {
  // One that does not run, of another machine or half copied, would be taken for installed.
  if (!runsBun()) for (const name of BUN) rmSync(join(modules, name), { recursive: true, force: true });
  console.error(`Installing ${mode} packages with Bun ${version}…`);
  // Bun comes by its program with a script, which npm may have been told not to run.
  const args = ["-y", "--ignore-scripts=false", `bun@${version}`, "install", "--frozen-lockfile"];
  if (mode === "production") args.push("--production");
  const result = spawnSync("npx", args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  if (result.error || result.status !== 0) {
    console.error(`Installing failed: ${result.error?.message ?? `exit status ${result.status}`}.`);
    console.error("Check that npm can reach its registry (npm ping), then run the command again.");
    process.exit(1);
  }
  if (!runsBun())
    spawnSync(process.execPath, ["install.js"], { cwd: join(modules, "bun"), stdio: "inherit" });
  if (!runsBun()) {
    console.error(`Bun ${version} was installed but does not run. Run ${bun} --version to see why.`);
    process.exit(1);
  }
  mkdirSync(dirname(stampPath), { recursive: true });
  writeFileSync(stampPath, `${mode} ${fingerprint}`);
}

/** Lets git run the committed hooks, in a checkout of this project whose owner has not chosen others. */
function useHooks() {
  const git = (...args) => spawnSync("git", args, { cwd: root, encoding: "utf8" });
  const top = git("rev-parse", "--show-toplevel");
  if (top.status !== 0 || resolve(top.stdout.trim()) !== resolve(root)) return;
  if (git("config", "core.hooksPath").status === 0) return;
  git("config", "core.hooksPath", ".githooks");
}

if (mode === "development" && !findChromium()) {
  console.error("Looking for Chromium for the browser tests…");
  if (!installChromium())
    console.error(
      "Chromium not found: browser tests will be skipped. Install Chromium or set CHROMIUM_PATH.",
    );
}
