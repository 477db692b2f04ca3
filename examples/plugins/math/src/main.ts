import type { ServiceDefinition } from "reef/broker";

interface Pair {
  a: number;
  b: number;
}

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

export default {
  services: {
    math: {
      add(input) {
        const { a, b } = input as Pair;
        return { result: a + b };
      },
      multiply(input) {
        const { a, b } = input as Pair;
        return { result: a * b };
      },
      fibonacci(input) {
        const { n } = input as { n: number };
        let [current, next] = [0, 1];
        for (let step = 0; step < n; step++) [current, next] = [next, current + next];
        return { result: current };
      },
    },
    text: {
      reverse(input) {
        const { text } = input as { text: string };
        const letters = Array.from(graphemes.segment(text), ({ segment }) => segment);
        return { result: letters.reverse().join("") };
      },
      wordCount(input) {
        const words = (input as { text: string }).text.match(/\S+/g) ?? [];
        return { count: words.length, words: [...words] };
      },
    },
  },
} satisfies ServiceDefinition;
