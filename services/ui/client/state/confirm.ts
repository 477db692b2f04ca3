import { signal } from "@preact/signals";

/** What is about to be done, in the words of the page. */
export interface Question {
  title: string;
  /** What it is about, in words from outside. */
  about?: string;
  text: string;
  /** What the button says: the verb. */
  verb: string;
}

export const question = signal<(Question & { answer: (yes: boolean) => void }) | undefined>(undefined);

/** Asks before something is lost. Resolves with whether to go on. */
export function confirm(asked: Question): Promise<boolean> {
  question.value?.answer(false);
  return new Promise((resolve) => {
    question.value = {
      ...asked,
      answer: (yes) => {
        question.value = undefined;
        resolve(yes);
      },
    };
  });
}
