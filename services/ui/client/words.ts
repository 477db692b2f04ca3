/** The marks that the server's index leaves out. */
const MARKS = /[\u0300-\u0304\u0306-\u030c\u030f\u0311\u031b\u0323-\u0328\u032d\u032e\u0330\u0331]/g;
const ACCENTED = /[\u00c0-\u024f\u1e00-\u1eff]/g;

/** A Latin letter without its one mark; with several it is a letter of its own to the index. */
function plain(letter: string): string {
  const [base = "", ...marks] = letter.normalize("NFD");
  return /[a-z]/.test(base) && marks.length === 1 ? base : letter;
}

const folded = (text: string): string =>
  text.toLowerCase().replaceAll("ς", "σ").replace(ACCENTED, plain).replace(MARKS, "");

/** The words of a text, as the server's index has them: `["cafe"]` for `Café!`. */
export const wordsOf = (text: string): string[] => folded(text).match(/[\p{L}\p{N}\p{M}\p{Co}]+/gu) ?? [];

/** What a search asks for: words, and beginnings of words that end with a star. */
export const termsOf = (search: string): string[] =>
  folded(search).match(/[\p{L}\p{N}\p{M}\p{Co}]+\*?/gu) ?? [];
