/** How well a text answers what was typed: higher is better, undefined is not at all. */
export function score(typed: string, text: string): number | undefined {
  const wanted = typed.toLowerCase();
  const there = text.toLowerCase();
  const whole = there.indexOf(wanted);
  if (whole >= 0) return 1000 - whole - there.length / 100 + (startsWord(there, whole) ? 500 : 0);
  let at = -1;
  let points = 0;
  for (const sign of wanted) {
    if (sign === " ") continue;
    const next = there.indexOf(sign, at + 1);
    if (next < 0) return undefined;
    points += next === at + 1 ? 3 : startsWord(there, next) ? 2 : -1;
    at = next;
  }
  return points - there.length / 100;
}

const startsWord = (text: string, at: number) => at === 0 || !/[\p{L}\p{N}]/u.test(text[at - 1] ?? "");
