/** Drafts and finished records of one worker: sealed on the phone, counted so that a loss would show. */

import type { Json } from "../engine/form";
import { all, get, put, remove, transaction, type OutboxRow } from "./database";
import { seal, unseal, type Vault } from "./vault";

export interface Draft {
  id: string;
  form: string;
  version: string;
  changedAt: number;
  page: number;
  answers: Json;
}

/** What travels to the centre (sync/envelope.py). `body` is hashed as it stands. */
export interface Envelope {
  id: string;
  form: string;
  version: string;
  finished_at: string;
  body: string;
  sha256: string;
}

export interface Ledger {
  made: number;
  delivered: number;
  kept: number;
  waiting: number;
  lost: number;
  lastDeliveredAt: number;
}

export async function sha256(text: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Local time with its offset: 2026-11-23T01:02:03.000-05:00. */
export function localTime(date: Date): string {
  const offset = -date.getTimezoneOffset();
  const local = new Date(date.getTime() + offset * 60_000).toISOString().slice(0, 23);
  const two = (number: number): string => String(Math.trunc(number)).padStart(2, "0");
  return `${local}${offset < 0 ? "-" : "+"}${two(Math.abs(offset) / 60)}:${two(Math.abs(offset) % 60)}`;
}

export async function saveDraft(vault: Vault, draft: Draft): Promise<void> {
  const { id, form, version, changedAt } = draft;
  const sealed = await seal(vault.key, { page: draft.page, answers: draft.answers });
  await put("drafts", { id, user: vault.account.user, form, version, changedAt, sealed });
}

export async function openDraft(vault: Vault, id: string): Promise<Draft | null> {
  const row = await get("drafts", id);
  if (!row || row.user !== vault.account.user) return null;
  const inner = await unseal<{ page: number; answers: Json }>(vault.key, row.sealed);
  return { id: row.id, form: row.form, version: row.version, changedAt: row.changedAt, ...inner };
}

export async function listDrafts(vault: Vault): Promise<{ id: string; form: string; changedAt: number }[]> {
  const rows = await all("drafts", vault.account.user);
  return rows.sort((a, b) => b.changedAt - a.changedAt);
}

export function discardDraft(id: string): Promise<void> {
  return remove("drafts", id);
}

/** Move a draft to the outbox in one transaction: it is never in both, never in neither. */
export async function finishDraft(vault: Vault, draft: Draft, now: Date): Promise<Envelope> {
  const body = JSON.stringify(draft.answers);
  const envelope: Envelope = {
    id: draft.id,
    form: draft.form,
    version: draft.version,
    finished_at: localTime(now),
    body,
    sha256: await sha256(body),
  };
  const user = vault.account.user;
  const sealed = await seal(vault.key, envelope);
  const before = await all("outbox", user);
  if (before.some((row) => row.id === draft.id)) {
    await remove("drafts", draft.id); // a second tap
    return envelope;
  }
  const seq = Math.max(highWater(user), ...before.map((row) => row.seq)) + 1;
  const row: OutboxRow = {
    id: draft.id,
    user,
    seq,
    form: draft.form,
    finishedAt: envelope.finished_at,
    state: "waiting",
    deliveredAt: 0,
    sealed,
  };
  await transaction(["drafts", "outbox"], "readwrite", (tx) => {
    tx.objectStore("drafts").delete(draft.id);
    return tx.objectStore("outbox").put(row);
  });
  raiseHighWater(user, seq);
  return envelope;
}

/** The oldest that wait, without those that the centre could not read a moment ago. */
export async function waiting(vault: Vault, limit: number, without: ReadonlySet<string>): Promise<Envelope[]> {
  const rows = await all("outbox", vault.account.user);
  const queue = rows
    .filter((row) => row.state === "waiting" && row.sealed && !without.has(row.id))
    .sort((a, b) => a.seq - b.seq);
  return Promise.all(queue.slice(0, limit).map((row) => unseal<Envelope>(vault.key, row.sealed!)));
}

/** The centre holds it: drop the answers from the phone, keep the line in the ledger. */
export async function markDelivered(id: string, state: "delivered" | "kept", now: number): Promise<void> {
  const row = await get("outbox", id);
  if (row) await put("outbox", { ...row, state, deliveredAt: now, sealed: null });
}

export function listOutbox(vault: Vault): Promise<OutboxRow[]> {
  return all("outbox", vault.account.user).then((rows) => rows.sort((a, b) => b.seq - a.seq));
}

export function ledgerOf(user: number, rows: OutboxRow[]): Ledger {
  const made = Math.max(highWater(user), 0, ...rows.map((row) => row.seq));
  const count = (state: OutboxRow["state"]): number => rows.filter((row) => row.state === state).length;
  return {
    made,
    delivered: count("delivered"),
    kept: count("kept"),
    waiting: count("waiting"),
    lost: Math.max(0, made - rows.length),
    lastDeliveredAt: Math.max(0, ...rows.map((row) => row.deliveredAt)),
  };
}

// The highest number given, kept apart from IndexedDB: if the phone loses rows, the ledger shows it.
function highWater(user: number): number {
  return Number(localStorage.getItem(`fieldapp.made.${user}`) ?? 0);
}

function raiseHighWater(user: number, seq: number): void {
  localStorage.setItem(`fieldapp.made.${user}`, String(seq));
}
