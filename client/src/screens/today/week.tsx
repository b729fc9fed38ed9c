/** The past seven days, for the worker alone. */

import { readMinutes } from "../../engine/roles";
import { nt, t } from "../../i18n";
import { NOTE, type OutboxLine } from "../../storage/outbox";
import { useApp } from "../state";

const TALLEST = 40; // pixels of the longest bar

export interface WeekDay {
  date: Date;
  count: number; // records finished on this day
  minutes: number;
}

type WorkLine = Pick<OutboxLine, "id" | "root" | "state" | "form" | "finishedAt" | "minutes">;

/**
 * The records among lines (the newest first), each once: when it was first finished, with the time
 * that its newest version says. What was deleted or erased is none, nor is a note about a card.
 */
function listRecords(lines: (WorkLine & { isEnded?: boolean })[]): WorkLine[] {
  const standing = lines.filter(
    ({ state, isEnded, form }) => state !== "deleted" && !isEnded && !form.startsWith(NOTE),
  );
  return standing
    .filter(({ root }) => !root) // a correction is not another record
    .map((line) => ({
      ...line,
      minutes: standing.find(({ id, root }) => (root ?? id) === line.id)!.minutes,
    }));
}

/**
 * What was finished on each of the days up to a moment, the oldest day first. `minutesByAnswer`:
 * about how many minutes each answer about time spent stands for.
 */
export function summarizeWeek(
  lines: WorkLine[],
  minutesByAnswer: ReadonlyMap<string, number>,
  end = Date.now(),
  days = 7,
): WeekDay[] {
  const records = listRecords(lines);
  return [6, 5, 4, 3, 2, 1, 0].slice(-days).map((daysAgo) => {
    const date = new Date(end);
    date.setDate(date.getDate() - daysAgo); // days have 23 to 25 hours
    const finished = records.filter(
      ({ finishedAt }) => finishedAt && new Date(finishedAt).toDateString() === date.toDateString(),
    );
    const minutes = finished.reduce(
      (sum, line) => sum + (minutesByAnswer.get(line.minutes) ?? 0),
      0,
    );
    return { date, count: finished.length, minutes };
  });
}

/** A length of time in round words; "" for none. */
export function formatAbout(minutes: number): string {
  if (minutes === 0) return "";
  if (minutes < 60) return t("about {n} min", { n: minutes });
  return t("about {n} h", { n: Math.round(minutes / 60) });
}

export function Week() {
  const { forms, lines, vault } = useApp();
  const names = new Intl.DateTimeFormat(document.documentElement.lang, { weekday: "short" });
  // Of days before that, some lines are gone already.
  const days = Math.min(7, vault.account.rules.shred_days);
  const week = summarizeWeek(lines, readMinutes(forms), Date.now(), days);
  const count = week.reduce((sum, day) => sum + day.count, 0);
  const time = formatAbout(week.reduce((sum, day) => sum + day.minutes, 0));
  const most = Math.max(1, ...week.map((day) => day.count));
  return (
    <section class="card" aria-labelledby="week">
      <h2 id="week">{t("My week")}</h2>
      <p class="soft">
        {t("Only you see this.")} {nt("{n} record", "{n} records", count)}
        {time && `, ${time}`}.
      </p>
      {count > 0 && (
        <ol class="week">
          {week.map((day) => (
            <li key={names.format(day.date)}>
              <b>{day.count}</b>
              <i aria-hidden="true" style={{ blockSize: `${(TALLEST * day.count) / most}px` }} />
              <span>{names.format(day.date)}</span>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
