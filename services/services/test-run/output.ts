/** The beginning and the end of what a process prints; what lies between is only counted. */

const HEAD_BYTES = 4 * 1024;
const TAIL_BYTES = 16 * 1024;

export class TestOutput {
  #head = Buffer.alloc(0);
  #tail = Buffer.alloc(0);
  #bytes = 0;

  /** Bytes seen so far. */
  get bytes(): number {
    return this.#bytes;
  }

  add(chunk: Uint8Array): void {
    this.#bytes += chunk.byteLength;
    const room = HEAD_BYTES - this.#head.length;
    if (room > 0) this.#head = Buffer.concat([this.#head, chunk.subarray(0, room)]);
    const rest = room > 0 ? chunk.subarray(room) : chunk;
    if (rest.byteLength === 0) return;
    const end = Buffer.concat([this.#tail, rest.subarray(-TAIL_BYTES)]);
    this.#tail = Buffer.from(end.subarray(-TAIL_BYTES));
  }

  /** What is kept, with a note where something was left out. */
  text(): string {
    const left = this.#bytes - this.#head.length - this.#tail.length;
    const gap = left > 0 ? `\n… ${left} bytes omitted …\n` : "";
    return `${this.#head.toString()}${gap}${this.#tail.toString()}`;
  }
}

/** Reads a pipe to its end, or until `signal` says that nobody is interested any more. */
export async function collect(
  pipe: ReadableStream<Uint8Array>,
  into: Pick<TestOutput, "add">,
  signal: AbortSignal,
): Promise<void> {
  const reader = pipe.getReader();
  const stop = () => void reader.cancel();
  signal.addEventListener("abort", stop);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      into.add(value);
    }
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
