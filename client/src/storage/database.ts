/**
 * IndexedDB: its stores, and transactions that say "done" only when the phone has really written.
 */

import type { Rows } from "./types";

export type Store = keyof Rows;

const NAME = "fieldapp";
const VERSION = 6;
const KEYS: Record<Store, string> = {
  vaults: "user",
  forms: "key",
  areas: "key",
  drafts: "id",
  outbox: "id",
  blobs: "hash",
  counters: "user",
  books: "user",
  maps: "user",
  places: "user",
  reminders: "user",
  marks: "name",
};
const BY_USER = new Set(["forms", "areas", "drafts", "outbox", "blobs"]);

let opened: Promise<IDBDatabase> | null = null;

function openDatabase(): Promise<IDBDatabase> {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, VERSION);
    request.onupgradeneeded = () => {
      const existing = request.result.objectStoreNames;
      for (const [store, keyPath] of Object.entries(KEYS)) {
        if (existing.contains(store)) continue;
        const created = request.result.createObjectStore(store, { keyPath });
        if (BY_USER.has(store)) created.createIndex("user", "user");
      }
    };
    request.onsuccess = () => {
      const database = request.result;
      const dropHandle = (): void => {
        opened = null;
        database.close();
      };
      database.onclose = dropHandle; // iPhones close it in the background
      database.onversionchange = dropHandle;
      resolve(database);
    };
    request.onerror = () => {
      opened = null;
      reject(request.error ?? new Error("The phone's storage cannot be opened."));
    };
  });
  return opened;
}

/**
 * Run one transaction over the stores; resolves with what `work` left once all of it is written.
 */
export async function runTransaction<T>(
  stores: Store[],
  mode: IDBTransactionMode,
  work: (tx: IDBTransaction) => IDBRequest<T> | null,
): Promise<T> {
  const attempt = async (): Promise<T> => {
    const database = await openDatabase();
    return new Promise<T>((resolve, reject) => {
      const tx = database.transaction(stores, mode, { durability: "strict" });
      let request: IDBRequest<T> | null = null;
      tx.oncomplete = () => resolve(request?.result as T);
      tx.onabort = () =>
        reject(tx.error ?? new DOMException("The phone did not save.", "AbortError"));
      request = work(tx);
    });
  };
  try {
    return await attempt();
  } catch (error) {
    const name = error instanceof DOMException ? error.name : "";
    if (name !== "InvalidStateError" && name !== "UnknownError") throw error;
    opened = null; // the handle died; open anew, once
    return attempt();
  }
}

export function getRow<S extends Store>(store: S, key: IDBValidKey): Promise<Rows[S] | undefined> {
  return runTransaction(
    [store],
    "readonly",
    (tx) => tx.objectStore(store).get(key) as IDBRequest<Rows[S] | undefined>,
  );
}

export function getAllRows<S extends Store>(
  store: S,
  user: number | null = null,
): Promise<Rows[S][]> {
  return runTransaction([store], "readonly", (tx) => {
    const source = tx.objectStore(store);
    return (user === null ? source.getAll() : source.index("user").getAll(user)) as IDBRequest<
      Rows[S][]
    >;
  });
}

export async function putRow<S extends Store>(store: S, row: Rows[S]): Promise<void> {
  await runTransaction([store], "readwrite", (tx) => tx.objectStore(store).put(row));
}

export async function deleteRow(store: Store, key: IDBValidKey): Promise<void> {
  await runTransaction<undefined>([store], "readwrite", (tx) => tx.objectStore(store).delete(key));
}

/**
 * Read a row and write what becomes of it, with nobody in between; `change` gives null to leave it
 * alone.
 */
export async function updateRow<S extends Store>(
  store: S,
  key: IDBValidKey,
  change: (row: Rows[S]) => Rows[S] | null,
): Promise<void> {
  await runTransaction([store], "readwrite", (tx) => {
    const rows = tx.objectStore(store);
    const request = rows.get(key) as IDBRequest<Rows[S] | undefined>;
    request.onsuccess = () => {
      const changed = request.result && change(request.result);
      try {
        if (changed) rows.put(changed);
      } catch {
        tx.abort(); // no room: whoever asked is told, as by any write that fails
      }
    };
    return null;
  });
}

/** Take everything of a worker off the phone. */
export async function deleteUserData(user: number): Promise<void> {
  const stores = Object.keys(KEYS).filter((name) => name !== "marks") as Store[];
  await runTransaction(stores, "readwrite", (tx) => {
    for (const name of stores) {
      const store = tx.objectStore(name);
      if (!BY_USER.has(name)) store.delete(user);
      else {
        const request = store.index("user").getAllKeys(user);
        request.onsuccess = () => request.result.forEach((key) => store.delete(key));
      }
    }
    return null;
  });
}

/** Throw the whole store away, when nothing in it can be read any more. */
export function deleteDatabase(): Promise<void> {
  opened = null;
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(NAME);
    request.onsuccess = () => resolve();
    request.onerror = () => reject(request.error ?? new Error("not deleted"));
    request.onblocked = () => reject(new Error("open in another tab"));
  });
}
