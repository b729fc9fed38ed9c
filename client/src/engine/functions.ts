/** The functions of the expression language; the twin of forms/expressions/functions.py. */

import { DateValue, parseDate, toBoolean, toNumber, toText, type Value } from "./values";

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/** Split at the white space that Python's str.split() knows. */
function words(value: Value): string[] {
  return toText(value)
    .split(/[\s\x1c-\x1f\x85]+/)
    .filter(Boolean);
}

function substr(text: Value, start: Value, end?: Value): string {
  const characters = [...toText(text)];
  const index = (value: Value): number => {
    const number = toNumber(value);
    const whole = Number.isNaN(number)
      ? 0
      : Math.max(Math.trunc(Math.min(number, characters.length)), -characters.length);
    return whole < 0 ? Math.max(0, whole + characters.length) : whole;
  };
  return characters.slice(index(start), end === undefined ? undefined : index(end)).join("");
}

function translate(text: Value, source: Value, target: Value): string {
  const to = [...toText(target)];
  const table = new Map<string, string>();
  [...toText(source)].forEach((character, position) => {
    if (!table.has(character)) table.set(character, to[position] ?? "");
  });
  return [...toText(text)].map((character) => table.get(character) ?? character).join("");
}

function rounded(value: Value, places: Value = 0): number {
  const number = toNumber(value);
  const digits = toNumber(places);
  if (!Number.isFinite(number) || Number.isNaN(digits)) return number;
  const factor = 10 ** Math.trunc(digits);
  return Math.floor(number * factor + 0.5) / factor;
}

function toDate(value: Value): Value {
  const days = toDateTime(value);
  return days instanceof DateValue ? new DateValue(Math.floor(days.days)) : "";
}

function toDateTime(value: Value): Value {
  const parsed = typeof value === "string" ? parseDate(value) : null;
  const days = parsed ? parsed.days : toNumber(value);
  return Number.isNaN(days) ? "" : new DateValue(days, true);
}

function formatDate(value: Value, pattern: Value): string {
  const date = toDateTime(value);
  if (!(date instanceof DateValue)) return "";
  const moment = date.moment();
  const two = (number: number): string => String(number).padStart(2, "0");
  const parts: Record<string, string> = {
    Y: String(moment.getUTCFullYear()).padStart(4, "0"),
    y: two(moment.getUTCFullYear() % 100),
    m: two(moment.getUTCMonth() + 1),
    n: String(moment.getUTCMonth() + 1),
    b: MONTHS[moment.getUTCMonth()]!,
    d: two(moment.getUTCDate()),
    e: String(moment.getUTCDate()),
    H: two(moment.getUTCHours()),
    h: String(moment.getUTCHours()),
    M: two(moment.getUTCMinutes()),
    S: two(moment.getUTCSeconds()),
    "3": String(moment.getUTCMilliseconds()).padStart(3, "0"),
    a: DAYS[moment.getUTCDay()]!,
    "%": "%",
  };
  return toText(pattern).replace(/%(.)/gs, (whole, sign: string) => parts[sign] ?? whole);
}

function before(text: Value, mark: Value): string {
  const at = toText(mark) ? toText(text).indexOf(toText(mark)) : -1;
  return at < 0 ? "" : toText(text).slice(0, at);
}

function after(text: Value, mark: Value): string {
  const at = toText(text).indexOf(toText(mark));
  return at < 0 ? "" : toText(text).slice(at + toText(mark).length);
}

function selectedAt(chosen: Value, position: Value): string {
  const number = toNumber(position);
  return number >= 0 ? (words(chosen)[Math.trunc(number)] ?? "") : "";
}

export const PLAIN: Record<string, (...values: Value[]) => Value> = {
  abs: (value) => Math.abs(toNumber(value!)),
  boolean: (value) => toBoolean(value!),
  "boolean-from-string": (value) => ["1", "true"].includes(toText(value!)),
  ceiling: (value) => Math.ceil(toNumber(value!)),
  concat: (...parts) => parts.map(toText).join(""),
  contains: (text, part) => toText(text!).includes(toText(part!)),
  "count-selected": (chosen) => words(chosen!).length,
  date: (value) => toDate(value!),
  "date-time": (value) => toDateTime(value!),
  "decimal-date-time": (value) => toNumber(toDateTime(value!)),
  "ends-with": (text, part) => toText(text!).endsWith(toText(part!)),
  false: () => false,
  floor: (value) => Math.floor(toNumber(value!)),
  "format-date": (value, pattern) => formatDate(value!, pattern!),
  "format-date-time": (value, pattern) => formatDate(value!, pattern!),
  int: (value) => Math.trunc(toNumber(value!)),
  "normalize-space": (text) => words(text!).join(" "),
  not: (value) => !toBoolean(value!),
  number: (value) => toNumber(value!),
  pow: (base, exponent) => toNumber(base!) ** toNumber(exponent!),
  regex: (text, pattern) => new RegExp(`^(?:${toText(pattern!)})$`).test(toText(text!)),
  round: (value, places) => rounded(value!, places),
  selected: (chosen, name) => words(chosen!).includes(toText(name!)),
  "selected-at": (chosen, position) => selectedAt(chosen!, position!),
  "starts-with": (text, part) => toText(text!).startsWith(toText(part!)),
  string: (value) => toText(value!),
  "string-length": (text) => [...toText(text!)].length,
  substr: (text, start, end) => substr(text!, start!, end),
  "substring-after": (text, mark) => after(text!, mark!),
  "substring-before": (text, mark) => before(text!, mark!),
  translate: (text, source, target) => translate(text!, source!, target!),
  true: () => true,
};
