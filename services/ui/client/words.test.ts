import { afterAll, expect, test } from "bun:test";
import { WordSplitter } from "../../../src/core/tree/words.js";
import { termsOf, wordsOf } from "./words.js";

const server = new WordSplitter();
afterAll(() => server.close());

test.each([
  "Paint the SHED!",
  "Café, Cafe\u0301 and naïve_case",
  "Łódź, Ångström, øre, Straße",
  "İstanbul, ı and I",
  "Ǣ, ệ and e\u0323\u0301",
  "ΆΣ, σς and Ελλάδα",
  "Ёлка й",
  "x\u0305y x\u0338y",
  "你好 ガか\u3099 한국어 हिन्दी",
  "of* a-b a.b a/b 3.14 x² Ⅷ",
  "\uE000 \u{10400}\u{10428}",
  "– !",
])("%j has the words that the server's search finds it by", (text) => {
  expect(wordsOf(text)).toEqual(server.split(text));
});

test("a star in a search belongs to the word that it ends", () => {
  expect(termsOf("Dép* of * a*b")).toEqual(["dep*", "of", "a*", "b"]);
});
