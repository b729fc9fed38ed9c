/** What finishing a record changed in the caseload, and the caseload without it. Pure. */

import type { Caseload, FollowUp, Person, Referral, ReturnedRecord } from "./caseload";
import type { Draft } from "./drafts";

export interface CaseloadChange {
  code: string; // of the card that the record is about; "" for none
  root: string;
  before: Person | null; // the person as they stood
  seenOn: string; // what the record made of it
  removed: FollowUp[];
  added: string[]; // ids of follow-ups
  settled: string[];
  made: string[];
  todo: ReturnedRecord | null;
  referral: Referral | null;
}

/** What a worker needs to take a record back; it goes once the record is sent. */
export interface Undo extends CaseloadChange {
  copy?: Draft; // of a record that leaves no other
  refused: [path: string, code: string] | null; // who said no, and the question of their card
  hasSlip: boolean; // somebody holds a slip that works with this very record
}

const findPerson = ({ people }: Caseload, code: string): Person | null =>
  people.find((person) => person.code === code) ?? null;

/** The items of one list that are not in another. */
function listMissing<T>(from: T[], others: T[], key = (item: T): unknown => item): T[] {
  const keys = new Set(others.map(key));
  return from.filter((item) => !keys.has(key(item)));
}

/** What makes the one caseload into the other. */
export function compareCaseloads(
  before: Caseload,
  after: Caseload,
  code: string,
  root: string,
): CaseloadChange {
  const idOf = ({ id }: FollowUp): string => id;
  return {
    code,
    root,
    before: findPerson(before, code),
    seenOn: findPerson(after, code)?.seenOn ?? "",
    removed: listMissing(before.due, after.due, idOf),
    added: listMissing(after.due, before.due, idOf).map(idOf),
    settled: listMissing(after.settled, before.settled),
    made: listMissing(before.made, after.made),
    todo: before.todo[root] ?? null,
    referral: before.referrals[root] ?? null,
  };
}

/** The caseload without what a record did, as far as nothing else has come on top of it. */
export function undoChange(caseload: Caseload, change: CaseloadChange): Caseload {
  const { code, root, removed, added, settled, made, todo } = change;
  const isMetAgain = (followUp: FollowUp): boolean => {
    const seenOn = findPerson(caseload, followUp.code)?.seenOn ?? "";
    return seenOn !== change.seenOn && seenOn >= followUp.on;
  };
  const kept = caseload.due.filter(({ id }) => !added.includes(id));
  const back = removed.filter(
    (followUp) => !kept.some(({ id }) => id === followUp.id) && !isMetAgain(followUp),
  );
  const due = [...kept, ...back].sort((a, b) => (a.on < b.on ? -1 : Number(a.on > b.on)));
  return {
    ...caseload,
    people: undoContact(caseload, change),
    due,
    settled: caseload.settled.filter((id) => !settled.includes(id)),
    made: [...new Set([...caseload.made, ...made])],
    todo: todo ? { ...caseload.todo, [root]: todo } : caseload.todo,
    referrals: undoReferral(caseload.referrals, change),
    unheard: undoStatement(caseload.unheard, code, root),
  };
}

/** The open referrals with one as it stood, or without one that the record was. */
function undoReferral(
  referrals: Caseload["referrals"],
  { root, referral }: CaseloadChange,
): Caseload["referrals"] {
  const { [root]: _, ...others } = referrals;
  return referral ? { ...others, [root]: referral } : others;
}

/** The people with one of them as they stood, unless they were met again. */
function undoContact(caseload: Caseload, { code, before, seenOn }: CaseloadChange): Person[] {
  const person = findPerson(caseload, code);
  if (!person || person.seenOn !== seenOn) return caseload.people;
  const others = caseload.people.filter((other) => other !== person);
  if (!before) return others;
  return [...others, { ...before, label: person.label }].sort((a, b) =>
    a.seenOn > b.seenOn ? -1 : Number(a.seenOn < b.seenOn),
  );
}

function undoStatement(
  unheard: Record<string, string[]>,
  code: string,
  id: string,
): Record<string, string[]> {
  const { [code]: ids = [], ...others } = unheard;
  const left = ids.filter((other) => other !== id);
  return left.length > 0 ? { ...others, [code]: left } : others;
}
