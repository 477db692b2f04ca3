/** How much a package may be. Generous for a service, small for a server's disk and memory. */
export interface Limits {
  /** Files, folders and links. */
  entries: number;
  /** Bytes of one file. */
  fileBytes: number;
  /** Bytes of all files together, and of an archive once it is decompressed. */
  totalBytes: number;
  /** Bytes of an archive as it comes over the network. */
  compressedBytes: number;
  /** Decompressed bytes for each compressed one, once more than a megabyte came out. */
  ratio: number;
  /** Bytes of a path, and of one name in it. */
  pathBytes: number;
  nameBytes: number;
  /** Bytes that fetching a git repository may write. */
  repositoryBytes: number;
  /** Bytes and files of installed dependencies. */
  dependencyBytes: number;
  dependencyFiles: number;
}

const MiB = 1024 * 1024;

export const LIMITS: Limits = {
  entries: 5000,
  fileBytes: 16 * MiB,
  totalBytes: 64 * MiB,
  compressedBytes: 32 * MiB,
  ratio: 200,
  pathBytes: 400,
  nameBytes: 200,
  repositoryBytes: 256 * MiB,
  dependencyBytes: 512 * MiB,
  dependencyFiles: 100_000,
};
