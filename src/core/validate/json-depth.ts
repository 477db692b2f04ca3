/** Detects JSON that is nested so deeply that it would exhaust the stack. */

/** The maximum depth: far more than is ever needed, far less than is dangerous. */
export const MAX_LEVELS = 1000;

const [QUOTE, BACKSLASH, BRACKET, END_BRACKET, BRACE, END_BRACE] = Buffer.from(
  '"\\[]{}',
) as unknown as number[];

/** Whether JSON in UTF-8 is nested more than {@link MAX_LEVELS} levels deep. */
export function isTooDeep(json: Uint8Array): boolean {
  if (json.length <= 2 * MAX_LEVELS) return false;
  let levels = 0;
  let inText = false;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at];
    if (byte === QUOTE) inText = !inText;
    else if (inText) at += byte === BACKSLASH ? 1 : 0;
    else if (byte === BRACKET || byte === BRACE) {
      if (++levels > MAX_LEVELS) return true;
    } else if (byte === END_BRACKET || byte === END_BRACE) levels--;
  }
  return false;
}
