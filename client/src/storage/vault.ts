/** What is on the phone is sealed from the first keystroke: a random key, wrapped by the worker's PIN. */

import { all, get, put, type Sealed, type VaultRow } from "./database";

const ITERATIONS = 600_000;
const FREE_TRIES = 5;

export interface Account {
  user: number;
  username: string;
  token: string;
  worker: string;
  centre: string;
  remembered: Record<string, Record<string, string>>; // form → path → last answer
}

export type Vault = { key: CryptoKey; account: Account };

export class WrongPin extends Error {}
export class PinPaused extends Error {
  constructor(readonly seconds: number) {
    super();
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function random(size: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(size));
}

export async function seal(key: CryptoKey, value: unknown): Promise<Sealed> {
  const iv = random(12);
  return { iv, data: await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, encoder.encode(JSON.stringify(value))) };
}

export async function unseal<T>(key: CryptoKey, sealed: Sealed): Promise<T> {
  const data = await crypto.subtle.decrypt({ name: "AES-GCM", iv: sealed.iv }, key, sealed.data);
  return JSON.parse(decoder.decode(data)) as T;
}

async function fromPin(pin: string, salt: Uint8Array<ArrayBuffer>, iterations: number): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey("raw", encoder.encode(pin), "PBKDF2", false, ["deriveKey"]);
  const algorithm = { name: "PBKDF2", hash: "SHA-256", salt, iterations };
  return crypto.subtle.deriveKey(algorithm, material, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
}

async function fromRecovery(recovery: string): Promise<CryptoKey> {
  const hash = await crypto.subtle.digest("SHA-256", encoder.encode(recovery));
  return crypto.subtle.importKey("raw", hash, "AES-GCM", false, ["encrypt", "decrypt"]);
}

async function asKey(raw: number[]): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", new Uint8Array(raw), "AES-GCM", false, ["encrypt", "decrypt"]);
}

/** The people who have signed in on this phone, for the lock screen to know whether there is anyone. */
export function vaults(): Promise<VaultRow[]> {
  return all("vaults");
}

/**
 * Make or renew a worker's vault after they signed in at the centre. `recovery` is a secret that only the centre gives,
 * after the password: with it, work that was sealed under a forgotten PIN is kept.
 */
export async function enrol(account: Account, pin: string, recovery: string): Promise<Vault> {
  const existing = await get("vaults", account.user);
  const recoveryKey = await fromRecovery(recovery);
  let raw = [...random(32)];
  if (existing) {
    raw = await unseal<number[]>(recoveryKey, existing.byRecovery);
    const held = await unseal<Account>(await asKey(raw), existing.account);
    account = { ...account, remembered: held.remembered };
  }
  const salt = random(16);
  const key = await asKey(raw);
  await put("vaults", {
    user: account.user,
    username: account.username,
    salt,
    iterations: ITERATIONS,
    byPin: await seal(await fromPin(pin, salt, ITERATIONS), raw),
    byRecovery: await seal(recoveryKey, raw),
    account: await seal(key, account),
    tries: 0,
    notBefore: 0,
  });
  return { key, account };
}

/** Open a vault with its PIN. A wrong one is counted before it is tried; after five, each costs a longer wait. */
export async function unlock(user: number, pin: string): Promise<Vault> {
  const row = await get("vaults", user);
  if (!row) throw new WrongPin();
  const wait = row.notBefore - Date.now();
  if (wait > 0) throw new PinPaused(Math.ceil(wait / 1000));
  const tries = row.tries + 1;
  const pause = tries < FREE_TRIES ? 0 : Math.min(30_000 * 2 ** (tries - FREE_TRIES), 3_600_000);
  await put("vaults", { ...row, tries, notBefore: pause ? Date.now() + pause : 0 });
  let raw: number[];
  try {
    raw = await unseal<number[]>(await fromPin(pin, row.salt, row.iterations), row.byPin);
  } catch {
    throw new WrongPin();
  }
  await put("vaults", { ...row, tries: 0, notBefore: 0 });
  const key = await asKey(raw);
  return { key, account: await unseal<Account>(key, row.account) };
}

/** Keep a change of the account (last answers, name of the centre). */
export async function keepAccount(vault: Vault): Promise<void> {
  const row = await get("vaults", vault.account.user);
  if (row) await put("vaults", { ...row, account: await seal(vault.key, vault.account) });
}
