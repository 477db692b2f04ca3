/** Being logged in at a dashboard, without a browser. */

/** The cookie that a reply sets, as a browser sends it along. */
export const cookieOf = (reply: Response): string => reply.headers.get("set-cookie")?.split(";")[0] ?? "";

interface Server {
  fetch(path: string, init: { method: string; body: URLSearchParams; redirect: "manual" }): Promise<Response>;
}

/** Logs in with the token; returns the session's cookie. */
export async function logIn(server: Server, token: string): Promise<string> {
  const body = new URLSearchParams({ token });
  return cookieOf(await server.fetch("/ui/login", { method: "POST", body, redirect: "manual" }));
}
