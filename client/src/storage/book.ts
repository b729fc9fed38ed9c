/** The worker's own book, sealed: the cards of their caseload, what is due, what the centre asks of them. */

import { plainCode } from "../engine/cards";
import type { FormDefinition } from "../engine/definition";
import type { Json } from "../engine/types";
import { get, transaction } from "./database";
import { seal, unseal, type Vault } from "./vault";

export interface Person {
  code: string;
  label: string; // private: how the worker knows whose card it is
  seenOn: string;
  tier: string;
}

export interface Due {
  id: string;
  on: string; // day
  code: string; // "" for a mediation
  form: string;
  from: string; // day of what it follows up
}

/** A record of one's own as the centre has it, to open again. */
export interface Correctable {
  form: string;
  version: string;
  answers: Json;
  heads: string[];
}

export interface Referral extends Correctable {
  day: string;
  code: string;
  kind: string;
  status: string;
}

/** What the centre could not take, or sent back. */
export interface Todo extends Correctable {
  state: "returned" | "rejected";
  day: string;
  comment?: string;
}

export type Cursor = number | string; // the centre's word, given back as it came: it may hold an epoch

export interface Book {
  people: Person[];
  due: Due[];
  cursor: Cursor; // how far this book knows what the centre knows
  referrals: Record<string, Referral>; // by record
  todo: Record<string, Todo>; // by record
  clashes: string[]; // codes that another phone had made too
  made: string[]; // codes made on this phone that no record has told of yet
  settled: string[]; // follow-ups that were settled here, until the centre knows
  told: Record<string, object>; // cards and follow-ups as the centre has them; lists above are ahead of it by what waits here
  finished: number; // counts what was finished here
  heard: number; // of these, how many the centre had heard of when it last told
}

const EMPTY: Book = {
  people: [],
  due: [],
  cursor: 0,
  referrals: {},
  todo: {},
  clashes: [],
  made: [],
  settled: [],
  told: {},
  finished: 0,
  heard: 0,
};

interface Read {
  book: Book;
  seen: string; // what stood there, to notice that another tab wrote meanwhile
}

const mark = (iv: Uint8Array | undefined): string => (iv ? [...iv].join() : "");

/** The book; an empty one when its row is damaged: it must never stand in the way of a record. */
export async function readBook(vault: Vault): Promise<Book> {
  return (await read(vault)).book;
}

async function read(vault: Vault): Promise<Read> {
  const row = await get("books", vault.account.user);
  const held = row ? await unseal<Partial<Book>>(vault.key, row.sealed).catch(() => ({})) : {};
  return { book: { ...EMPTY, ...held }, seen: mark(row?.sealed.iv) };
}

/** Change the book, with nobody's change in between lost. `along` does more in the same transaction, and may say no. */
export async function changeBook(
  vault: Vault,
  change: (book: Book) => Book,
  along?: (tx: IDBTransaction, go: () => void) => void,
): Promise<void> {
  const { user } = vault.account;
  for (;;) {
    const { book, seen } = await read(vault);
    const sealed = await seal(vault.key, change(book));
    let isTaken = false;
    await transaction(["books", "drafts", "outbox", "counters", "blobs"], "readwrite", (tx) => {
      const books = tx.objectStore("books");
      const now = books.get(user) as IDBRequest<{ sealed: { iv: Uint8Array } } | undefined>;
      now.onsuccess = () => {
        if (mark(now.result?.sealed.iv) !== seen) return void (isTaken = true);
        const go = (): void => void books.put({ user, sealed });
        try {
          if (along) along(tx, go);
          else go();
        } catch {
          tx.abort(); // all of it or nothing
        }
      };
      return null;
    });
    if (!isTaken) return;
  }
}

const DAY = 86_400_000;
const MOST_PEOPLE = 500;

function plus(day: string, days: number): string {
  return new Date(Date.parse(`${day}T12:00:00Z`) + days * DAY).toISOString().slice(0, 10);
}

/** What a form's summary points to in its answers: the day, the card code, the next contact, the plan of follow-ups. */
export function summaryOf(definition: FormDefinition, answers: Json, what: string): string {
  let value: Json | Json[] | string | undefined = answers;
  for (const name of (definition.summary[what] ?? "").split("/").slice(2))
    value = typeof value === "object" && !Array.isArray(value) ? value[name] : undefined;
  return typeof value === "string" ? value : "";
}

interface Finished {
  id: string;
  answers: Json;
  due?: string;
  root?: string;
  cards?: string[];
}

/** What is left to do once a follow-up is done: the earlier ones of the same record go with it. */
export const settledBy = (due: Due[], id: string): Due[] =>
  due.filter((one) => one.id !== id && !(one.id < id && one.id.split("/")[0] === id.split("/")[0]));

const byDay = (a: Due, b: Due): number => (a.on < b.on ? -1 : 1);

/** The book after a record was finished: whom it was about, and what is due because of it. */
export function noted(book: Book, definition: FormDefinition, draft: Finished, today: string): Book {
  const { answers } = draft;
  const id = draft.root ?? draft.id;
  const of = (what: string): string => summaryOf(definition, answers, what);
  const day = of("day").slice(0, 10) || today;
  const code = plainCode(of("person"));
  let people = book.people;
  const settled = draft.due ? [...(book.settled ?? []), draft.due] : (book.settled ?? []);
  let due = (draft.due ? settledBy(book.due, draft.due) : book.due).filter((one) => !one.id.startsWith(`${id}/`));
  if (code) {
    const before = people.find((person) => person.code === code);
    const person = { code, label: before?.label ?? "", seenOn: day, tier: of("tier") || (before?.tier ?? "") };
    people = [person, ...people.filter((one) => one.code !== code)].slice(0, MOST_PEOPLE);
    due = due.filter((one) => one.code !== code || one.on > day); // this was the contact
  }
  const days = of("plan")
    .split(" ")
    .map((name) => Number(name.replace(/^d/, "")))
    .filter((number) => number > 0);
  const dates = [of("due").slice(0, 10), ...days.map((number) => plus(day, number))].filter((on) => on >= today);
  const fresh = dates.map((on) => ({ id: `${id}/${on}`, on, code, form: definition.id, from: day }));
  const told = new Set(draft.cards);
  const todo = without(book.todo, id);
  const referrals = without(book.referrals, id);
  const made = (book.made ?? []).filter((one) => !told.has(one));
  return { ...book, people, due: [...due, ...fresh].sort(byDay), settled, made, todo, referrals };
}

function without<T>(held: Record<string, T> | undefined, key: string): Record<string, T> {
  return Object.fromEntries(Object.entries(held ?? {}).filter(([one]) => one !== key));
}

/** A change that the centre tells: a key, and what it says now; null to forget it. */
export type News = [string, unknown];

interface ToldCard {
  tier: string;
  seen: string;
}

/**
 * The book once it knows what the centre told since its cursor. Private labels stay. `isAllSent`: the centre has heard all
 * that this phone has to say, so its cards and what is due are what the centre says.
 */
export function applied(book: Book, news: News[], cursor: Cursor, isAllSent: boolean): Book {
  let { people, due, clashes, settled } = book;
  const [told, referrals, todo] = [{ ...book.told }, { ...book.referrals }, { ...book.todo }];
  const keepCard = (code: string, { tier, seen }: ToldCard): void => {
    const label = people.find((one) => one.code === code)?.label ?? "";
    people = [...people.filter((one) => one.code !== code), { code, label, seenOn: seen, tier }];
  };
  for (const [key, body] of news) {
    const at = key.indexOf("/");
    const [kind, name] = [key.slice(0, at), key.slice(at + 1)];
    delete told[key];
    if (body && (kind === "card" || kind === "due")) told[key] = body as object;
    if (kind === "card" && body) keepCard(name, body as ToldCard);
    else if (kind === "card") {
      people = people.filter((one) => one.code !== name);
      due = due.filter((one) => one.code !== name);
    } else if (kind === "due") {
      due = due.filter((one) => one.id !== name);
      if (!body) settled = settled.filter((one) => one !== name);
      else if (!settled.includes(name)) due = [...due, { ...(body as Due), id: name }];
    } else if (kind === "ref") {
      delete referrals[name];
      if (body) referrals[name] = body as Referral;
    } else if (kind === "rec") {
      delete todo[name];
      if (body) todo[name] = body as Todo;
    } else if (kind === "clash") {
      clashes = clashes.filter((one) => one !== name);
      if (body) clashes = [...clashes, name];
    }
  }
  if (isAllSent) {
    [due, settled] = [[], []];
    for (const [key, body] of Object.entries(told)) {
      const name = key.slice(key.indexOf("/") + 1);
      if (key.startsWith("due/")) due.push({ ...(body as Due), id: name });
      else if (!people.some((one) => one.code === name)) keepCard(name, body as ToldCard);
    }
  }
  people = [...people].sort((a, b) => (a.seenOn < b.seenOn ? 1 : -1));
  const heard = isAllSent ? book.finished : book.heard;
  return { ...book, people, due: [...due].sort(byDay), referrals, todo, clashes, settled, told, cursor, heard };
}
