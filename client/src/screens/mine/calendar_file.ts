/** A reminder for the phone's own calendar: every day at one hour, whatever is due. */

const two = (number: number): string => String(number).padStart(2, "0");

/**
 * The calendar file. It names the app and an hour, and nothing about anybody's work: calendars are
 * copied to other companies, and shown to whoever looks at the phone. `time` is HH:MM.
 */
export function makeCalendar(time: string, id: string, from = new Date()): string {
  const day = `${from.getFullYear()}${two(from.getMonth() + 1)}${two(from.getDate())}`;
  const stamp = from.toISOString().replace(/[-:]|\.\d+/g, "");
  const lines = [
    "BEGIN:VCALENDAR",
    "VERSION:2.0",
    "PRODID:-//fieldapp//EN",
    "BEGIN:VEVENT",
    `UID:${id}`,
    `DTSTAMP:${stamp}`,
    `DTSTART:${day}T${time.replace(":", "")}00`, // wherever the phone is
    "DURATION:PT5M",
    "RRULE:FREQ=DAILY",
    "SUMMARY:fieldapp",
    "TRANSP:TRANSPARENT", // it keeps nobody busy
    "BEGIN:VALARM",
    "ACTION:DISPLAY",
    "DESCRIPTION:fieldapp",
    "TRIGGER:PT0S",
    "END:VALARM",
    "END:VEVENT",
    "END:VCALENDAR",
  ];
  return `${lines.join("\r\n")}\r\n`;
}
