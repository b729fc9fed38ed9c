/**
 * How many records were finished on this phone, and where each of them is: a loss would show. The
 * counters stand in IndexedDB, and once more in localStorage, as the highest that each has been
 * (the high water).
 */

import { getRow, runTransaction } from "./database";
import type { CountersRow, OutboxRow, Sealed } from "./types";

export interface RecordCounts {
  made: number;
  delivered: number;
  kept: number; // with the centre, which needs to look at it
  deleted: number;
  waiting: number;
  lost: number;
}

type Counters = Omit<CountersRow, "user">;

export const NO_RECORDS: Counters = {
  made: 0,
  delivered: 0,
  kept: 0,
  deleted: 0,
};

export async function getCounters(user: number): Promise<CountersRow> {
  return (await getRow("counters", user)) ?? { user, ...NO_RECORDS };
}

/**
 * What the first version of the app kept: a record sealed under the worker's own key, until it is
 * sealed to the centre.
 */
export const getFirstVersionSeal = (row: OutboxRow): Sealed | undefined =>
  (row as OutboxRow & { sealed?: Sealed }).sealed ?? undefined;

const getHighestNumber = (rows: OutboxRow[]): number => Math.max(0, ...rows.map((row) => row.seq));

/** Counters made from the rows that are there, for a phone on which nothing was counted yet. */
export function countRows(user: number, rows: OutboxRow[]): CountersRow {
  const count = (state: OutboxRow["state"]): number =>
    rows.filter((row) => row.state === state).length;
  const made = Math.max(readHighWater(user).made, getHighestNumber(rows));
  return {
    user,
    made,
    delivered: count("delivered"),
    kept: count("kept"),
    deleted: count("deleted"),
  };
}

/**
 * Counters and rows of one moment: read one after the other, a record finished in between would
 * look lost.
 */
export async function readCountersAndOutbox(
  user: number,
): Promise<[CountersRow | undefined, OutboxRow[]]> {
  let counters: IDBRequest<CountersRow | undefined>;
  const rows = await runTransaction(["counters", "outbox"], "readonly", (tx) => {
    counters = tx.objectStore("counters").get(user);
    return tx.objectStore("outbox").index("user").getAll(user) as IDBRequest<OutboxRow[]>;
  });
  return [counters!.result, rows];
}

/**
 * How many records a worker finished, and where each is; those that are in none of these places are
 * lost.
 */
export async function countRecords(user: number): Promise<RecordCounts> {
  const [row, rows] = await readCountersAndOutbox(user);
  const counters = row ?? countRows(user, rows);
  const highWater = readHighWater(user);
  const count = (name: keyof Counters): number =>
    Math.max(counters[name] ?? 0, highWater[name] ?? 0);
  const open = rows.filter(({ state }) => state === "open").length; // a draft has these again
  const made = Math.max(count("made"), getHighestNumber(rows)) - open;
  const delivered = count("delivered") - count("deliveredAgain");
  const kept = count("kept") - count("keptAgain");
  const deleted = count("deleted");
  const isWaiting = (row: OutboxRow): boolean =>
    row.state === "waiting" && Boolean(row.box || getFirstVersionSeal(row));
  const waiting = rows.filter(isWaiting).length;
  const lost = Math.max(0, made - delivered - kept - deleted - waiting);
  return { made, delivered, kept, deleted, waiting, lost };
}

/**
 * The highest that the counters have been. (A service worker has no localStorage: there they are
 * 0.)
 */
export function readHighWater(user: number): Counters {
  const text =
    typeof localStorage === "undefined" ? null : localStorage.getItem(`fieldapp.made.${user}`);
  try {
    const stored = JSON.parse(text ?? "0") as number | Counters;
    // The first version of the app wrote one number.
    return typeof stored === "number"
      ? { ...NO_RECORDS, made: stored }
      : { ...NO_RECORDS, ...stored };
  } catch {
    return NO_RECORDS;
  }
}

export function raiseHighWater({ user, ...counters }: CountersRow): void {
  const before = readHighWater(user);
  const raised = Object.entries(counters).map(([name, count]) => [
    name,
    Math.max(count, before[name as keyof Counters] ?? 0),
  ]);
  localStorage.setItem(`fieldapp.made.${user}`, JSON.stringify(Object.fromEntries(raised)));
}
