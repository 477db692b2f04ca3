/** Unpacks a tar archive from a stream, within limits, into a folder that nothing else is in. */
import { mkdirSync } from "node:fs";
import { open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { createTarDecoder, type ParsedTarEntry } from "modern-tar";
import { messageOf } from "../../src/core/errors.js";
import { InstallError, printable } from "./errors.js";
import { LIMITS, type Limits } from "./limits.js";
import { makeLinks } from "./links.js";
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
  const decoder = createTarDecoder({ strict: true });
  const failures: unknown[] = [];
  const note = (error: unknown) => void failures.push(error);
  await Promise.all([
    feed(plain, decoder.writable, limits, signal).catch(note),
    writer.takeAll(decoder.readable).catch(note),
  ]);
  // The first failure is the cause; the other side then failed because of it.
  if (failures.length > 0) throw asUnpackError(failures[0], signal);
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

/** Passes a stream on to the decoder, as fast as that is read. */
async function feed(
  source: AsyncIterable<Uint8Array>,
  writable: WritableStream<Uint8Array>,
  limits: Limits,
  signal: AbortSignal,
): Promise<void> {
  const writer = writable.getWriter();
  // Names, sizes and padding of that many entries, beside their content.
  const most = limits.totalBytes + limits.entries * 4096;
  let bytes = 0;
  try {
    for await (const chunk of source) {
      signal.throwIfAborted();
      bytes += chunk.byteLength;
      if (bytes > most) throw tooLarge(`${most} bytes`);
      await writer.write(chunk);
    }
    await writer.close();
  } catch (error) {
    await writer.abort(error).catch(() => undefined);
    throw error;
  }
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

  async takeAll(entries: ReadableStream<ParsedTarEntry>): Promise<void> {
    for await (const { header, body } of entries) {
      const name = this.#inside(header.name);
      switch (header.type) {
        case "file":
          if (name === undefined) throw notInFolder(header.name);
          await this.#file(name, header.mode ?? 0o644, body);
          break;
        case "directory":
          if (name !== undefined) mkdirSync(join(this.#root, this.members.add(name, "folder")), { recursive: true });
          await body.cancel();
          break;
        case "symlink":
          if (name === undefined) throw notInFolder(header.name);
          this.members.addLink(name, header.linkname ?? "");
          await body.cancel();
          break;
        default: {
          const shown = JSON.stringify(printable(header.name, 80));
          throw new InstallError(400, "unpack", `the package holds ${shown}, a ${header.type}: only files, folders and symbolic links are taken.`);
        }
      }
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

  async #file(name: string, mode: number, body: ReadableStream<Uint8Array>): Promise<void> {
    const path = join(this.#root, this.members.add(name, "file"));
    mkdirSync(dirname(path), { recursive: true });
    const file = await open(path, "wx", mode & 0o100 ? 0o755 : 0o644);
    try {
      let bytes = 0;
      for await (const chunk of body) {
        bytes += chunk.byteLength;
        this.members.countBytes(chunk.byteLength, bytes, name);
        await file.writeFile(chunk);
      }
    } finally {
      await file.close();
    }
  }
}

function notInFolder(name: string): InstallError {
  const shown = JSON.stringify(printable(name, 80));
  return new InstallError(400, "unpack", `the archive holds ${shown} outside its one folder.`);
}
