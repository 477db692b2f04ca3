import { JsonDocument, type JsonDocumentOptions, type JsonFormat } from "./json-document.js";

/** What every kind of JSON file offers besides its content. */
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

  /** Reads the file now, so that a problem with it shows here and not at first use. */
  open(): this {
    this.document.current();
    return this;
  }

  /** Writes what is queued before it returns. Failures reject the promises of their changes. */
  flush(): void {
    this.document.flush();
  }

  /** Writes what is queued and refuses further use. May be called again. */
  close(): void {
    this.document.close();
  }
}
