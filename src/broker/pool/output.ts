/** Forwards the output of processes. */

const ENCODING = "utf-8";
const MAX_LINE = 8_000;
const SECOND = 1_000;

/**
 * Forwards a process's output line by line. Above `rate` bytes per second, reading pauses, so that the pipe
 * fills and the writer blocks.
 */
export async function forwardLines(
  stream: ReadableStream<Uint8Array>,
  rate: number,
  onLine: (line: string) => void,
): Promise<void> {
  const decoder = new TextDecoder(ENCODING);
  const reader = stream.getReader();
  let pending = "";
  let spent = 0;
  let windowStart = performance.now();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    pending += decoder.decode(value, { stream: true });
    spent += value.byteLength;
    let end = pending.indexOf("\n");
    while (end >= 0 || pending.length > MAX_LINE) {
      const cut = end >= 0 && end <= MAX_LINE ? end : MAX_LINE;
      onLine(pending.slice(0, cut));
      pending = pending.slice(cut === end ? cut + 1 : cut);
      end = pending.indexOf("\n");
    }
    const elapsed = performance.now() - windowStart;
    if (spent >= rate && elapsed < SECOND) await Bun.sleep(SECOND - elapsed);
    if (performance.now() - windowStart >= SECOND) {
      windowStart = performance.now();
      spent = 0;
    }
  }
  if (pending !== "") onLine(pending);
}
