/**
 * What the worker's own acts change in their caseload. Pure: a caseload goes in, another comes out.
 */

import type { Caseload } from "../../storage/caseload";

/** The caseload with a card that this phone has just made. */
export function addCard(book: Caseload, code: string, label: string, day: string): Caseload {
  const person = { code, label, seenOn: day, tier: "" };
  return { ...book, people: [person, ...book.people], made: [...book.made, code] };
}

/** The caseload without a card and without what is due for it. */
export function removeCard(book: Caseload, code: string): Caseload {
  return {
    ...book,
    people: book.people.filter((person) => person.code !== code),
    due: book.due.filter((due) => due.code !== code),
  };
}

/** The caseload without a card that is somebody else's from now on, and its person's referrals. */
export function giveCard(book: Caseload, code: string): Caseload {
  const referrals = Object.entries(book.referrals).filter(([, each]) => each.code !== code);
  return { ...removeCard(book, code), referrals: Object.fromEntries(referrals) };
}

/** The caseload without what is due of some records, and without these among open incidents. */
export function removeRecords(book: Caseload, roots: string[]): Caseload {
  return {
    ...book,
    due: book.due.filter(({ id, code }) => code !== "" || !roots.includes(id.split("/")[0]!)),
    open: Object.fromEntries(Object.entries(book.open).filter(([root]) => !roots.includes(root))),
  };
}

/** The caseload with another private label on a card. */
export function labelCard(book: Caseload, code: string, label: string): Caseload {
  const people = book.people.map((person) =>
    person.code === code ? { ...person, label } : person,
  );
  return { ...book, people };
}

/** The caseload with a new code for a card whose code another phone had made too. */
export function reissueCard(book: Caseload, code: string, newCode: string, day: string): Caseload {
  const label = book.people.find((person) => person.code === code)?.label ?? "";
  const rest = {
    ...book,
    clashes: book.clashes.filter((clash) => clash !== code),
    people: book.people.filter((person) => person.code !== code),
    due: book.due.map((due) => (due.code === code ? { ...due, code: newCode } : due)),
  };
  return addCard(rest, newCode, label, day);
}
