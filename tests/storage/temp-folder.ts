import { afterEach, beforeEach } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StorageReport } from "../../src/storage/report.js";

/** A folder of its own for each test of a file, and the reports that its stores made. */
export function useTempFolder() {
  let folder = "";
  const reports: StorageReport[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "reef-storage-"));
    reports.length = 0;
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  return {
    reports,
    onReport: (report: StorageReport) => void reports.push(report),
    path: (name: string) => join(folder, name),
    names: () => readdirSync(folder).sort(),
  };
}
