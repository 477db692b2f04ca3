/**
 * How a panel speaks to the dashboard: through a port that only this script has. Whatever else a panel posts is not
 * read there, since unpacking it would cost the dashboard as much time as the panel likes.
 */

/** What the dashboard takes. Texts are cut. */
export interface PanelMessage {
  reef: string;
  text?: string;
  kind?: string;
  height?: number;
}

export type Tell = (message: PanelMessage) => void;

const MAX_TEXT = 500;

/** Makes the port and hands its other end to the dashboard. Must run before the panel's own script. */
export function createVoice(): Tell {
  const { port1, port2 } = new MessageChannel();
  // Bound now: the panel's script may replace what prototypes hold, or wait there for the port.
  const post = port1.postMessage.bind(port1) as (message: PanelMessage) => void;
  const cut: (text: string, start: number, end: number) => string = Function.prototype.call.bind(
    String.prototype.slice,
  );
  const short = (value: unknown) => (typeof value === "string" ? cut(value, 0, MAX_TEXT) : undefined);
  parent.postMessage({ reef: "port" }, "*", [port2]);
  return ({ reef, text, kind, height }) =>
    post({
      reef,
      text: short(text),
      kind: short(kind),
      height: typeof height === "number" ? height : undefined,
    });
}
