/** The workers of this phone, as the lock screen knows them. */

import { getAllRows } from "./database";

export interface StoredAccount {
  user: number;
  username: string;
  hasPin: boolean;
  hasPasskey: boolean;
}

const LAST = "fieldapp.last"; // in localStorage: the number of who opened the app last
const CACHE = "fieldapp.doors"; // in localStorage

/** The workers who have a vault on this phone. */
export async function listAccounts(): Promise<StoredAccount[]> {
  const rows = await getAllRows("vaults");
  const accounts = rows.map(({ user, username, byPin, byPasskey }) => ({
    user,
    username,
    hasPin: byPin !== null,
    hasPasskey: Boolean(byPasskey),
  }));
  localStorage.setItem(CACHE, JSON.stringify(accounts));
  return accounts;
}

/**
 * The same as of last time, at once: so the lock is there before the phone has opened its store.
 */
export function readCachedAccounts(): StoredAccount[] {
  try {
    return JSON.parse(localStorage.getItem(CACHE) ?? "[]") as StoredAccount[];
  } catch {
    return []; // the phone's store tells, a moment later
  }
}

/** Remember who opened the app, for the lock to offer them first. */
export function noteOpened(user: number): void {
  localStorage.setItem(LAST, String(user));
}

/** Who opened the app last, of those who are signed in; else the first of them. */
export function findLastOpened(accounts: StoredAccount[]): StoredAccount | undefined {
  const last = Number(localStorage.getItem(LAST));
  return accounts.find(({ user }) => user === last) ?? accounts[0];
}
