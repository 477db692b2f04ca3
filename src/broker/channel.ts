/** Splits a byte stream into lines of JSON text, keeping at most `limit` characters of an unfinished one. */
export class LineReader {
  #decoder = new TextDecoder();
  #pending = "";

  constructor(
    private readonly limit: () => number,
    private readonly onLine: (line: string) => void,
    private readonly onOverflow: () => void,
  ) {}

  push(chunk: Uint8Array): void {
    const text = this.#decoder.decode(chunk, { stream: true });
    let start = 0;
    let end = text.indexOf("\n");
    while (end >= 0) {
      const line = text.slice(start, end);
      const whole = this.#pending === "" ? line : this.#pending + line;
      this.#pending = "";
      if (whole.length > this.limit()) {
        this.onOverflow();
        return;
      }
      this.onLine(whole);
      start = end + 1;
      end = text.indexOf("\n", start);
    }
    if (start < text.length) this.#pending += text.slice(start);
    if (this.#pending.length > this.limit()) this.onOverflow();
  }
}

/** What a channel reports. Each is called from the event loop, never from within `send`. */
export interface ChannelEvents {
  /** `text` is the JSON of the message. */
  onMessage(message: unknown[], text: string): void;
  /** The other side has taken all that waited for it. */
  onDrained?(): void;
  /** The other side is gone, or broke the protocol (`reason`). Called once. */
  onClose(reason: string | null): void;
}

/** What a channel puts up with. */
export interface ChannelLimits {
  /** UTF-16 units of one message, either way. May be lowered while the channel is open. */
  maxMessage: number;
  /** Bytes that wait to be read by the other side. */
  maxBacklog: number;
}

/** Bytes of small messages that are sent as one. */
const MAX_JOINED = 64 * 1024;

/** Room that is left for small messages, in bytes. */
const RESERVE = 1024 * 1024;

// Bun's declarations lack this form of its `connect`.
const connectDescriptor = Bun.connect as unknown as (options: Bun.FdSocketOptions) => Promise<Bun.Socket>;

/** A connected socket that carries one JSON array a line, both ways. */
export class Channel {
  #socket: Bun.Socket | null = null;
  #backlog: Uint8Array[] = [];
  #backlogBytes = 0;
  /** What was sent in this turn. */
  #outbox = "";
  #outboxBytes = 0;
  #closed = false;

  private constructor(
    private readonly limits: ChannelLimits,
    private readonly events: ChannelEvents,
  ) {}

  /** Takes over a connected stream socket by its descriptor. */
  static async open(descriptor: number, limits: ChannelLimits, events: ChannelEvents): Promise<Channel> {
    const channel = new Channel(limits, events);
    const reader = new LineReader(
      () => limits.maxMessage,
      (line) => channel.#receive(line),
      () => channel.close("a message was too large"),
    );
    channel.#socket = await connectDescriptor({
      fd: descriptor,
      socket: {
        data: (_socket, chunk) => {
          if (!channel.#closed) reader.push(chunk);
        },
        drain: () => channel.#flush(),
        close: () => channel.close(null),
        end: () => channel.close(null),
        error: (_socket, error) => channel.close(error.message),
      },
    });
    return channel;
  }

  /** Whether messages can still be sent. */
  get isOpen(): boolean {
    return !this.#closed;
  }

  /** Whether a message of so many bytes finds room behind those that the other side has not taken yet. */
  takes(bytes: number): boolean {
    const waiting = this.#backlogBytes + this.#outboxBytes;
    return waiting === 0 || waiting + bytes <= this.limits.maxBacklog - RESERVE;
  }

  /**
   * Sends one message, together with the others of this turn. Throws when it is too large
   * or no JSON; does nothing on a closed channel.
   */
  send(message: readonly unknown[]): void {
    if (this.isOpen) this.sendText(JSON.stringify(message));
  }

  /** The same for a message that is JSON already. */
  sendText(message: string): void {
    if (this.#closed || this.#socket === null) return;
    const text = `${message}\n`;
    if (text.length > this.limits.maxMessage) throw new MessageTooLarge(text.length, this.limits.maxMessage);
    if (this.#outbox === "") queueMicrotask(this.#post);
    this.#outbox += text;
    this.#outboxBytes += Buffer.byteLength(text);
    // To join what is large costs more memory than it saves time.
    if (this.#outboxBytes > MAX_JOINED) this.#post();
  }

  #post = (): void => {
    const text = this.#outbox;
    const size = this.#outboxBytes;
    this.#outbox = "";
    this.#outboxBytes = 0;
    if (text === "" || this.#closed || this.#socket === null) return;
    if (this.#backlog.length > 0) {
      this.#keep(Buffer.from(text));
      return;
    }
    const written = Math.max(this.#socket.write(text), 0);
    if (written < size) this.#keep(Buffer.from(text).subarray(written));
  };

  #keep(bytes: Uint8Array): void {
    this.#backlog.push(bytes);
    this.#backlogBytes += bytes.byteLength;
    if (this.#backlogBytes > this.limits.maxBacklog) this.close("the other side is not reading");
  }

  #flush(): void {
    while (this.#socket !== null && this.#backlog.length > 0) {
      const next = this.#backlog[0] as Uint8Array;
      const written = Math.max(this.#socket.write(next), 0);
      this.#backlogBytes -= written;
      if (written < next.byteLength) {
        this.#backlog[0] = next.subarray(written);
        return;
      }
      this.#backlog.shift();
    }
    this.events.onDrained?.();
  }

  #receive(line: string): void {
    if (this.#closed) return;
    let message: unknown;
    try {
      message = JSON.parse(line);
    } catch {
      this.close("a message was not JSON");
      return;
    }
    if (Array.isArray(message)) this.events.onMessage(message, line);
    else this.close("a message was not a list");
  }

  /** Closes the channel; `reason` is what the other side did wrong, or null. */
  close(reason: string | null = null): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#backlog = [];
    this.#backlogBytes = 0;
    queueMicrotask(() => {
      this.#socket?.terminate();
      this.events.onClose(reason);
    });
  }
}

/** A message over the size that a channel carries. */
export class MessageTooLarge extends Error {
  constructor(size: number, limit: number) {
    super(`a message of ${size} characters is larger than the limit of ${limit}`);
    this.name = "MessageTooLarge";
  }
}
