/**
 * By how much the clock was put on or back during a shift, or between an alert and what was first
 * done. Forms have times of the wall clock, so in the nights in which clocks change, the phone has
 * to say how long it really was.
 */

import { useEffect, useRef } from "preact/hooks";
import { SHIFT_END, SHIFT_START } from "../../engine/roles";
import type { FormSession } from "../../widgets/session";

const CLOCK_MOVED = "clock_moved";
const HOUR = 3_600_000; // milliseconds
const JUST_NOW = 600_000; // milliseconds
const LOCAL = 23; // characters of a time without its offset

/** When an end was that came after a moment: there are hours that the clock shows twice. */
function findEnd(text: string, began: number, now: number): number {
  const first = Date.parse(text);
  if (text.length > LOCAL) return first; // its offset was asked
  const second = first + HOUR;
  const isTwice = new Date(second).getHours() === new Date(first).getHours();
  const isSecond = isTwice && (first <= began || Math.abs(now - second) < JUST_NOW);
  return isSecond ? second : first;
}

/**
 * By how many minutes the clock was put on between two times that it showed; back: less than 0.
 * `shift` is when the shift was started on this phone, with its offset; "" where nobody did.
 */
export function measureMove(start: string, end: string, shift: string, now = Date.now()): number {
  const isStarted = shift !== "" && shift.slice(0, 16) === start.slice(0, 16);
  const isAsked = start.length > LOCAL;
  const began = Date.parse(isStarted && !isAsked ? `${start}${shift.slice(LOCAL)}` : start);
  const read = (text: string): number => Date.parse(`${text.slice(0, LOCAL)}Z`);
  const shown = read(end) - read(start);
  return Math.round((shown - (findEnd(end, began, now) - began)) / 60_000) || 0;
}

interface ClockMovedProps {
  session: FormSession;
  isCorrection: boolean; // then what was said stays, unless its times change
}

/** Fills in by how much the clock moved, in a form that wants to know. */
export function ClockMoved({ session, isCorrection }: ClockMovedProps): null {
  const current = useRef(session);
  current.current = session;
  useEffect(() => {
    const { form, watch } = session;
    const moved = form.findWithRole(CLOCK_MOVED);
    const start = form.findWithRole(SHIFT_START) ?? form.findWithRole("alerted_at");
    const end = form.findWithRole(SHIFT_END) ?? form.findWithRole("first_response_at");
    if (!moved || !start || !end) return;
    const fill = (): void => {
      const { help, change } = current.current;
      const minutes = measureMove(start.text, end.text, help.shift ?? "");
      const text = minutes === 0 ? "" : String(minutes);
      if (moved.text !== text) change(moved, text);
    };
    if (!isCorrection) fill();
    // After the change that it follows has come to its end.
    const fillSoon = (): void => queueMicrotask(fill);
    const stops = [start, end].map((node) => watch(node, fillSoon));
    return () => stops.forEach((stop) => stop());
  }, []);
  return null;
}
