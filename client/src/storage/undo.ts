/** What finishing something changed in the caseload, and the caseload without it. Pure. */

import { type Caseload, type FollowUp, type Person, sortByDay, sortPeople } from "./caseload";
import type { Draft } from "./drafts";

type Items = Record<string, unknown>; // of one field, by what they are known by
type ItemChange = [before: unknown, after: unknown]; // null for an item that is not there

export interface CaseloadChange {
  // Missing in what an app of before wrote: then the caseload stays as it is, until the centre is
  // heard again.
  fields?: Partial<Record<keyof Caseload, Record<string, ItemChange>>>;
  /** When the people of follow-ups that went were last met, by code: afterwards. */
  seen?: Record<string, string>;
}

/** What a worker needs to take a record back; it goes once the record is sent. */
export interface Undo extends CaseloadChange {
  copy?: Draft; // of a record that leaves no other
  refused: [path: string, code: string] | null; // who said no, and the question of their card
  hasSlip: boolean; // somebody holds a slip that works with this very record
}

/** A field as items, and items as the field. */
interface FieldShape {
  split: (value: never) => Items;
  join: (items: Items) => unknown;
}

function keyBy<T>(values: T[], read: (value: T) => string): Items {
  return Object.fromEntries(values.map((value) => [read(value), value]));
}

const MAP: FieldShape = { split: (map: Items) => map, join: (items) => items };
const TEXT: FieldShape = { split: (text: string) => ({ text }), join: ({ text }) => text ?? "" };
const TEXTS: FieldShape = {
  split: (texts: string[]) => Object.fromEntries(texts.map((text) => [text, true])),
  join: (items) => Object.keys(items),
};
const PEOPLE: FieldShape = {
  split: (people: Person[]) => keyBy(people, ({ code }) => code),
  join: (items) => sortPeople(Object.values(items) as Person[]),
};
const FOLLOW_UPS: FieldShape = {
  split: (due: FollowUp[]) => keyBy(due, ({ id }) => id),
  join: (items) => sortByDay(Object.values(items) as FollowUp[]),
};

/** Lists of ids by code, each id an item: another one of the same code may have come on top. */
const LISTS: FieldShape = {
  split: (lists: Record<string, string[]>) => {
    const items: Items = {};
    for (const [code, ids] of Object.entries(lists))
      for (const id of ids) items[`${code}/${id}`] = true;
    return items;
  },
  join: (items) => {
    const lists: Record<string, string[]> = {};
    for (const key of Object.keys(items)) {
      const [code, id] = key.split("/") as [string, string];
      lists[code] = [...(lists[code] ?? []), id];
    }
    return lists;
  },
};

/** Every field of a caseload; null: only the centre changes it, or it counts what was finished. */
const SHAPES: Record<keyof Caseload, FieldShape | null> = {
  people: PEOPLE,
  due: FOLLOW_UPS,
  open: MAP,
  intakes: MAP,
  shift: TEXT,
  cursor: null,
  referrals: MAP,
  todo: MAP,
  clashes: TEXTS,
  made: TEXTS,
  settled: TEXTS,
  seen: MAP,
  requests: MAP,
  told: null,
  unheard: LISTS,
  sealedLabels: null,
  keptLabels: null,
  reminds: null,
  erased: null,
  reads: null,
  finished: null,
  heard: null,
};

const FIELDS = Object.keys(SHAPES) as (keyof Caseload)[];

const splitField = (caseload: Caseload, field: keyof Caseload): Items =>
  SHAPES[field]!.split(caseload[field] as never);

const isEqual = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** The items that differ, as they were and as they are. */
function compareItems(before: Items, after: Items): Record<string, ItemChange> {
  const changes: Record<string, ItemChange> = {};
  for (const key of Object.keys({ ...before, ...after })) {
    const change: ItemChange = [before[key] ?? null, after[key] ?? null];
    if (!isEqual(...change)) changes[key] = change;
  }
  return changes;
}

/** What makes the one caseload into the other. */
export function compareCaseloads(before: Caseload, after: Caseload): CaseloadChange {
  const fields: NonNullable<CaseloadChange["fields"]> = {};
  for (const field of FIELDS.filter((each) => SHAPES[each])) {
    const changes = compareItems(splitField(before, field), splitField(after, field));
    if (Object.keys(changes).length > 0) fields[field] = changes;
  }
  const seen: Record<string, string> = {};
  for (const [followUp] of Object.values(fields.due ?? {}) as [FollowUp | null, unknown][]) {
    const person = after.people.find(({ code }) => code === followUp?.code);
    if (person) seen[person.code] = person.seenOn;
  }
  return { fields, seen };
}

/** The caseload without what a record did, as far as nothing else has come on top of it. */
export function undoChange(caseload: Caseload, change: CaseloadChange): Caseload {
  const copy: Items = { ...caseload };
  for (const [name, changes] of Object.entries(change.fields ?? {})) {
    const field = name as keyof Caseload;
    const items = { ...splitField(caseload, field) };
    for (const [key, itemChange] of Object.entries(changes))
      undoItem(items, key, itemChange, isUndoable(caseload, change, field));
    copy[field] = SHAPES[field]!.join(items);
  }
  return copy as unknown as Caseload;
}

/**
 * What a later record changed, as if an earlier one had not been: what that left is what the later
 * one came upon, so undoing the later one must not bring it back. What was due before it comes back
 * with the card that the later one gave away.
 */
export function withoutEarlier<T extends CaseloadChange>(later: T, earlier: CaseloadChange): T {
  const fields: Record<string, Record<string, ItemChange>> = {};
  for (const [name, changes] of Object.entries(later.fields ?? {})) {
    const undone = earlier.fields?.[name as keyof Caseload] ?? {};
    fields[name] = {};
    for (const [key, [before, after]] of Object.entries(changes))
      fields[name][key] = [rebase(before, undone[key]), after];
  }
  const isGivenAway = (code: string): boolean => later.fields?.people?.[code]?.[1] === null;
  for (const [id, [before, after]] of Object.entries(earlier.fields?.due ?? {}))
    if (after === null && before && isGivenAway((before as FollowUp).code))
      fields["due"] = { [id]: [before, null], ...fields["due"] };
  return { ...later, fields };
}

/** An item as it is before what an earlier change made of it; the private label is no record's. */
function rebase(item: unknown, change: ItemChange | undefined): unknown {
  if (!change) return item;
  const [before, after] = change;
  if (!isEqual(stripLabel(item), stripLabel(after))) return item;
  return before === null ? null : keepLabel(before as object, item);
}

/** Whether an item may become again what it was: what it is now, and how the record left it. */
type Test = (current: unknown, itemChange: ItemChange) => boolean;

function undoItem(items: Items, key: string, itemChange: ItemChange, isFree: Test): void {
  const current = items[key] ?? null;
  const [before] = itemChange;
  if (!isFree(current, itemChange)) return;
  if (before === null) delete items[key];
  else items[key] = keepLabel(before as object, current);
}

/** An item without its private label, which is no record's doing. */
function stripLabel(item: unknown): unknown {
  if (typeof item !== "object" || item === null) return item;
  const { label: _, ...rest } = item as { label?: string };
  return rest;
}

/** What was there before, but for a private label that has been written since. */
function keepLabel(before: object | string, current: unknown): unknown {
  const { label } = (current ?? {}) as { label?: string };
  return label === undefined ? before : { ...(before as object), label };
}

function isUndoable(caseload: Caseload, { seen = {} }: CaseloadChange, field: string): Test {
  const findSeenOn = (code: string): string =>
    caseload.people.find((person) => person.code === code)?.seenOn ?? "";
  const isStillDue = ({ code, on }: FollowUp): boolean => {
    const seenOn = findSeenOn(code);
    if (!seen[code]) return true;
    // The card went to somebody else, or its person was met again.
    return seenOn !== "" && (seenOn === seen[code] || seenOn < on);
  };
  if (field === "people")
    return (current, [, after]) =>
      (current as Person | null)?.seenOn === (after as Person | null)?.seenOn;
  if (field === "due")
    return (current, [before, after]) =>
      (current === null) === (after === null) && (!before || isStillDue(before as FollowUp));
  return (current, [, after]) => isEqual(current, after);
}
