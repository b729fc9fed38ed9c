/** The past seven days, for the worker alone. */

import { readMinutes } from "../../engine/roles";
import { nt, t } from "../../i18n";
import type { OutboxLine } from "../../storage/outbox";
import { DAY } from "../day";
import { useApp } from "../state";

const TALLEST = 40; // pixels of the longest bar

export interface WeekDay {
  date: Date;
  count: number; // records finished on this day
  minutes: number;
}

/**
 * What was finished on each of the seven days up to a moment, the oldest day first.
 * `minutesByAnswer`: about how many minutes each answer about time spent stands for.
 */
export function summarizeWeek(
  lines: Pick<OutboxLine, "finishedAt" | "minutes">[],
  minutesByAnswer: ReadonlyMap<string, number>,
  end = Date.now(),
): WeekDay[] {
  return [6, 5, 4, 3, 2, 1, 0].map((daysAgo) => {
    const date = new Date(end - daysAgo * DAY);
    const finished = lines.filter(
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
  const { forms, lines } = useApp();
  const names = new Intl.DateTimeFormat(document.documentElement.lang, { weekday: "short" });
  const week = summarizeWeek(lines, readMinutes(forms));
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
