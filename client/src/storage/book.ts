/** The worker's own book, sealed, never sent: the cards of their caseload, and what is due. */

import { plainCode } from "../engine/cards";
import type { FormDefinition } from "../engine/definition";
import type { Json } from "../engine/form";
import { get, put } from "./database";
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

export interface Book {
  people: Person[];
  due: Due[];
}

/** The book; an empty one when its row is damaged: it must never stand in the way of a record. */
export async function readBook(vault: Vault): Promise<Book> {
  const empty: Book = { people: [], due: [] };
  const row = await get("books", vault.account.user);
  return row ? unseal<Book>(vault.key, row.sealed).catch(() => empty) : empty;
}

export async function keepBook(vault: Vault, book: Book): Promise<void> {
  await put("books", { user: vault.account.user, sealed: await seal(vault.key, book) });
}

const DAY = 86_400_000;
const MOST_PEOPLE = 60;

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
}

/** The book after a record was finished: whom it was about, and what is due because of it. */
export function noted(book: Book, definition: FormDefinition, draft: Finished, today: string): Book {
  const { id, answers } = draft;
  const of = (what: string): string => summaryOf(definition, answers, what);
  const day = of("day").slice(0, 10) || today;
  const code = plainCode(of("person"));
  let people = book.people;
  let due = book.due.filter((one) => one.id !== draft.due);
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
  return { people, due: [...due, ...fresh].sort((a, b) => (a.on < b.on ? -1 : 1)) };
}
