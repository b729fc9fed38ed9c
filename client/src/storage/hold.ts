/**
 * A record that was just finished waits for a minute before it is sent, so that its worker can take
 * it back. Nothing is written down: the hold is a lock of the browser, which ends with the tab, the
 * app or the phone, and then the record goes like any other.
 */

import type { Json } from "../engine/types";
import { HOLD_PREFIX } from "./held";

export const HOLD_TIME = 60_000; // milliseconds

const releases = new Map<string, () => void>();
/** What a no cut out of records that are held, in memory alone: it is gone once they are let go. */
const uncutAnswers = new Map<string, Json>();

/**
 * Hold a record back; where the browser has no such locks, it is not held. `uncut`: its answers
 * before a no cut them.
 */
export async function hold(id: string, uncut: Json | null = null): Promise<void> {
  if (!navigator.locks?.query) return;
  await new Promise<void>((started) => {
    const wait = (lock: unknown): Promise<void> | void => {
      started();
      // Another tab may hold it back already, since the record was taken back here.
      if (!lock) return;
      const timer = setTimeout(() => release(id), HOLD_TIME);
      return new Promise((end) => {
        releases.set(id, () => {
          clearTimeout(timer);
          end();
        });
      });
    };
    void navigator.locks.request(`${HOLD_PREFIX}${id}`, { ifAvailable: true }, wait);
  });
  if (uncut && isHeld(id)) uncutAnswers.set(id, uncut);
}

const acts = new Map<string, Promise<unknown>>();

/**
 * Do something about a finished record that needs it as it is held: once at a time, however often
 * it is asked for, and nothing lets the record go before that has ended.
 */
export function actWhileHeld<Result>(id: string, act: () => Promise<Result>): Promise<Result> {
  const begun = acts.get(id) as Promise<Result> | undefined;
  if (begun) return begun;
  const done = act().finally(() => acts.delete(id));
  acts.set(id, done);
  return done;
}

/** Let a record go, once what is done about it has ended; it does no harm where it was not held. */
export function release(id: string): void {
  const act = acts.get(id);
  if (act) {
    const letGo = (): void => release(id);
    return void act.then(letGo, letGo);
  }
  releases.get(id)?.();
  releases.delete(id);
  uncutAnswers.delete(id);
}

export const isHeld = (id: string): boolean => releases.has(id);

/** The answers of a record that is held before a no cut them; null where it cut nothing. */
export const readUncut = (id: string): Json | null => uncutAnswers.get(id) ?? null;

/** An app in the background may be ended at any moment, so what it held back goes first. */
export function releaseHidden(): void {
  if (document.visibilityState === "hidden") for (const id of [...releases.keys()]) release(id);
}
