/** Unpacks a tar archive from a stream, within limits, into a folder that nothing else is in. */
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import type { ReadEntry } from "tar";
import { messageOf } from "../../../src/core/errors.js";
import { InstallError, printable } from "../errors.js";
import { LIMITS, type Limits } from "../limits.js";
import { makeLinks } from "./links.js";
import { writeMember } from "./member-file.js";
import { Members } from "./members.js";

export interface UnpackOptions {
  signal: AbortSignal;
  /** Whether the stream is compressed. */
  gzip?: boolean;
  /** Whether everything is inside one folder, which is left out. */
  oneFolder?: boolean;
  limits?: Limits;
}

/**
 * Writes the files of an archive below `root`, which must be empty. Links are made last, so that nothing is
 * ever written through one.
 *
 * @throws InstallError with status 400 for an archive that is damaged, too large, or holds what it must not.
 */
export async function unpack(
  stream: AsyncIterable<Uint8Array>,
  root: string,
  options: UnpackOptions,
): Promise<{ entries: number; bytes: number }> {
  const limits = options.limits ?? LIMITS;
  const { signal } = options;
  const writer = new PackageWriter(root, limits, options.oneFolder ?? false);
  const plain = options.gzip ? gunzip(stream, limits) : stream;
  try {
    await readEntries(counted(plain, limits, signal), (entry) => writer.take(entry));
  } catch (error) {
    throw asUnpackError(error, signal);
  }
  if (writer.members.count === 0) throw new InstallError(400, "unpack", "the package is empty.");
  makeLinks(root, writer.members);
  return { entries: writer.members.count, bytes: writer.members.bytes };
}

function asUnpackError(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  if (error instanceof InstallError || (error instanceof Error && "syscall" in error)) return error;
  const message = `the archive is damaged: ${printable(messageOf(error))}`;
  return new InstallError(400, "unpack", message, {}, { cause: error });
}

/** Long names and attributes of one entry, in bytes. */
const MOST_METADATA = 64 * 1024;

/** Zeros that end an archive. */
const END_BYTES = 1024;

/** The parser would decompress what begins so, past the limits here. */
const GZIP_MAGIC = 0x1f;

/** Hands over the entries of an uncompressed archive one after the other, as fast as they are taken. */
async function readEntries(
  source: AsyncIterable<Buffer>,
  take: (entry: ReadEntry) => Promise<void>,
): Promise<void> {
  // Large, and not needed before something is installed.
  const { Parser } = await import("tar");
  const parser = new Parser({ strict: true, zstd: false, maxMetaEntrySize: MOST_METADATA });
  let failure: { error: unknown } | undefined;
  const fail = (error: unknown) => {
    failure ??= { error };
  };
  let taking = Promise.resolve();
  let current: ReadEntry | undefined;
  parser.on("entry", (entry: ReadEntry) => {
    current = entry;
    taking = taking
      .then(() => (failure ? undefined : take(entry)))
      .catch(fail)
      .finally(() => entry.resume());
  });
  parser.on("ignoredEntry", (entry: ReadEntry) => fail(unsupported(entry)));
  parser.on("error", fail);
  const ended = once(parser, "end").catch(fail);
  try {
    for await (const chunk of source) {
      if (!failure && !parser.write(chunk)) await once(parser, "drain").catch(fail);
      if (failure) break;
    }
    if (!failure) {
      parser.end();
      await ended;
    }
  } catch (error) {
    fail(error);
  }
  // Whoever reads an entry that does not go on would wait for ever, with its file open. If nobody does, this throws.
  if (failure) current?.on("error", fail).destroy(new Error("the archive ends unexpectedly"));
  await taking;
  if (failure) throw failure.error;
}

function unsupported({ path, type }: ReadEntry): InstallError {
  const shown = JSON.stringify(printable(path, 80));
  const message = `the package contains ${shown}, a ${type}: only files, folders and symbolic links are allowed.`;
  return new InstallError(400, "unpack", message);
}

/** Passes a stream on up to a limit; what is compressed once more is refused. */
async function* counted(
  source: AsyncIterable<Uint8Array>,
  limits: Limits,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  // Names, sizes and padding of that many entries, beside their content.
  const most = limits.totalBytes + limits.entries * 4096;
  let bytes = 0;
  let zeros = 0;
  for await (const chunk of source) {
    signal.throwIfAborted();
    if (bytes === 0 && chunk[0] === GZIP_MAGIC) {
      throw new InstallError(400, "unpack", "the archive is not a tar archive.");
    }
    bytes += chunk.byteLength;
    if (bytes > most) throw tooLarge(`${most} bytes`);
    zeros = zerosAtEnd(chunk, zeros);
    // The parser reads text from its chunks, as a Buffer does.
    yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }
  if (zeros < END_BYTES) throw new InstallError(400, "unpack", "the archive is truncated.");
}

/** How many zeros there are at the end, after `before` of them in the chunks before. */
function zerosAtEnd(chunk: Uint8Array, before: number): number {
  let at = chunk.length;
  while (at > 0 && chunk.length - at < END_BYTES && chunk[at - 1] === 0) at--;
  return chunk.length - at + (at === 0 ? before : 0);
}

function tooLarge(what: string): InstallError {
  return new InstallError(400, "unpack", `the archive is larger than ${what}.`);
}

/** Decompresses while it counts: an archive that swells too much is refused before it has. */
async function* gunzip(stream: AsyncIterable<Uint8Array>, limits: Limits): AsyncGenerator<Uint8Array> {
  let compressed = 0;
  let plain = 0;
  const decompressor = createGunzip();
  const counted = async function* () {
    for await (const chunk of stream) {
      compressed += chunk.byteLength;
      if (compressed > limits.compressedBytes) throw tooLarge(`${limits.compressedBytes} bytes compressed`);
      yield chunk;
    }
  };
  const feeding = pipeline(counted, decompressor);
  // Its failure destroys the decompressor and so arrives at whoever reads from that.
  feeding.catch(() => undefined);
  try {
    for await (const chunk of decompressor as AsyncIterable<Uint8Array>) {
      plain += chunk.byteLength;
      if (plain > 1024 * 1024 && plain > compressed * limits.ratio) {
        throw tooLarge(`${limits.ratio} times its compressed size`);
      }
      yield chunk;
    }
    await feeding;
  } finally {
    decompressor.destroy();
  }
}

/** Writes the entries of one package. */
class PackageWriter {
  readonly members: Members;
  readonly #root: string;
  readonly #oneFolder: boolean;
  #outer: string | undefined;

  constructor(root: string, limits: Limits, oneFolder: boolean) {
    this.members = new Members(limits);
    this.#root = root;
    this.#oneFolder = oneFolder;
  }

  async take(entry: ReadEntry): Promise<void> {
    const name = this.#inside(entry.path);
    switch (entry.type) {
      case "File":
      case "OldFile":
        if (name === undefined) throw notInFolder(entry.path);
        return this.#file(name, entry);
      case "Directory":
        if (name !== undefined)
          mkdirSync(join(this.#root, this.members.add(name, "folder")), { recursive: true });
        return;
      case "SymbolicLink":
        if (name === undefined) throw notInFolder(entry.path);
        return this.members.addLink(name, entry.linkpath ?? "");
      default:
        throw unsupported(entry);
    }
  }

  /** The name without the outer folder; undefined for the outer folder itself. */
  #inside(name: string): string | undefined {
    const path = name.replace(/^(\.\/)+/, "");
    if (!this.#oneFolder) return path === "" || path === "." ? undefined : path;
    if (path === "" || path === ".") return undefined;
    const slash = path.indexOf("/");
    const outer = slash < 0 ? path : path.slice(0, slash);
    this.#outer ??= outer;
    if (outer !== this.#outer || outer === "" || outer === "..") throw notInFolder(name);
    const rest = slash < 0 ? "" : path.slice(slash + 1);
    return rest === "" ? undefined : rest;
  }

  async #file(name: string, entry: ReadEntry): Promise<void> {
    const path = join(this.#root, this.members.add(name, "file"));
    mkdirSync(dirname(path), { recursive: true });
    await writeMember(path, entry.mode ?? 0, this.members.counted(entry, name));
  }
}

function notInFolder(name: string): InstallError {
  const shown = JSON.stringify(printable(name, 80));
  return new InstallError(400, "unpack", `the archive contains ${shown} outside its top-level folder.`);
}
