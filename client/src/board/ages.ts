/** How long ago something was, in the words that the centre writes too (ages.py). */

const MINUTE = 60_000; // milliseconds
const HOURS_FROM = 120; // minutes: before that, minutes say more
const DAYS_FROM = 48 * 60;

export function formatAge(milliseconds: number): string {
  const minutes = Math.max(0, Math.floor(milliseconds / MINUTE));
  const write = (count: number, unit: "minute" | "hour" | "day"): string =>
    count.toLocaleString(document.documentElement.lang, { style: "unit", unit });
  if (minutes < HOURS_FROM) return write(minutes, "minute");
  if (minutes < DAYS_FROM) return write(Math.floor(minutes / 60), "hour");
  return write(Math.floor(minutes / 1440), "day");
}

/**
 * Write the ages on the board as they are now; `ahead`: how many milliseconds this machine's clock
 * is ahead of the centre's.
 */
export function writeAges(place: HTMLElement, ahead: number): void {
  for (const time of place.querySelectorAll<HTMLTimeElement>("time[data-age]")) {
    const age = formatAge(Date.now() - ahead - Date.parse(time.dateTime));
    if (time.textContent !== age) time.textContent = age;
  }
}
