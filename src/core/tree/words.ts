/** Splits text into words as the full-text index does. */
import { Database } from "bun:sqlite";

/** The tokenizer: words consist of letters, digits, and combining marks, with which many scripts write vowels. */
export const tokenizer = `tokenize = "unicode61 categories 'L* N* Co M*'"`;

/**
 * Splits text exactly as the full-text index does, whose Unicode version is older than JavaScript's. The index
 * keeps no positions, so it cannot be searched for text that it would split differently.
 */
export class WordSplitter {
  readonly #db = new Database(":memory:");
  readonly #add;
  readonly #read;
  readonly #clear;

  constructor() {
    this.#db.run(`CREATE VIRTUAL TABLE given USING fts5 (content, ${tokenizer})`);
    this.#db.run("CREATE VIRTUAL TABLE pieces USING fts5vocab (given, instance)");
    this.#add = this.#db.query<null, [string]>("INSERT INTO given (rowid, content) VALUES (1, ?)");
    this.#read = this.#db.query<{ term: string }, []>("SELECT term FROM pieces ORDER BY offset");
    this.#clear = this.#db.query<null, []>("DELETE FROM given");
  }

  /** The words of a text, in order. */
  split(text: string): string[] {
    // ASCII letters and digits need no splitting; the index ignores case.
    if (/^[a-z0-9]+$/i.test(text)) return [text];
    this.#add.run(text);
    const found = this.#read.all().map(({ term }) => term);
    this.#clear.run();
    return found;
  }

  close(): void {
    this.#db.close();
  }
}
