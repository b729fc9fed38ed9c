/** What finishing something changed in the caseload, and the caseload without it. Pure. */

import type { Caseload, FollowUp, Person } from "./caseload";
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

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

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
  join: (items) => (Object.values(items) as Person[]).sort((a, b) => compare(b.seenOn, a.seenOn)),
};
const FOLLOW_UPS: FieldShape = {
  split: (due: FollowUp[]) => keyBy(due, ({ id }) => id),
  join: (items) => (Object.values(items) as FollowUp[]).sort((a, b) => compare(a.on, b.on)),
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

/** Whether an item may become again what it was: what it is now, and how the record left it. */
type Test = (current: unknown, itemChange: ItemChange) => boolean;

function undoItem(items: Items, key: string, itemChange: ItemChange, isFree: Test): void {
  const current = items[key] ?? null;
  const [before] = itemChange;
  if (!isFree(current, itemChange)) return;
  if (before === null) delete items[key];
  else items[key] = keepLabel(before as object, current);
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
