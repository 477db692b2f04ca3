/** Tar archives for tests, header by header, also such as no program would write. */

export interface Member {
  name: string;
  /** The type flag; a file unless given. */
  type?: string;
  content?: string;
  linkname?: string;
  prefix?: string;
  mode?: number;
  /** What the header says instead of the content's length. */
  size?: number;
  /** The size field as it stands. */
  rawSize?: string;
  badChecksum?: boolean;
  /** Write the name byte by byte instead of in UTF-8. */
  latin1?: boolean;
}

const BLOCK = 512;

function sizeField({ size, rawSize, content = "" }: Member): Buffer {
  const field = Buffer.alloc(12);
  const value = size ?? Buffer.byteLength(content);
  if (rawSize !== undefined) field.write(rawSize);
  else if (value < 8 ** 11) field.write(value.toString(8).padStart(11, "0"));
  else {
    field.writeBigUInt64BE(BigInt(value), 4);
    field[0] = 0x80;
  }
  return field;
}

/** The header and content of one member, padded. */
export function member(given: Member): Uint8Array {
  const { name, type = "0", content = "", linkname = "", prefix = "", mode = 0o644 } = given;
  const header = Buffer.alloc(BLOCK);
  Buffer.from(name, given.latin1 ? "latin1" : "utf8").copy(header, 0, 0, 100);
  header.write(`${(mode & 0o7777).toString(8).padStart(7, "0")}\0`, 100);
  header.write("0000000\0", 108);
  header.write("0000000\0", 116);
  sizeField(given).copy(header, 124);
  header.write("00000000000\0", 136);
  header.write(type, 156);
  header.write(linkname, 157, 100);
  header.write("ustar\x0000", 257);
  header.write(prefix, 345, 155);
  header.fill(" ", 148, 156);
  const sum = header.reduce((total, byte) => total + byte, given.badChecksum ? 1 : 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  const body = Buffer.from(content);
  return Buffer.concat([header, body, Buffer.alloc(-body.length & (BLOCK - 1))]);
}

/** Members and the end of the archive. */
export function tarball(...members: Uint8Array[]): Uint8Array<ArrayBuffer> {
  return Buffer.concat([...members, Buffer.alloc(2 * BLOCK)]);
}
