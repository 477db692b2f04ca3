/** The folder for everything Reef and its services store: `REEF_DATA_DIR`, or `data`. Read at call time. */
export function dataDir(): string {
  return process.env.REEF_DATA_DIR || "data";
}
