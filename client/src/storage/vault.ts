/**
 * What a worker writes is sealed from the first keystroke: a random key, wrapped by the PIN and,
 * where wished, a passkey.
 */

import { type Bytes, randomBytes, toUtf8 } from "./bytes";
import { deleteRow, getRow, putRow, updateRow } from "./database";
import type { CentreKey, Sealed, VaultRow } from "./types";
import { importSigningKey } from "./sealing";

const ITERATIONS = 600_000;
const FREE_TRIES = 5;
const MOST_TRIES = 10; // then the PIN opens nothing any more
const LONGEST_WAIT = 3_600_000;

export interface Rules {
  lock_minutes: number;
  shred_days: number;
  voice_notes: boolean;
}

/** A phone that joined in a worker's name. */
export interface JoinedPhone {
  device: string;
  label: string;
  at: string;
}

export interface Account {
  user: number;
  username: string;
  device: string;
  signer: string; // private key with which what is finished is signed
  token: string;
  worker: string;
  centre: string;
  key: CentreKey | null;
  receipts: CentreKey | null; // the key with which this centre signs what it says
  team: { user: number; label: string }[]; // colleagues to whom a card can be handed over
  rules: Rules;
  listed: ManifestEntry[]; // what the centre last said that a phone should hold
  remembered: Record<string, Record<string, string>>; // form → path → last answer
  labelSalt?: string; // what makes the key of own labels, with a password
  labelKey?: string; // with which own labels are sealed; none where nobody typed a password
  usual?: Record<string, Usual>; // by form; never sent
  joined?: JoinedPhone[]; // lately, after this one
  seenPhones?: string[]; // those of them that the worker has read of
}

/** How often each choice of a question was picked lately: path → name of the choice → times. */
export type Usual = Record<string, Record<string, number>>;

export interface ManifestEntry {
  kind: "form" | "areas";
  id: string;
  sha256: string;
}

export type Vault = { key: CryptoKey; signer: CryptoKey; account: Account };

export const DEFAULT_RULES: Rules = { lock_minutes: 5, shred_days: 7, voice_notes: false };

export class WrongPin extends Error {}
/** The PIN was tried too often, or the centre locked this phone: only the password opens it. */
export class PinDisabled extends Error {}
export class PinDelayed extends Error {
  constructor(readonly seconds: number) {
    super();
  }
}

const decoder = new TextDecoder();

export async function seal(key: CryptoKey, value: unknown): Promise<Sealed> {
  const iv = randomBytes(12);
  return {
    iv,
    data: await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, toUtf8(JSON.stringify(value))),
  };
}

export async function unseal<T>(key: CryptoKey, sealed: Sealed): Promise<T> {
  const data = await crypto.subtle.decrypt({ name: "AES-GCM", iv: sealed.iv }, key, sealed.data);
  return JSON.parse(decoder.decode(data)) as T;
}

/** The key that a PIN stands for; slow on purpose, and off the main thread. */
export async function deriveKeyFromPin(
  pin: string,
  salt: Bytes,
  iterations = ITERATIONS,
): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey("raw", toUtf8(pin), "PBKDF2", false, [
    "deriveKey",
  ]);
  const algorithm = { name: "PBKDF2", hash: "SHA-256", salt, iterations };
  return crypto.subtle.deriveKey(algorithm, material, { name: "AES-GCM", length: 256 }, false, [
    "encrypt",
    "decrypt",
  ]);
}

function importKey(raw: Iterable<number>): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", new Uint8Array(raw), "AES-GCM", false, [
    "encrypt",
    "decrypt",
  ]);
}

async function deriveKeyFromSecret(text: string): Promise<CryptoKey> {
  return importKey(new Uint8Array(await crypto.subtle.digest("SHA-256", toUtf8(text))));
}

/**
 * Make or renew a worker's vault after they signed in at the centre. `recovery` is a secret that
 * only the centre gives, after the password: with it, drafts that were sealed under a forgotten PIN
 * are kept.
 */
export async function enrol(
  account: Account,
  byPin: { salt: Bytes; key: Promise<CryptoKey> },
  recovery: string,
): Promise<Vault> {
  const [existing, recoveryKey] = await Promise.all([
    getRow("vaults", account.user),
    deriveKeyFromSecret(recovery),
  ]);
  let raw = [...randomBytes(32)];
  if (existing) {
    raw = await unseal<number[]>(recoveryKey, existing.byRecovery);
    const before = await unseal<Account>(await importKey(raw), existing.account);
    account = {
      ...account,
      remembered: before.remembered,
      ...(before.labelKey ? { labelKey: before.labelKey } : {}),
      ...(before.usual ? { usual: before.usual } : {}),
    };
  }
  const key = await importKey(raw);
  const counted = await getRow("counters", account.user);
  await putRow("vaults", {
    user: account.user,
    username: account.username,
    device: account.device,
    shredDays: account.rules.shred_days,
    receipts: account.receipts,
    base: { made: counted?.made ?? 0, deleted: counted?.deleted ?? 0 },
    epoch: existing?.epoch ?? 0,
    salt: byPin.salt,
    iterations: ITERATIONS,
    byPin: await seal(await byPin.key, raw),
    byPasskey: null,
    byRecovery: await seal(recoveryKey, raw),
    account: await seal(key, account),
    tries: 0,
    notBefore: 0,
  });
  return { key, signer: await importSigningKey(account.signer), account };
}

/** What accounts of earlier versions do not have. */
const fillMissing = ({ rules, listed, receipts, team }: Account): Partial<Account> => ({
  rules: rules ?? DEFAULT_RULES,
  listed: listed ?? [],
  receipts: receipts ?? null,
  team: team ?? [],
});

/** The vault of a row, whose raw key something has opened. */
export async function openVault(row: VaultRow, raw: number[]): Promise<Vault> {
  const key = await importKey(raw);
  const account = await unseal<Account>(key, row.account);
  // A vault of the first version has no signing key yet: the next exchange asks to sign in again.
  const signer = account.signer
    ? await importSigningKey(account.signer)
    : (null as unknown as CryptoKey);
  return { key, signer, account: { ...account, ...fillMissing(account) } };
}

/**
 * Open a vault with its PIN. A wrong one is counted before it is tried: five are free, ten end it.
 */
export async function unlock(user: number, pin: string): Promise<Vault> {
  const row = await getRow("vaults", user);
  if (!row) throw new WrongPin();
  if (!row.byPin) throw new PinDisabled();
  const wait = Math.min(row.notBefore - Date.now(), LONGEST_WAIT); // however the clock jumped
  if (wait > 0) throw new PinDelayed(Math.ceil(wait / 1000));
  const tries = row.tries + 1;
  const pause = tries < FREE_TRIES ? 0 : Math.min(30_000 * 2 ** (tries - FREE_TRIES), LONGEST_WAIT);
  const key = deriveKeyFromPin(pin, row.salt, row.iterations);
  await updateRow("vaults", user, (row) => ({
    ...row,
    tries,
    notBefore: pause ? Date.now() + pause : 0,
  }));
  let raw: number[];
  try {
    raw = await unseal<number[]>(await key, row.byPin);
  } catch {
    if (tries < MOST_TRIES) throw new WrongPin();
    await disablePin(user);
    throw new PinDisabled();
  }
  void updateRow("vaults", user, (row) => ({ ...row, tries: 0, notBefore: 0 })).catch(
    () => undefined,
  );
  return openVault(row, raw);
}

/** Take away all that opens a vault here; the password, at the centre, still does. */
export async function disablePin(user: number): Promise<void> {
  await updateRow("vaults", user, (row) => ({
    ...row,
    byPin: null,
    byPasskey: null,
    tries: 0,
    notBefore: 0,
  }));
  await deleteRow("reminders", user);
}

/** Keep a change of the account (last answers, name of the centre, its key and rules). */
export async function saveAccount(vault: Vault): Promise<void> {
  const account = await seal(vault.key, vault.account);
  const { receipts, rules } = vault.account;
  await updateRow("vaults", vault.account.user, (row) => ({
    ...row,
    account,
    shredDays: rules.shred_days,
    receipts,
  }));
}
