/** Drafts and finished records: sealed on the phone, counted so that a loss would show. */

import type { FormDefinition } from "../engine/definition";
import type { Json } from "../engine/types";
import { plainCode } from "../engine/cards";
import { detach } from "./attachments";
import { type Book, changeBook, type Correctable, noted, readBook, summaryOf } from "./book";
import { all, get, put, remove, transaction } from "./database";
import type { BlobRow, CountersRow, DraftRow, OutboxRow, Sealed } from "./types";
import { sealToCentre } from "./sealing";
import { seal, unseal, type Vault } from "./vault";

export interface Draft {
  id: string;
  form: string;
  version: string;
  changedAt: number;
  page: number;
  answers: Json;
  due?: string; // the follow-up that this is
  root?: string; // the record that it corrects
  prev?: string[]; // what of that record the worker saw
  minted?: string[]; // cards that were made while filling it in
}

/** A line of the outbox as its worker sees it: which form, when, how long it took them. */
export interface Line {
  id: string;
  seq: number;
  state: OutboxRow["state"];
  form: string;
  finishedAt: string;
  minutes: string;
  root?: string; // the record that it corrected
}

export interface Ledger {
  made: number;
  delivered: number;
  kept: number;
  deleted: number;
  waiting: number;
  lost: number;
}

/** A centre's key has not come yet: nothing can be finished before the first contact. */
export class NoCentreKey extends Error {}

/** Local time with its offset: 2026-11-23T01:02:03.000-05:00. */
export function localTime(date: Date): string {
  const offset = -date.getTimezoneOffset();
  const local = new Date(date.getTime() + offset * 60_000).toISOString().slice(0, 23);
  const two = (number: number): string => String(Math.trunc(number)).padStart(2, "0");
  return `${local}${offset < 0 ? "-" : "+"}${two(Math.abs(offset) / 60)}:${two(Math.abs(offset) % 60)}`;
}

export async function saveDraft(vault: Vault, draft: Draft): Promise<void> {
  await put("drafts", { id: draft.id, user: vault.account.user, sealed: await seal(vault.key, draft) });
}

async function unsealed(vault: Vault, row: DraftRow): Promise<Draft> {
  return { ...row, ...(await unseal<Draft>(vault.key, row.sealed)) }; // the first version kept form and time outside
}

export async function openDraft(vault: Vault, id: string): Promise<Draft | null> {
  const row = await get("drafts", id);
  return row?.user === vault.account.user ? unsealed(vault, row) : null;
}

export async function listDrafts(vault: Vault): Promise<Draft[]> {
  const rows = await all("drafts", vault.account.user);
  const drafts = await Promise.all(rows.map((row) => unsealed(vault, row).catch(() => null)));
  return drafts.filter((draft) => draft !== null).sort((a, b) => b.changedAt - a.changedAt);
}

export function discardDraft(id: string): Promise<void> {
  return remove("drafts", id);
}

const NONE = { made: 0, delivered: 0, kept: 0, deleted: 0 };

/** Move a draft to the outbox in one transaction: it is never in both, never in neither, and counted with it. */
export async function finishDraft(
  vault: Vault,
  draft: Draft,
  definition: FormDefinition,
  now: Date,
  refusedBy = "", // the card code of a person who said no: it travels beside the answers, and is in none of them
): Promise<void> {
  const { root, prev, due } = draft;
  const [answers, blobs] = await detach(vault, draft.id, draft.answers);
  const book = await readBook(vault);
  const code = plainCode(summaryOf(definition, draft.answers, "person"));
  const cards = [...(draft.minted ?? []), ...book.made].includes(code) ? [code] : [];
  const content = {
    form: draft.form,
    version: draft.version,
    finished_at: localTime(now),
    body: JSON.stringify(answers),
    ...(root ? { root, prev } : {}),
    ...(due ? { due } : {}),
    ...(cards.length ? { cards } : {}),
    ...(refusedBy ? { refused_by: plainCode(refusedBy) } : {}),
  };
  const minutes = summaryOf(definition, draft.answers, "minutes");
  const today = content.finished_at.slice(0, 10);
  const change = (held: Book): Book => noted(held, definition, { ...draft, cards }, today);
  await enqueue(vault, draft.id, content, minutes, change, blobs);
}

/** What a worker says about their caseload that is no form: see sync/notes.py. It travels as a record does. */
export async function finishNote(
  vault: Vault,
  kind: string,
  body: Json | { code: string; to: number },
  change: (book: Book) => Book,
): Promise<void> {
  const form = `fieldapp.${kind}`;
  const content = { form, version: "1", finished_at: localTime(new Date()), body: JSON.stringify(body) };
  await enqueue(vault, crypto.randomUUID(), content, "", change);
}

interface Content {
  form: string;
  version: string;
  finished_at: string;
  body: string;
  root?: string;
}

async function enqueue(
  vault: Vault,
  id: string,
  content: Content,
  minutes: string,
  change: (book: Book) => Book,
  blobs: BlobRow[] = [],
): Promise<void> {
  const { user, device, key } = vault.account;
  if (!key || !vault.signer) throw new NoCentreKey();
  const { form, finished_at: finishedAt, root } = content;
  const about = await seal(vault.key, { form, finishedAt, minutes, ...(root ? { root } : {}) });
  // The number is inside the seal, so it is given first; should another tab take it meanwhile, it is given again.
  for (;;) {
    const seq = Math.max((await countersOf(user)).made, highWater(user).made) + 1;
    const box = await sealToCentre(id, device, key, vault.signer, { ...content, seq });
    let isTaken = false;
    const counted = (book: Book): Book => ({ ...change(book), finished: book.finished + 1 });
    await changeBook(vault, counted, (tx, go) => {
      isTaken = false;
      const counters = tx.objectStore("counters").get(user) as IDBRequest<CountersRow | undefined>;
      const before = tx.objectStore("outbox").get(id) as IDBRequest<OutboxRow | undefined>;
      before.onsuccess = () => {
        if (before.result) return void tx.objectStore("drafts").delete(id); // a second tap
        if ((counters.result?.made ?? 0) >= seq) return void (isTaken = true);
        try {
          tx.objectStore("drafts").delete(id);
          tx.objectStore("outbox").put({ id, user, seq, state: "waiting", box, about, shredOn: 0 });
          for (const blob of blobs) tx.objectStore("blobs").put(blob);
          tx.objectStore("counters").put({ ...(counters.result ?? { user, ...NONE }), made: seq });
          go();
        } catch {
          tx.abort(); // all of it or nothing
        }
      };
    });
    if (!isTaken) return raiseHighWater(await countersOf(user));
  }
}

/** A new draft that corrects a record which the centre holds. */
export async function draftCorrection(vault: Vault, root: string, held: Correctable): Promise<Draft> {
  const { form, version, answers, heads } = held;
  const draft = { id: crypto.randomUUID(), form, version, changedAt: Date.now(), page: 0, answers, root, prev: heads };
  await saveDraft(vault, draft);
  return draft;
}

/** Delete a record that was not sent yet; the ledger keeps counting it. */
export async function deleteWaiting(user: number, id: string): Promise<void> {
  await leaveOutbox(id, "deleted", 1);
  raiseHighWater(await countersOf(user));
}

/** A row leaves the queue in one transaction with the counters of its worker; its box goes at once. */
export async function leaveOutbox(id: string, state: "delivered" | "kept" | "deleted", shredOn: number): Promise<void> {
  const blobs = (await all("blobs")).filter((blob) => blob.record === id);
  await transaction(["outbox", "counters", "blobs"], "readwrite", (tx) => {
    const [outbox, counters] = [tx.objectStore("outbox"), tx.objectStore("counters")];
    const found = outbox.get(id) as IDBRequest<OutboxRow | undefined>;
    found.onsuccess = () => {
      const row = found.result;
      if (row?.state !== "waiting") return;
      outbox.put({ ...row, state, box: null, shredOn });
      for (const blob of blobs) tx.objectStore("blobs").delete(blob.hash);
      const held = counters.get(row.user) as IDBRequest<CountersRow | undefined>;
      held.onsuccess = () => {
        const before = held.result ?? { user: row.user, ...NONE, made: row.seq };
        counters.put({ ...before, [state]: before[state] + 1 });
      };
    };
    return null;
  });
}

/** Take away lines whose time has come. */
export async function shredOld(today: number): Promise<void> {
  const old = (await all("outbox")).filter((row) => row.shredOn > 0 && row.shredOn <= today);
  if (old.length === 0) return;
  await transaction(["outbox"], "readwrite", (tx) => {
    for (const row of old) tx.objectStore("outbox").delete(row.id);
    return null;
  });
}

export async function listLines(vault: Vault): Promise<Line[]> {
  const rows = await all("outbox", vault.account.user);
  const lines = await Promise.all(
    rows.map(async ({ id, seq, state, about }) => {
      const seen = about && (await unseal<Omit<Line, "id" | "seq" | "state">>(vault.key, about).catch(() => null));
      return { id, seq, state, form: "", finishedAt: "", minutes: "", ...seen };
    }),
  );
  return lines.sort((a, b) => b.seq - a.seq);
}

export async function countersOf(user: number): Promise<CountersRow> {
  return (await get("counters", user)) ?? { user, ...NONE };
}

/** What the first version of the app kept: a record sealed under the worker's own key, until it is sealed to the centre. */
const oldSeal = (row: OutboxRow): Sealed | undefined => (row as OutboxRow & { sealed?: Sealed }).sealed ?? undefined;

/** Counted from what is there, for a phone on which nothing was counted yet. */
function countersFrom(user: number, rows: OutboxRow[]): CountersRow {
  const count = (state: OutboxRow["state"]): number => rows.filter((row) => row.state === state).length;
  const made = Math.max(highWater(user).made, 0, ...rows.map((row) => row.seq));
  return { user, made, delivered: count("delivered"), kept: count("kept"), deleted: count("deleted") };
}

/** Counters and rows of one moment: read one after the other, a record finished in between would look lost. */
async function countedAndHeld(user: number): Promise<[CountersRow | undefined, OutboxRow[]]> {
  let counters: IDBRequest<CountersRow | undefined>;
  const rows = await transaction(["counters", "outbox"], "readonly", (tx) => {
    counters = tx.objectStore("counters").get(user);
    return tx.objectStore("outbox").index("user").getAll(user) as IDBRequest<OutboxRow[]>;
  });
  return [counters!.result, rows];
}

/** How many were made, and where each is; what is in none of these places is lost. */
export async function ledgerOf(user: number): Promise<Ledger> {
  const [counted, rows] = await countedAndHeld(user);
  const held = counted ?? countersFrom(user, rows);
  const mirror = highWater(user);
  const most = (what: keyof typeof NONE): number => Math.max(held[what], mirror[what]);
  const made = Math.max(most("made"), 0, ...rows.map((row) => row.seq));
  const waiting = rows.filter((row) => row.state === "waiting" && (row.box || oldSeal(row))).length;
  const [delivered, kept, deleted] = [most("delivered"), most("kept"), most("deleted")];
  return { made, delivered, kept, deleted, waiting, lost: Math.max(0, made - delivered - kept - deleted - waiting) };
}

// The counters once more, apart from IndexedDB: if the phone loses rows, the ledger shows it. (A worker has no localStorage.)
function highWater(user: number): typeof NONE {
  const text = typeof localStorage === "undefined" ? null : localStorage.getItem(`fieldapp.made.${user}`);
  try {
    const held = JSON.parse(text ?? "0") as number | typeof NONE;
    return typeof held === "number" ? { ...NONE, made: held } : { ...NONE, ...held };
  } catch {
    return NONE;
  }
}

export function raiseHighWater({ user, ...counters }: CountersRow): void {
  const before = highWater(user);
  const raised = Object.fromEntries(
    Object.entries(counters).map(([what, count]) => [what, Math.max(count, before[what as keyof typeof NONE] ?? 0)]),
  );
  localStorage.setItem(`fieldapp.made.${user}`, JSON.stringify(raised));
}

/** Bring what the first version of the app left on the phone into today's shape: seal its queue to the centre. */
export async function modernise(vault: Vault): Promise<void> {
  const { user, device, key } = vault.account;
  if (!key || !vault.signer) return;
  const [counted, rows] = await countedAndHeld(user);
  if (!counted && rows.length > 0) await put("counters", countersFrom(user, rows));
  for (const row of rows) {
    const old = oldSeal(row);
    if (!old || row.box || row.state !== "waiting") continue;
    const { id, form, version, finished_at, body } = await unseal<Record<string, string>>(vault.key, old);
    const box = await sealToCentre(id!, device, key, vault.signer, { form, version, finished_at, body, seq: row.seq });
    const about = await seal(vault.key, { form, finishedAt: finished_at, minutes: "" });
    await put("outbox", { id: row.id, user, seq: row.seq, state: "waiting", box, about, shredOn: 0 });
  }
}
