/** Days and times of day as the phone counts and writes them. */

export const DAY = 86_400_000; // milliseconds

/** The phone's local day, as YYYY-MM-DD. */
export function getLocalDay(date = new Date()): string {
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
}

/** How many days lie between two days (YYYY-MM-DD); negative when the second comes first. */
export function countDays(from: string, to: string): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / DAY);
}

/** A moment as the time of day, with its date unless that is today. */
export function formatMoment(moment: number, today = new Date()): string {
  const date = new Date(moment);
  const time = { hour: "2-digit", minute: "2-digit" } as const;
  const isToday = date.toDateString() === today.toDateString();
  const options = isToday ? time : ({ day: "numeric", month: "short", ...time } as const);
  return new Intl.DateTimeFormat(document.documentElement.lang, options).format(date);
}

/**
 * A day (YYYY-MM-DD) as people say it: only the long form names the weekday, and the year is said
 * where it is not that of `today`.
 */
export function formatDay(
  day: string,
  length: "long" | "short" = "long",
  today = getLocalDay(),
): string {
  const weekday = length === "long" ? { weekday: length } : {};
  const year = day.slice(0, 4) === today.slice(0, 4) ? {} : ({ year: "numeric" } as const);
  const options = { ...weekday, ...year, day: "numeric", month: length, timeZone: "UTC" } as const;
  return new Intl.DateTimeFormat(document.documentElement.lang, options).format(new Date(day));
}

/** A day (YYYY-MM-DD) or a time of one, as answers have them, written out; else the text itself. */
export function describeDate(text: string, language: string): string {
  const [, day, time] = /^(\d{4}-\d\d-\d\d)(T\d\d:\d\d|$)/.exec(text) ?? [];
  if (!day) return text;
  const hours = time ? ({ hour: "2-digit", minute: "2-digit" } as const) : {};
  const options = { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" } as const;
  // The phone's own clock, as if it were UTC: it is written as it stands.
  const moment = new Date(`${day}${time || "T00:00"}Z`);
  return new Intl.DateTimeFormat(language, { ...options, ...hours }).format(moment);
}

/** A month (YYYY-MM) in words. */
export function formatMonth(month: string): string {
  const options = { month: "long", year: "numeric", timeZone: "UTC" } as const;
  return new Intl.DateTimeFormat(document.documentElement.lang, options).format(new Date(month));
}
