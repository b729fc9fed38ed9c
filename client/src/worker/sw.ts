/**
 * The service worker: the app's shell, kept whole. A new version installs beside the old one and waits until the page
 * asks for it. It never touches /sync/ and never answers a missing file with a page.
 */

declare const self: ServiceWorkerGlobalScope;
declare const SHELL: string[]; // filled in by the build: every file of the shell
declare const BUILD: string; // filled in by the build: a hash over them

const CACHE = `fieldapp-${BUILD}`;

async function install(): Promise<void> {
  const cache = await caches.open(CACHE);
  await Promise.all(
    SHELL.map(async (url) => {
      const response = await fetch(url, { cache: "reload", credentials: "omit" });
      if (!response.ok || response.redirected) throw new Error(`${url}: ${response.status}`);
      await cache.put(url, response);
    }),
  );
}

async function activate(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(
    names.filter((name) => name.startsWith("fieldapp-") && name !== CACHE).map((name) => caches.delete(name)),
  );
  await self.clients.claim();
}

async function respond(request: Request, key: string): Promise<Response> {
  const cache = await caches.open(CACHE);
  return (await cache.match(key, { ignoreVary: true })) ?? fetch(request);
}

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  if (event.request.mode === "navigate" && url.pathname === "/app/") event.respondWith(respond(event.request, "/app/"));
  else if (SHELL.includes(url.pathname)) event.respondWith(respond(event.request, url.pathname));
});
self.addEventListener("message", (event) => {
  if (event.data === "update") void self.skipWaiting();
  if (event.data === "whole?") event.waitUntil(isWhole().then((whole) => event.ports[0]?.postMessage(whole)));
});

async function isWhole(): Promise<boolean> {
  const cache = await caches.open(CACHE);
  const found = await Promise.all(SHELL.map((url) => cache.match(url, { ignoreVary: true })));
  return found.every(Boolean);
}

export {};
