/**
 * The worker's caseload on this phone, sealed: cards, follow-ups, and what the centre asks of them.
 */

import type { StandingConsent } from "../engine/standing";
import type { Json } from "../engine/types";
import { getRow, runTransaction } from "./database";
import { seal, unseal, type Vault } from "./vault";

export interface Person {
  code: string;
  label: string; // private: how the worker knows whose card it is
  seenOn: string;
  tier: string;
}

export interface FollowUp {
  id: string; // RECORD/DAY
  on: string; // day
  code: string; // "" for a mediation
  form: string;
  from: string; // day of what it follows up
  kind?: string; // of what it follows up, where no card tells it apart
  area?: string;
  own?: boolean; // only another record of its form does it: a review
}

/** An incident that one logged and that has not come to an end. */
export interface OpenIncident {
  form: string;
  from: string; // its day
  kind: string;
  area: string;
}

/** What the crisis team gave to this worker, as the centre tells it: an incident or a request. */
export interface Assignment {
  id: string; // what a note about it calls it
  assigned: string; // since when it is this worker's
  seen?: string; // since when the team knows that they know
  since: string; // when it happened, or was asked for; "" where nobody said
  area: string;
  form?: string; // of an incident
  from?: string; // its day
  kind?: string;
  need?: string; // of a request
}

/** What this worker asked the crisis team for. */
export interface AskedFor {
  need: string;
  area: string;
  at?: string; // when, by this phone
  heard?: string; // when the centre got it; the rest as the team took it on
  seen?: string;
  assigned?: string; // to somebody
  acted?: string;
  done?: string;
}

/** A record of one's own as the centre has it, to open again. */
export interface EditableRecord {
  form: string;
  version: string;
  answers: Json;
  heads: string[];
  clock?: string; // local time by which its form judged it; none where it goes on now
}

export interface Referral extends EditableRecord {
  day: string;
  code: string;
  kind: string;
  status: string;
}

/** A record that the centre could not accept, or sent back. */
export interface ReturnedRecord extends EditableRecord {
  state: "returned" | "rejected";
  day: string;
  comment?: string;
  problems?: { code: string; path: string }[]; // why it could not be accepted
}

export type Cursor = number | string; // the centre's, sent back as it came: it may contain an epoch

/** Names of fields are stored on phones: they do not change. */
export interface Caseload {
  people: Person[];
  due: FollowUp[];
  open: Record<string, OpenIncident>; // by record
  intakes: Record<string, string>; // days of intakes that were finished here, by card code
  shift: string; // when the one began that the worker is on, with its offset; "" for none
  cursor: Cursor; // the last of the centre's changes that is in here
  referrals: Record<string, Referral>; // by record
  todo: Record<string, ReturnedRecord>; // by record
  clashes: string[]; // codes that another phone had made too
  made: string[]; // codes made on this phone that are in no finished record yet
  settled: string[]; // follow-ups completed on this phone, until the centre has heard of it
  seen: Record<string, Assignment>; // seen on this phone, by record or request
  requests: Record<string, AskedFor>; // asked for on this phone, by the id of their note
  /**
   * Last state received from the centre, by key; `people`, `due` and `open` are newer while the
   * outbox is not empty.
   */
  told: Record<string, object>;
  unheard: Record<string, string[]>; // answers about consent, by code, not yet heard by the centre
  sealedLabels: Record<string, string>; // labels as the centre keeps them, not opened yet, by code
  keptLabels: Record<string, string>; // labels that the centre has, by code
  reminds: boolean; // the worker asked this phone to remind them of what is due
  erased: number; // drafts of people who took everything back, until the worker has read of it
  reads: number; // all was pulled by an app that understands this much: see READS
  finished: number; // how many records and notes were finished on this phone
  heard: number; // value of `finished` at the last pull that ran with an empty outbox
}

/** Raised with each kind of change that an app of before passed over: it hears all once more. */
export const READS = 3; // 1: cards that ended, 2: open incidents, 3: what the crisis team says

export const EMPTY_CASELOAD: Caseload = {
  people: [],
  due: [],
  open: {},
  intakes: {},
  shift: "",
  cursor: 0,
  referrals: {},
  todo: {},
  clashes: [],
  made: [],
  settled: [],
  seen: {},
  requests: {},
  told: {},
  unheard: {},
  sealedLabels: {},
  keptLabels: {},
  reminds: false,
  erased: 0,
  reads: 0,
  finished: 0,
  heard: 0,
};

/**
 * More to write in the transaction that writes the caseload; `write` writes the caseload itself.
 */
export type Alongside = (tx: IDBTransaction, write: () => void) => void;

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

/** People as they are listed everywhere: the last met first; of one day, as they stood. */
export const sortPeople = (people: Person[]): Person[] =>
  [...people].sort((a, b) => compare(b.seenOn, a.seenOn));

/** Follow-ups as they are listed everywhere: the longest due first. */
export const sortByDay = (followUps: FollowUp[]): FollowUp[] =>
  [...followUps].sort((a, b) => compare(a.on, b.on));

const MAX_KNOWN = 16; // statements that one names

function readConsent({ told }: Caseload, code: string): StandingConsent | undefined {
  return (told[`card/${code}`] as { consent?: StandingConsent } | undefined)?.consent;
}

/**
 * What stands for the person with a card; null where this phone does not know it, or somebody said
 * something here of which the centre has not heard.
 */
export function findStanding(caseload: Caseload, code: string): StandingConsent | null {
  return caseload.unheard[code] ? null : (readConsent(caseload, code) ?? null);
}

/** The day of the last intake of a card, as far as this phone knows; "" for none. */
export function findIntake({ intakes, told }: Caseload, code: string): string {
  return intakes[code] ?? (told[`card/${code}`] as { intake?: string } | undefined)?.intake ?? "";
}

/**
 * What people with cards have said about consent as far as this phone knows, by code: what a new
 * statement replaces. A draft keeps it as it was before anybody was asked.
 */
export function listHeads(caseload: Caseload): Record<string, string[]> {
  const heads: Record<string, string[]> = {};
  const codes = [...caseload.people.map(({ code }) => code), ...Object.keys(caseload.unheard)];
  for (const code of codes) {
    const ids = [...(readConsent(caseload, code)?.heads ?? []), ...(caseload.unheard[code] ?? [])];
    if (ids.length) heads[code] = ids.slice(-MAX_KNOWN);
  }
  return heads;
}

/** One of the last contacts with the person of a card, as the centre tells it. */
export interface CardContact {
  on: string; // day
  form: string;
  kind: string; // "" where the form has none
  own: boolean; // by this worker
}

/** The last contacts with the person of a card that the centre knew of, the newest first. */
export function listContacts({ told }: Caseload, code: string): CardContact[] {
  return (told[`card/${code}`] as { last?: CardContact[] } | undefined)?.last ?? [];
}

interface VersionedCaseload {
  caseload: Caseload;
  version: string; // to notice that another tab wrote meanwhile
}

/** The version of a sealed row: its initialization vector, which is random at each writing. */
const getVersion = (iv: Uint8Array | undefined): string => (iv ? [...iv].join() : "");

/**
 * Read the caseload; it is empty when its row is damaged, which must never keep a record from being
 * finished.
 */
export async function readCaseload(vault: Vault): Promise<Caseload> {
  return (await readWithVersion(vault)).caseload;
}

async function readWithVersion(vault: Vault): Promise<VersionedCaseload> {
  const row = await getRow("books", vault.account.user);
  const stored = row
    ? await unseal<Partial<Caseload>>(vault.key, row.sealed).catch(() => ({}))
    : {};
  return { caseload: { ...EMPTY_CASELOAD, ...stored }, version: getVersion(row?.sealed.iv) };
}

/**
 * Change the caseload; a change of another tab in between is not lost. `alongside` writes more in
 * the same transaction, and may leave the caseload as it is by not calling `write`. `change` may
 * run several times.
 */
export async function changeCaseload(
  vault: Vault,
  change: (caseload: Caseload) => Caseload,
  alongside: Alongside = (_, write) => write(),
): Promise<void> {
  let isWritten = false;
  while (!isWritten) isWritten = await tryToChange(vault, change, alongside);
}

/** One attempt at a change; false when another tab wrote after the caseload was read. */
async function tryToChange(
  vault: Vault,
  change: (caseload: Caseload) => Caseload,
  alongside: Alongside,
): Promise<boolean> {
  const { user } = vault.account;
  const { caseload, version } = await readWithVersion(vault);
  const sealed = await seal(vault.key, change(caseload));
  let isUnchanged = true;
  await runTransaction(["books", "drafts", "outbox", "counters", "blobs"], "readwrite", (tx) => {
    const books = tx.objectStore("books");
    const current = books.get(user) as IDBRequest<{ sealed: { iv: Uint8Array } } | undefined>;
    current.onsuccess = () => {
      isUnchanged = getVersion(current.result?.sealed.iv) === version;
      if (!isUnchanged) return;
      try {
        alongside(tx, () => void books.put({ user, sealed }));
      } catch {
        tx.abort(); // all of it or nothing
      }
    };
    return null;
  });
  return isUnchanged;
}
