import { readFile } from "node:fs/promises";
import { createServiceClient, type ServiceDefinition, services } from "reef/broker";

interface TextService {
  wordCount(text: string): Promise<{ count: number; words: string[] }>;
}

const text = createServiceClient<TextService>("com.example.math-plugin", "text");

export default {
  services: {
    notes: {
      async words({ path }: { path: string }) {
        const { count } = await text.wordCount(await readFile(path, "utf8"));
        return { path, count };
      },
      sum: (input) => services.call("com.example.math-plugin", "math", "add", input),
    },
  },
} satisfies ServiceDefinition;
