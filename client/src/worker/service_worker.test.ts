import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { beforeEach, describe, it } from "node:test";
import { installBrowser, setGlobal } from "../../test/browser";
import { leaveReminders } from "../storage/reminders";

const FILES: Record<string, string> = {
  "/app/": "<html>the app</html>",
  "/static/app-1.js": "the script",
};

const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex");

/** The caches of a browser, as far as the worker uses them. */
class Caches {
  readonly stored = new Map<string, Map<string, string>>();

  open(name: string): Promise<object> {
    const cache = this.stored.get(name) ?? new Map<string, string>();
    this.stored.set(name, cache);
    return Promise.resolve({
      put: async (url: string, response: Response) => void cache.set(url, await response.text()),
      match: (url: string) => {
        const text = cache.get(url);
        return Promise.resolve(text === undefined ? undefined : new Response(text));
      },
    });
  }

  keys(): Promise<string[]> {
    return Promise.resolve([...this.stored.keys()]);
  }

  delete(name: string): Promise<boolean> {
    return Promise.resolve(this.stored.delete(name));
  }
}

type Listener = (event: object) => void;

let caches: Caches;
let server: Record<string, string>; // what the server has
let fetched: [url: string, cache: string | undefined][];
let claims: number;
let skips: number;
let reminders: unknown[]; // that were shown
let windows: string[];
const listeners = new Map<string, Listener>();

installBrowser();
setGlobal(
  "SHELL",
  Object.fromEntries(Object.entries(FILES).map(([url, text]) => [url, hashOf(text)])),
);
setGlobal("BUILD", "new");
setGlobal("self", {
  addEventListener: (name: string, listener: Listener) => listeners.set(name, listener),
  clients: {
    claim: () => Promise.resolve(void claims++),
    openWindow: (url: string) => Promise.resolve(void windows.push(url)),
  },
  registration: {
    showNotification: (...about: unknown[]) => Promise.resolve(void reminders.push(about)),
  },
  location: { origin: "https://centre.example" },
  skipWaiting: () => Promise.resolve(void skips++),
});
await import("./service_worker");

beforeEach(() => {
  caches = new Caches();
  server = { ...FILES };
  fetched = [];
  claims = 0;
  skips = 0;
  reminders = [];
  windows = [];
  setGlobal("caches", caches);
  setGlobal("fetch", (request: string | { url: string }, options?: RequestInit) => {
    const url = typeof request === "string" ? request : new URL(request.url).pathname;
    fetched.push([url, options?.cache]);
    const text = server[url];
    return Promise.resolve(new Response(text ?? "not found", { status: text ? 200 : 404 }));
  });
});

/** Let the worker handle an event, wait until it has finished, and give what it answered. */
async function send(name: string, event: object = {}): Promise<Response | undefined> {
  let work: Promise<unknown> = Promise.resolve();
  let response: Promise<Response> | undefined;
  listeners.get(name)!({
    ...event,
    waitUntil: (promise: Promise<unknown>) => (work = promise),
    respondWith: (promise: Promise<Response>) => (response = promise),
  });
  await work;
  return response;
}

const request = (path: string, more: object = {}): object => ({
  request: { url: `https://centre.example${path}`, method: "GET", mode: "cors", ...more },
});

const cached = (): Map<string, string> => caches.stored.get("fieldapp-new") ?? new Map();

describe("installing", () => {
  it("is refused when a file is missing", async () => {
    delete server["/static/app-1.js"];
    await assert.rejects(send("install"), /not what it should be/);
  });

  it("is refused when a file is another than the build's, however often it is asked for", async () => {
    server["/static/app-1.js"] = "changed";
    await assert.rejects(send("install"), /app-1.js is not what it should be/);
    const caches = fetched.filter(([url]) => url === "/static/app-1.js").map(([, cache]) => cache);
    assert.deepEqual(caches, ["default", "reload"]);
  });

  it("stores every file of the shell, each fetched once", async () => {
    await send("install");
    assert.deepEqual(Object.fromEntries(cached()), FILES);
    assert.equal(fetched.length, 2);
  });
});

describe("taking over", () => {
  it("throws earlier versions away, and nothing of others", async () => {
    for (const name of ["fieldapp-old", "fieldapp-new", "other"]) await caches.open(name);
    await send("activate");
    assert.deepEqual([...caches.stored.keys()], ["fieldapp-new", "other"]);
    assert.equal(claims, 1);
  });

  it("waits until the page says so", async () => {
    await send("message", { data: "something" });
    assert.equal(skips, 0);
    await send("message", { data: "update" });
    assert.equal(skips, 1);
  });
});

describe("requests", () => {
  it("to the centre, to others, and those that send something are left to the browser", async () => {
    await send("install");
    for (const event of [
      request("/sync/v1/manifest"),
      request("/office/"),
      request("/static/app-2.js"),
      request("/app/other"),
      request("/static/app-1.js", { method: "POST" }),
      request("/app/", { url: "https://elsewhere.example/app/" }),
    ])
      assert.equal(await send("fetch", event), undefined, JSON.stringify(event));
  });

  it("for the app come from the phone", async () => {
    await send("install");
    server = {};
    const script = await send("fetch", request("/static/app-1.js"));
    assert.equal(await script!.text(), "the script");
    const page = await send("fetch", request("/app/", { mode: "navigate" }));
    assert.equal(await page!.text(), FILES["/app/"]);
  });

  it("for what was cleared away go to the server", async () => {
    const response = await send("fetch", request("/static/app-1.js"));
    assert.equal(await response!.text(), "the script");
  });

  it("for a missing file are not answered with a page", async () => {
    server = {};
    const response = await send("fetch", request("/static/app-1.js"));
    assert.equal(response!.status, 404);
  });
});

describe("asked whether all is there", () => {
  async function ask(): Promise<unknown> {
    let answer: unknown;
    const port = { postMessage: (value: unknown) => (answer = value) };
    await send("message", { data: "whole?", ports: [port] });
    return answer;
  }

  it("says no where a file is gone and cannot be fetched", async () => {
    await send("install");
    cached().delete("/static/app-1.js");
    server = {};
    assert.equal(await ask(), false);
  });

  it("says yes where all is there, and fetches nothing", async () => {
    await send("install");
    fetched = [];
    assert.equal(await ask(), true);
    assert.deepEqual(fetched, []);
  });

  it("repairs what was cleared away or damaged, where the server still has the same", async () => {
    await send("install");
    cached().delete("/static/app-1.js");
    assert.equal(await ask(), true);
    cached().set("/app/", "damaged");
    assert.equal(await ask(), true);
    assert.equal(cached().get("/app/"), FILES["/app/"]);
  });
});

describe("sending with the app closed", () => {
  it("delivers when there is a line again, and tells open tabs", async () => {
    const messages: unknown[] = [];
    class Channel {
      postMessage(message: unknown): void {
        messages.push(message);
      }
    }
    setGlobal("BroadcastChannel", Channel);
    await send("sync", { tag: "deliver" });
    assert.deepEqual(messages, ["changed"]);
  });

  it("does nothing for another reason to wake", async () => {
    await send("sync", { tag: "other" });
    assert.deepEqual(fetched, []);
  });
});

describe("reminding with the app closed", () => {
  const leave = (day: string): Promise<void> =>
    leaveReminders({ user: 7, days: [day], words: "Something is due." });

  it("says the words and no more, without a sound, once", async () => {
    await leave("2020-01-01");
    await send("periodicsync", { tag: "due" });
    await send("periodicsync", { tag: "due" });
    assert.deepEqual(reminders, [["Something is due.", { silent: true }]]);
  });

  it("says nothing on another day, or where nobody asked", async () => {
    await send("periodicsync", { tag: "due" });
    await leave("2999-01-01");
    await send("periodicsync", { tag: "due" });
    assert.deepEqual(reminders, []);
  });

  it("opens the app, which is locked, when it is tapped", async () => {
    let isClosed = false;
    await send("notificationclick", { notification: { close: () => (isClosed = true) } });
    assert.equal(isClosed, true);
    assert.deepEqual(windows, ["/app/"]);
  });
});
