import { Database } from "bun:sqlite";

/** What counts as part of a word: letters, digits, and the marks that many scripts write vowels with. */
export const tokenizer = `tokenize = "unicode61 categories 'L* N* Co M*'"`;

/**
 * Splits text exactly as the full-text index does, whose knowledge of Unicode is older than JavaScript's. The
 * index keeps no positions, so it cannot be asked for words that it would take apart.
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

  /** The words of a text, in order, as the index has them. */
  split(text: string): string[] {
    // These are letters and digits to everybody; the index ignores their case by itself.
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
