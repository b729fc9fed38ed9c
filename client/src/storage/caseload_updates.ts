/**
 * How the caseload changes: by a record that was finished here, and by what the centre tells. Pure.
 */

import { parseCardCode } from "../engine/cards";
import { datePartOf, type FormDefinition } from "../engine/definition";
import {
  AREA,
  ENDS_FOLLOW_UPS,
  ENDS_INCIDENT,
  ENDS_REFERRAL,
  ENDS_WORK,
  findChoice,
  findQuestion,
  FOLLOWS,
  INCIDENT_STATUS,
  isChosen,
  isOfShift,
  KIND,
  PARTICIPANT,
  readRole,
  REFERRAL,
  REVIEW,
  SHIFT_END,
  SHIFT_START,
  STATUS,
} from "../engine/roles";
import type { Json } from "../engine/types";
import {
  type Caseload,
  type Cursor,
  type FollowUp,
  type OpenIncident,
  type Person,
  READS,
  type ReturnedRecord,
  sortByDay,
  sortPeople,
} from "./caseload";

const DAY = 86_400_000; // milliseconds
const MOST_PEOPLE = 500;
const MOST_ANSWERS = 20_000; // characters of a referral that is kept, as at the centre

/** The day so many days after a day, both as YYYY-MM-DD. */
function addDays(day: string, days: number): string {
  return new Date(Date.parse(`${day}T12:00:00Z`) + days * DAY).toISOString().slice(0, 10);
}

interface FinishedRecord {
  id: string;
  answers: Json;
  due?: string; // the follow-up that it completes
  root?: string; // the record that it corrects
  cards?: string[]; // codes that the centre learns by it
}

/**
 * The follow-ups that are left when one is completed: earlier ones of the same record are completed
 * with it.
 */
export function removeCompleted(followUps: FollowUp[], id: string): FollowUp[] {
  const record = id.split("/")[0];
  return followUps.filter(
    (other) => other.id !== id && !(other.id < id && other.id.split("/")[0] === record),
  );
}

/**
 * The days on which a record asks for another contact: the one it names, and those of its plan
 * (d7 d30), as far as they are wanted.
 */
function listPlannedDays(
  due: string,
  plan: string,
  day: string,
  isWanted: (on: string) => boolean,
): string[] {
  const offsets = plan.split(" ").map((name) => Number(name.replace(/^d/, "")));
  const planned = offsets.filter((days) => days > 0).map((days) => addDays(day, days));
  return [due, ...planned].filter(isWanted);
}

/**
 * What another follow-up of a record shows: as those that are due already. Undefined when none is,
 * until the centre tells what its records say.
 */
function describeFollowed(
  due: FollowUp[],
  followed: string,
): Omit<FollowUp, "id" | "on"> | undefined {
  const other = due.find((followUp) => followUp.id.startsWith(`${followed}/`));
  if (!other) return undefined;
  const { id: _, on: __, ...about } = other;
  return about;
}

/**
 * The day of a record. Where only the month is asked, what is due of a person counts from the day
 * on which it is finished: the twin of `_find_day` in the centre's folding.py.
 */
function findDay(definition: FormDefinition, day: string, code: string, today: string): string {
  const question = findQuestion(definition, "day");
  const isOfThisMonth = day.slice(0, 7) === today.slice(0, 7);
  if (code && isOfThisMonth && question && datePartOf(question) === "month") return today;
  return day || today;
}

/** The answers that are there. */
export function pickKnown<T extends Record<string, string>>(answers: T): Partial<T> {
  return Object.fromEntries(Object.entries(answers).filter(([, text]) => text)) as Partial<T>;
}

/**
 * The caseload after a record was finished: whom it was about, and what is due because of it.
 * `today` is YYYY-MM-DD.
 */
export function addFinishedRecord(
  caseload: Caseload,
  definition: FormDefinition,
  record: FinishedRecord,
  today: string,
): Caseload {
  const id = record.root ?? record.id;
  const read = (role: string): string => readRole(definition, record.answers, role);
  const code = parseCardCode(read("person"));
  const day = findDay(definition, read("day").slice(0, 10), code, today);
  const followed = read(FOLLOWS);
  const isChosenHere = (role: string, choiceRole: string): boolean =>
    isChosen(definition, record.answers, role, choiceRole);
  const isLeft = (followUp: FollowUp): boolean => {
    if (followUp.id.startsWith(`${id}/`)) return false; // planned again below
    if (code && followUp.code === code && isChosenHere(KIND, ENDS_WORK)) return false;
    if (followUp.own && followUp.form !== definition.id) return true;
    if (followed && followUp.id.startsWith(`${followed}/`))
      return !isChosenHere("plan", ENDS_FOLLOW_UPS) && followUp.on > day;
    return !code || followUp.code !== code || followUp.on > day; // else this record was the contact
  };
  const before = record.due ? removeCompleted(caseload.due, record.due) : caseload.due;
  const about = followed
    ? describeFollowed(caseload.due, followed)
    : {
        ...pickKnown({ kind: read(KIND), area: read(AREA) }),
        code,
        form: definition.id,
        from: day,
        ...(definition.role === PARTICIPANT && { own: true }),
      };
  // A correction takes no day away that has passed meanwhile without a contact.
  const wasDue = new Set(caseload.due.map((followUp) => followUp.id));
  const isWanted = (on: string): boolean => on >= today || (on !== "" && wasDue.has(`${id}/${on}`));
  const days = about ? listPlannedDays(read("due").slice(0, 10), read("plan"), day, isWanted) : [];
  const kept = before.filter(isLeft);
  const taken = new Set(kept.map((followUp) => followUp.id));
  const planned = days
    .map((on) => ({ ...about!, id: `${followed || id}/${on}`, on }))
    .filter((followUp) => !taken.has(followUp.id));
  // An update of a referral whose person's card went to a colleague: they go on with it.
  const isElsewhere = record.root && code && !caseload.people.some((other) => other.code === code);
  return {
    ...caseload,
    people: code ? addContact(caseload.people, code, day, read("tier")) : caseload.people,
    due: sortByDay([...kept, ...planned]),
    open: changeOpen(caseload.open, definition, record, day),
    intakes: changeIntakes(caseload.intakes, definition, record, day),
    shift: endsShift(definition, record, caseload.shift) ? "" : caseload.shift,
    settled: [...(caseload.settled ?? []), ...(record.due ? [record.due] : [])],
    made: (caseload.made ?? []).filter((made) => !record.cards?.includes(made)),
    todo: omitKey(caseload.todo, id),
    referrals: isElsewhere
      ? omitKey(caseload.referrals, id)
      : changeReferrals(caseload.referrals, definition, record, { day, code }),
  };
}

/**
 * Whether a record ends the shift that is on: it is of that very shift, or says that one ended
 * since that began, where its beginning was put right. Hours of yesterday end nothing.
 */
function endsShift(
  definition: FormDefinition,
  { root, answers }: FinishedRecord,
  shift: string,
): boolean {
  if (root || !readRole(definition, answers, SHIFT_START)) return false;
  const end = readRole(definition, answers, SHIFT_END);
  return isOfShift(definition, answers, shift) || Date.parse(end) > Date.parse(shift);
}

/** The days of intakes after a record, which is one itself unless it is a review or the end. */
function changeIntakes(
  intakes: Caseload["intakes"],
  definition: FormDefinition,
  { answers }: FinishedRecord,
  day: string,
): Caseload["intakes"] {
  const code = parseCardCode(readRole(definition, answers, "person"));
  if (definition.role !== PARTICIPANT || !code || !findChoice(definition, KIND, REVIEW))
    return intakes;
  const isLater = [REVIEW, ENDS_WORK].some((role) => isChosen(definition, answers, KIND, role));
  return isLater ? intakes : { ...intakes, [code]: day };
}

/**
 * The referrals that have not come to an end after a record: a new one or one that goes on stays,
 * also without signal. One without a state is none: after a no, nothing of it is kept.
 */
function changeReferrals(
  referrals: Caseload["referrals"],
  definition: FormDefinition,
  { id, root = id, answers }: FinishedRecord,
  about: { day: string; code: string },
): Caseload["referrals"] {
  const others = omitKey(referrals, root);
  const status = readRole(definition, answers, STATUS);
  const isOpen = status !== "" && !isChosen(definition, answers, STATUS, ENDS_REFERRAL);
  const isSmall = JSON.stringify(answers).length <= MOST_ANSWERS;
  if (definition.role !== REFERRAL || !isOpen || !isSmall) return others;
  const kind = readRole(definition, answers, KIND);
  const { id: form, version } = definition;
  return { ...others, [root]: { form, version, answers, heads: [id], kind, status, ...about } };
}

/**
 * Which incidents are open after a record: a new one, or not the one that it ends. What a follow-up
 * or a correction opens again, the centre tells.
 */
function changeOpen(
  open: Caseload["open"],
  definition: FormDefinition,
  { id, root, answers }: FinishedRecord,
  from: string,
): Caseload["open"] {
  const read = (role: string): string => readRole(definition, answers, role);
  if (!read(INCIDENT_STATUS)) return open;
  const followed = read(FOLLOWS);
  if (isChosen(definition, answers, INCIDENT_STATUS, ENDS_INCIDENT))
    return omitKey(open, followed || (root ?? id));
  if (followed || root) return open;
  return { ...open, [id]: { form: definition.id, from, kind: read(KIND), area: read(AREA) } };
}

/**
 * The people after a contact with the person of a card, who then stands before others of that day.
 * One that is written down late is not when they were last met, as at the centre.
 */
function addContact(people: Person[], code: string, day: string, tier: string): Person[] {
  const before = people.find((person) => person.code === code);
  const { label = "", seenOn: metOn = "", tier: tierBefore = "" } = before ?? {};
  const person = { code, label, seenOn: metOn > day ? metOn : day, tier: tier || tierBefore };
  const others = people.filter((other) => other !== before);
  return sortPeople([person, ...others]).slice(0, MOST_PEOPLE);
}

/** The caseload after somebody was asked for consent here, which the centre has still to hear. */
export function addStatement(caseload: Caseload, code: string, id: string): Caseload {
  const ids = caseload.unheard[code] ?? [];
  return { ...caseload, unheard: { ...caseload.unheard, [code]: [...ids, id] } };
}

function omitKey<T>(values: Record<string, T> | undefined, key: string): Record<string, T> {
  const { [key]: _, ...others } = values ?? {};
  return others;
}

/**
 * A change that the centre tells: a key as `card/CODE`, and what it says now; null to delete it.
 */
export type PulledItem = [string, unknown];

interface PulledCard {
  tier: string;
  seen: string;
}

/** Change a working copy by one item; its body is null when the centre deleted it. */
type Update = (copy: Caseload, name: string, body: unknown) => void;

function putCard(copy: Caseload, code: string, { tier, seen }: PulledCard): void {
  const before = copy.people.find((person) => person.code === code);
  const person = { code, label: before?.label ?? "", seenOn: seen, tier };
  copy.people = [person, ...copy.people.filter((other) => other !== before)];
}

function setOrDelete<T extends object>(
  values: Record<string, T>,
  key: string,
  body: unknown,
): void {
  delete values[key]; // what is set anew comes last
  if (body) values[key] = body as T;
}

/** By the kind in a key. A kind that this version of the app does not know is passed over. */
const UPDATES: Record<string, Update> = {
  card(copy, code, body) {
    setOrDelete(copy.told, `card/${code}`, body);
    if (body) return putCard(copy, code, body as PulledCard);
    copy.people = copy.people.filter((person) => person.code !== code);
    copy.keptLabels = omitKey(copy.keptLabels, code);
    copy.due = copy.due.filter((followUp) => followUp.code !== code);
  },
  due(copy, id, body) {
    setOrDelete(copy.told, `due/${id}`, body);
    copy.due = copy.due.filter((followUp) => followUp.id !== id);
    if (!body) copy.settled = copy.settled.filter((settled) => settled !== id);
    else if (!copy.settled.includes(id)) copy.due.push({ ...(body as FollowUp), id });
  },
  label(copy, code, body) {
    copy.sealedLabels = omitKey(copy.sealedLabels, code);
    if (body) copy.sealedLabels[code] = body as string;
  },
  open(copy, record, body) {
    setOrDelete(copy.told, `open/${record}`, body);
    setOrDelete(copy.open, record, body);
  },
  asked: (copy, name, body) => setOrDelete(copy.told, `asked/${name}`, body),
  request(copy, name, body) {
    setOrDelete(copy.told, `request/${name}`, body);
    if (!body) copy.requests = omitKey(copy.requests, name); // it was done, and forgotten since
  },
  ref: (copy, record, body) => setOrDelete(copy.referrals, record, body),
  rec(copy, record, body) {
    setOrDelete(copy.todo, record, body);
    // What this phone made of it is not what the centre has; it is listed to be corrected.
    if ((body as ReturnedRecord | null)?.state === "rejected") delete copy.referrals[record];
  },
  ended(copy, code, body) {
    if (!body) return;
    UPDATES["card"]!(copy, code, null);
    copy.made = copy.made.filter((made) => made !== code);
    copy.unheard = omitKey(copy.unheard, code);
  },
  clash(copy, code, body) {
    copy.clashes = copy.clashes.filter((clash) => clash !== code);
    if (body) copy.clashes.push(code);
  },
};

function splitKey(key: string): [kind: string, name: string] {
  const slash = key.indexOf("/");
  return [key.slice(0, slash), key.slice(slash + 1)];
}

/**
 * The caseload with what the centre told since its cursor. Private labels stay. `isAllSent`: the
 * centre has everything that was finished on this phone, so from here on its version holds.
 */
export function applyPulledChanges(
  caseload: Caseload,
  items: PulledItem[],
  cursor: Cursor,
  isAllSent: boolean,
): Caseload {
  const copy = {
    ...caseload,
    told: { ...caseload.told },
    referrals: { ...caseload.referrals },
    todo: { ...caseload.todo },
    cursor,
    open: { ...caseload.open },
    reads: READS,
  };
  for (const [key, body] of items) {
    const [kind, name] = splitKey(key);
    UPDATES[kind]?.(copy, name, body);
  }
  if (isAllSent) takeCentreVersion(copy);
  copy.people = sortPeople(copy.people);
  copy.due = sortByDay(copy.due);
  return copy;
}

/** Due or open is what the centre said last; of the cards, those that it said are here too. */
function takeCentreVersion(copy: Caseload): void {
  copy.due = [];
  copy.open = {};
  copy.intakes = {};
  copy.settled = [];
  copy.unheard = {};
  copy.heard = copy.finished;
  for (const [key, body] of Object.entries(copy.told)) {
    const [kind, name] = splitKey(key);
    if (kind === "due") copy.due.push({ ...(body as FollowUp), id: name });
    else if (kind === "open") copy.open[name] = body as OpenIncident;
    else if (kind === "card" && !copy.people.some((person) => person.code === name))
      putCard(copy, name, body as PulledCard);
  }
}
