/** Copies a text; returns what to tell the person. Browsers offer the clipboard on https and localhost only. */
export async function copyText(text: string): Promise<string> {
  try {
    await navigator.clipboard.writeText(text);
    return "Copied.";
  } catch {
    // Not allowed or not there: the text stands beside the button.
    return "The browser does not allow copying; select the text below.";
  }
}
