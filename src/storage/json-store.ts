/** The methods that all JSON files share. */
import { JsonDocument, type JsonDocumentOptions, type JsonFormat } from "./json-document.js";

/** Base class of the JSON files: opening, flushing and closing. */
export abstract class JsonStore<State> {
  protected readonly document: JsonDocument<State>;

  /** @throws StorageError `STORAGE_PATH`. */
  constructor(options: JsonDocumentOptions, format: JsonFormat<State>) {
    this.document = new JsonDocument(options, format);
  }

  /** The file's absolute path. */
  get path(): string {
    return this.document.path;
  }

  /** Reads the file now, so that problems surface here rather than at first use. */
  open(): this {
    this.document.current();
    return this;
  }

  /** Writes all queued changes before it returns. Failures reject the promises of their changes. */
  flush(): void {
    this.document.flush();
  }

  /** Flushes, then refuses further use. Idempotent. */
  close(): void {
    this.document.close();
  }
}
