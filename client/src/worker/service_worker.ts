/**
 * The service worker: the app's shell, kept whole, and finished records sent with the app closed.
 *
 * A new version installs beside the old one, checks every file against its hash and waits until the
 * page asks for it. It never touches /sync/ and never answers a missing file with a page.
 */

import { sha256 } from "../storage/bytes";
import { takeReminder } from "../storage/reminders";
import { deliver } from "../sync/deliver";

declare const self: ServiceWorkerGlobalScope;
// Filled in by the build: each file, and 128 bits of its SHA-256.
declare const SHELL: Record<string, string>;
declare const BUILD: string; // filled in by the build: a hash over them

const CACHE = `fieldapp-${BUILD}`;

const isIntact = async (response: Response, hash: string): Promise<boolean> =>
  (await sha256(await response.arrayBuffer())).startsWith(hash);

async function fetchIntact(
  url: string,
  hash: string,
  cache: RequestCache,
): Promise<Response | null> {
  const response = await fetch(url, { cache, credentials: "omit" });
  return response.ok && !response.redirected && (await isIntact(response.clone(), hash))
    ? response
    : null;
}

async function install(): Promise<void> {
  const cache = await caches.open(CACHE);
  await Promise.all(
    Object.entries(SHELL).map(async ([url, hash]) => {
      // What the page has just loaded need not travel twice; what turns out to be wrong is asked
      // for anew.
      const response =
        (await fetchIntact(url, hash, "default")) ?? (await fetchIntact(url, hash, "reload"));
      if (!response) throw new Error(`${url} is not what it should be`);
      await cache.put(url, response);
    }),
  );
}

async function activate(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(
    names
      .filter((name) => name.startsWith("fieldapp-") && name !== CACHE)
      .map((name) => caches.delete(name)),
  );
  await self.clients.claim();
}

async function respond(request: Request, key: string): Promise<Response> {
  const cache = await caches.open(CACHE);
  return (await cache.match(key, { ignoreVary: true })) ?? fetch(request);
}

/** Whether every file of the shell is here and is what it was when it was built. */
async function isWhole(): Promise<boolean> {
  const cache = await caches.open(CACHE);
  const checks = Object.entries(SHELL).map(async ([url, hash]) => {
    const cached = await cache.match(url, { ignoreVary: true });
    return cached !== undefined && isIntact(cached, hash);
  });
  return (await Promise.all(checks)).every(Boolean);
}

/** Files that were cleared away are fetched again, if they are still the same ones. */
async function repair(): Promise<boolean> {
  if (await isWhole()) return true;
  await install().catch(() => undefined);
  return isWhole();
}

async function sendWaiting(): Promise<void> {
  const run = async (): Promise<void> => {
    await deliver();
    new BroadcastChannel("fieldapp").postMessage("changed"); // open tabs look anew
  };
  await (navigator.locks ? navigator.locks.request("fieldapp-exchange", run) : run());
}

/** Say that something is due, where the worker asked for it; without a sound, and nothing else. */
async function remind(): Promise<void> {
  const words = await takeReminder();
  if (words) await self.registration.showNotification(words, { silent: true });
}

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  if (event.request.mode === "navigate" && url.pathname === "/app/")
    event.respondWith(respond(event.request, "/app/"));
  else if (url.pathname in SHELL) event.respondWith(respond(event.request, url.pathname));
});
self.addEventListener("message", (event) => {
  if (event.data === "update") void self.skipWaiting();
  if (event.data === "whole?")
    event.waitUntil(repair().then((whole) => event.ports[0]?.postMessage(whole)));
});
self.addEventListener("sync", (event) => {
  const late = event as Event & { tag: string; waitUntil(work: Promise<unknown>): void };
  if (late.tag === "deliver") late.waitUntil(sendWaiting());
});
self.addEventListener("periodicsync", (event) => (event as ExtendableEvent).waitUntil(remind()));
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(self.clients.openWindow("/app/"));
});

export {};
