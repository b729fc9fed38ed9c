/**
 * What a browser gives the phone's storage, for tests in Node: IndexedDB, localStorage, navigator.
 */

import { IDBFactory, IDBKeyRange, IDBObjectStore } from "fake-indexeddb";

export interface Browser {
  readonly localStorage: Map<string, string>;
  /** What navigator.storage says; a browser without it has null here. */
  storage: Partial<StorageManager> | null;
  /** While true, every write fails, as on a phone without room. */
  isFull: boolean;
}

function setGlobal(name: string, value: unknown): void {
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}

const put = IDBObjectStore.prototype.put;
let current: Browser | null = null;

IDBObjectStore.prototype.put = function (this: IDBObjectStore, ...args: Parameters<typeof put>) {
  if (current?.isFull) throw new DOMException("full", "QuotaExceededError");
  return put.apply(this, args);
} as typeof put;

/**
 * A browser with nothing stored. Call it before each test, and let the modules drop their handle.
 */
export function installBrowser(): Browser {
  const localStorage = new Map<string, string>();
  const browser: Browser = { localStorage, storage: {}, isFull: false };
  setGlobal("indexedDB", new IDBFactory());
  setGlobal("IDBKeyRange", IDBKeyRange);
  setGlobal("localStorage", {
    getItem: (key: string) => localStorage.get(key) ?? null,
    setItem: (key: string, value: string) => void localStorage.set(key, value),
    removeItem: (key: string) => void localStorage.delete(key),
  });
  setGlobal("navigator", {
    language: "en",
    get storage() {
      return browser.storage ?? undefined;
    },
  });
  current = browser;
  return browser;
}

/** Take localStorage away, as a service worker has none. */
export function removeLocalStorage(): void {
  Reflect.deleteProperty(globalThis, "localStorage");
}

export { setGlobal };
