/** A duplex channel of JSON messages over a socket. */

/** Splits a byte stream into lines, buffering at most `limit` characters of an incomplete one. */
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

/** Callbacks of a channel, called from the event loop, never synchronously from `send`. */
export interface ChannelEvents {
  /** A message arrived; `text` is its JSON. */
  onMessage(message: unknown[], text: string): void;
  /** The peer has read everything that was queued. */
  onDrained?(): void;
  /** The peer has disconnected, or violated the protocol (`reason`). Called once. */
  onClose(reason: string | null): void;
}

/** Limits of a channel. */
export interface ChannelLimits {
  /** The maximum message size in UTF-16 units, in both directions. May be lowered while the channel is open. */
  maxMessage: number;
  /** The maximum number of bytes queued for the peer. */
  maxBacklog: number;
}

/** Small messages are joined up to this size, in bytes. */
const MAX_JOINED = 64 * 1024;

/** Queue space reserved for small messages, in bytes. */
const RESERVE = 1024 * 1024;

// Bun's declarations lack this form of its `connect`.
const connectDescriptor = Bun.connect as unknown as (options: Bun.FdSocketOptions) => Promise<Bun.Socket>;

/** A connected socket that carries one JSON array per line in both directions. */
export class Channel {
  #socket: Bun.Socket | null = null;
  #backlog: Uint8Array[] = [];
  #backlogBytes = 0;
  /** Messages of the current turn. */
  #outbox = "";
  #outboxBytes = 0;
  #closed = false;

  private constructor(
    private readonly limits: ChannelLimits,
    private readonly events: ChannelEvents,
  ) {}

  /** Opens a channel on the descriptor of a connected stream socket. */
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

  /** Whether the channel is open. */
  get isOpen(): boolean {
    return !this.#closed;
  }

  /** Whether the queue has space for a message of this many bytes. */
  takes(bytes: number): boolean {
    const waiting = this.#backlogBytes + this.#outboxBytes;
    return waiting === 0 || waiting + bytes <= this.limits.maxBacklog - RESERVE;
  }

  /**
   * Sends a message, joined with others of the same turn. Throws when it is too large or not serialisable; does
   * nothing on a closed channel.
   */
  send(message: readonly unknown[]): void {
    if (this.isOpen) this.sendText(JSON.stringify(message));
  }

  /** Sends a message that is JSON already. */
  sendText(message: string): void {
    if (this.#closed || this.#socket === null) return;
    const text = `${message}\n`;
    if (text.length > this.limits.maxMessage) throw new MessageTooLarge(text.length, this.limits.maxMessage);
    if (this.#outbox === "") queueMicrotask(this.#post);
    this.#outbox += text;
    this.#outboxBytes += Buffer.byteLength(text);
    // Joining large messages would cost more memory than it saves time.
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

  /** Closes the channel; `reason` is the peer's protocol violation, or null. */
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

/** A message that exceeds the channel's limit. */
export class MessageTooLarge extends Error {
  constructor(size: number, limit: number) {
    super(`a message of ${size} characters is larger than the limit of ${limit}`);
    this.name = "MessageTooLarge";
  }
}
