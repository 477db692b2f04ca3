import type { ServiceDefinition } from "reef/broker";

interface Pair {
  a: number;
  b: number;
}

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

export default {
  services: {
    math: {
      add({ a, b }: Pair) {
        return { result: a + b };
      },
      multiply({ a, b }: Pair) {
        return { result: a * b };
      },
      fibonacci({ n }: { n: number }) {
        let [current, next] = [0, 1];
        for (let step = 0; step < n; step++) [current, next] = [next, current + next];
        return { result: current };
      },
    },
    text: {
      reverse({ text }: { text: string }) {
        const letters = Array.from(graphemes.segment(text), ({ segment }) => segment);
        return { result: letters.reverse().join("") };
      },
      wordCount({ text }: { text: string }) {
        const words = text.match(/\S+/g) ?? [];
        return { count: words.length, words: [...words] };
      },
    },
  },
} satisfies ServiceDefinition;
