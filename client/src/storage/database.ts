/** IndexedDB: its stores, and transactions that say "done" only when the phone has really written. */

export interface VaultRow {
  user: number;
  username: string;
  salt: Uint8Array<ArrayBuffer>;
  iterations: number;
  byPin: Sealed;
  byRecovery: Sealed;
  account: Sealed;
  tries: number;
  notBefore: number;
}

export interface Sealed {
  iv: Uint8Array<ArrayBuffer>;
  data: ArrayBuffer;
}

export interface FormRow {
  key: string; // user/id/version
  user: number;
  id: string;
  version: string;
  sha256: string;
  text: string;
  isCurrent: boolean;
}

export interface DraftRow {
  id: string;
  user: number;
  form: string;
  version: string;
  changedAt: number;
  sealed: Sealed;
}

export interface OutboxRow {
  id: string;
  user: number;
  seq: number;
  form: string;
  finishedAt: string;
  state: "waiting" | "delivered" | "kept"; // kept: the centre holds it and needs to look at it
  deliveredAt: number;
  sealed: Sealed | null; // gone once delivered
}

export interface Rows {
  vaults: VaultRow;
  forms: FormRow;
  drafts: DraftRow;
  outbox: OutboxRow;
}

export type Store = keyof Rows;

const NAME = "fieldapp";
const VERSION = 1;
const KEYS: Record<Store, string> = { vaults: "user", forms: "key", drafts: "id", outbox: "id" };

let opened: Promise<IDBDatabase> | null = null;

function open(): Promise<IDBDatabase> {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, VERSION);
    request.onupgradeneeded = () => {
      for (const [store, keyPath] of Object.entries(KEYS)) {
        const made = request.result.createObjectStore(store, { keyPath });
        if (store !== "vaults") made.createIndex("user", "user");
      }
    };
    request.onsuccess = () => {
      const database = request.result;
      const forget = (): void => {
        opened = null;
        database.close();
      };
      database.onclose = forget; // iPhones close it in the background
      database.onversionchange = forget;
      resolve(database);
    };
    request.onerror = () => {
      opened = null;
      reject(request.error ?? new Error("The phone's storage cannot be opened."));
    };
  });
  return opened;
}

/** Run one transaction over the stores; resolves with what `work` left once all of it is written. */
export async function transaction<T>(
  stores: Store[],
  mode: IDBTransactionMode,
  work: (tx: IDBTransaction) => IDBRequest<T> | null,
): Promise<T> {
  const attempt = async (): Promise<T> => {
    const database = await open();
    return new Promise<T>((resolve, reject) => {
      const tx = database.transaction(stores, mode, { durability: "strict" });
      let request: IDBRequest<T> | null = null;
      tx.oncomplete = () => resolve(request?.result as T);
      tx.onabort = () => reject(tx.error ?? new DOMException("The phone did not save.", "AbortError"));
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

export function get<S extends Store>(store: S, key: IDBValidKey): Promise<Rows[S] | undefined> {
  return transaction([store], "readonly", (tx) => tx.objectStore(store).get(key) as IDBRequest<Rows[S] | undefined>);
}

export function all<S extends Store>(store: S, user: number | null = null): Promise<Rows[S][]> {
  return transaction([store], "readonly", (tx) => {
    const source = tx.objectStore(store);
    return (user === null ? source.getAll() : source.index("user").getAll(user)) as IDBRequest<Rows[S][]>;
  });
}

export async function put<S extends Store>(store: S, row: Rows[S]): Promise<void> {
  await transaction([store], "readwrite", (tx) => tx.objectStore(store).put(row));
}

export async function remove(store: Store, key: IDBValidKey): Promise<void> {
  await transaction<undefined>([store], "readwrite", (tx) => tx.objectStore(store).delete(key));
}
