/**
 * The health of the phone's storage: will the browser keep it, is there room, has it been cleared
 * behind our back?
 */

import { deleteRow, getRow, putRow } from "./database";

export interface StorageHealth {
  isKept: boolean; // the browser has promised not to clear it
  freeMb: number | null;
}

export async function checkStorage(): Promise<StorageHealth> {
  const storage = navigator.storage as StorageManager | undefined;
  const [kept, estimate] = await Promise.all([storage?.persisted?.(), storage?.estimate?.()]).catch(
    () => [],
  );
  const free = estimate?.quota
    ? Math.round((estimate.quota - (estimate.usage ?? 0)) / 1_048_576)
    : null;
  return { isKept: kept ?? false, freeMb: free };
}

/** Ask the browser to keep what is stored. */
export async function requestPersistence(): Promise<void> {
  await navigator.storage?.persist?.().catch(() => false);
}

/**
 * Whether so many bytes can really be written; what was written to find out is taken away again.
 */
export async function hasRoomFor(bytes: number): Promise<boolean> {
  try {
    await putRow("marks", {
      name: "room",
      at: 0,
      filler: crypto.getRandomValues(new Uint8Array(Math.min(bytes, 65_536))),
    });
    await putRow("marks", { name: "room", at: 0, filler: new Uint8Array(bytes).fill(7) });
    return true;
  } catch {
    return false;
  } finally {
    await deleteRow("marks", "room").catch(() => undefined);
  }
}

const MARK = "fieldapp.marked";

/** Leave a mark in both stores of the browser. */
export async function markStorage(): Promise<void> {
  await putRow("marks", { name: "canary", at: Date.now() });
  localStorage.setItem(MARK, "yes");
}

/**
 * Whether the mark is gone from one store and not from the other: damaged files open empty, without
 * an error.
 */
export async function wasCleared(): Promise<boolean> {
  const mark = await getRow("marks", "canary");
  return mark === undefined && localStorage.getItem(MARK) !== null;
}
