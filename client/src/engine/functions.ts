/** The functions of the expression language; the twin of forms/expressions/functions.py. */

import {
  DateValue,
  fixed,
  integerPower,
  numberToText,
  parseDate,
  parseTime,
  toBoolean,
  toNumber,
  toText,
  type DateKind,
  type Value,
} from "./values";

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MAX_PATTERN_TEXT = 1000; // characters; a longer answer matches no pattern
const LAST_DAY = 2_932_896; // 9999-12-31, in days since 1970
const FIRST_DAY = -719_162; // 0001-01-01

/** The names in the answer of a select: what stands between XML white space. */
export function words(value: Value): string[] {
  return toText(value)
    .split(/[ \t\n\r\f\v]+/)
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

/** XPath 1.0's substring: positions count from 1, and are rounded. */
function substring(text: Value, start: Value, count?: Value): string {
  const first = rounded(start);
  const last = count === undefined ? Infinity : first + rounded(count);
  return [...toText(text)].filter((_, index) => first <= index + 1 && index + 1 < last).join("");
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
  const size = Math.trunc(Math.max(-30, Math.min(30, digits)));
  // On the digits that people see: round(1.005, 2) is 1.01.
  const scaled = Number(`${numberToText(number)}e${size}`);
  if (Math.abs(scaled) >= 2 ** 53) return number;
  return Number(`${Math.floor(scaled + 0.5)}e${-size}`);
}

/**
 * Raise to a power; whole exponents by multiplication, so that every machine gets the same bits.
 */
function power(base: Value, exponent: Value): number {
  const x = toNumber(base);
  const y = toNumber(exponent);
  if (Number.isNaN(x) || Number.isNaN(y)) return NaN;
  if (y === Math.trunc(y) && Math.abs(y) <= 1024) {
    const result = integerPower(x, Math.abs(y));
    return y >= 0 ? result : 1 / result;
  }
  if (Math.abs(x) === 1 && !Number.isFinite(y)) return 1; // as C's pow has it
  return fixed(Math.pow(x, y));
}

const real =
  (apply: (...numbers: number[]) => number) =>
  (...values: Value[]): number =>
    fixed(apply(...values.map(toNumber)));

function ofDays(days: number, kind: DateKind): Value {
  return days >= FIRST_DAY && days < LAST_DAY + 1 ? new DateValue(days, kind) : "";
}

export function toDate(value: Value): Value {
  const days = toDateTime(value);
  return days instanceof DateValue ? new DateValue(Math.floor(days.days)) : "";
}

export function toDateTime(value: Value): Value {
  if (value instanceof DateValue)
    return value.kind === "time" ? "" : new DateValue(value.days, "dateTime");
  const parsed = typeof value === "string" ? parseDate(value) : null;
  return parsed ? new DateValue(parsed.days, "dateTime") : ofDays(toNumber(value), "dateTime");
}

export function toTime(value: Value): Value {
  if (value instanceof DateValue) return new DateValue(value.days - Math.floor(value.days), "time");
  return typeof value === "string" ? (parseTime(value) ?? "") : "";
}

function decimalTime(value: Value): number {
  const time = toTime(value);
  return time instanceof DateValue ? time.days : NaN;
}

function formatDate(value: Value, pattern: Value): string {
  let date = value instanceof DateValue ? value : toDateTime(value);
  if (!(date instanceof DateValue) && typeof value === "string") date = parseTime(value) ?? "";
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

function selected(chosen: string[], name: string): boolean {
  return name ? chosen.includes(name) : chosen.length === 0;
}

function selectedAt(chosen: Value, position: Value): string {
  const number = toNumber(position);
  return number >= 0 ? (words(chosen)[Math.trunc(number)] ?? "") : "";
}

const patterns = new Map<string, RegExp>();

function matches(value: Value, pattern: Value): boolean {
  const text = toText(value);
  const source = toText(pattern);
  const compiled = patterns.get(source) ?? new RegExp(`^(?:${source})$`, "u");
  patterns.set(source, compiled);
  return [...text].length <= MAX_PATTERN_TEXT && compiled.test(text);
}

/** Those of values alone; what few forms call is added by load_functions.ts. */
export const PLAIN: Record<string, (...values: Value[]) => Value> = {
  abs: (value) => Math.abs(toNumber(value!)),
  acos: real(Math.acos),
  asin: real(Math.asin),
  atan: real(Math.atan),
  atan2: real(Math.atan2),
  boolean: (value) => toBoolean(value!),
  "boolean-from-string": (value) => ["1", "true"].includes(toText(value!)),
  ceiling: (value) => Math.ceil(toNumber(value!)),
  contains: (text, part) => toText(text!).includes(toText(part!)),
  cos: real(Math.cos),
  "count-selected": (chosen) => words(chosen!).length,
  date: (value) => toDate(value!),
  "date-time": (value) => toDateTime(value!),
  "decimal-date-time": (value) => toNumber(toDateTime(value!)),
  "decimal-time": (value) => decimalTime(value!),
  "ends-with": (text, part) => toText(text!).endsWith(toText(part!)),
  exp: real(Math.exp),
  exp10: (value) => power(10, value!),
  false: () => false,
  floor: (value) => Math.floor(toNumber(value!)),
  "format-date": (value, pattern) => formatDate(value!, pattern!),
  "format-date-time": (value, pattern) => formatDate(value!, pattern!),
  int: (value) => Math.trunc(toNumber(value!)),
  log: real(Math.log),
  log10: real(Math.log10),
  not: (value) => !toBoolean(value!),
  pi: () => Math.PI,
  pow: (base, exponent) => power(base!, exponent!),
  regex: (text, pattern) => matches(text!, pattern!),
  round: (value, places) => rounded(value!, places),
  selected: (chosen, name) => selected(words(chosen!), toText(name!)),
  "selected-at": (chosen, position) => selectedAt(chosen!, position!),
  sin: real(Math.sin),
  sqrt: (value) => Math.sqrt(toNumber(value!)),
  "starts-with": (text, part) => toText(text!).startsWith(toText(part!)),
  substr: (text, start, end) => substr(text!, start!, end),
  substring: (text, start, count) => substring(text!, start!, count),
  "substring-after": (text, mark) => after(text!, mark!),
  "substring-before": (text, mark) => before(text!, mark!),
  tan: real(Math.tan),
  translate: (text, source, target) => translate(text!, source!, target!),
  true: () => true,
};

/** Those that may also be called without a value, and then mean the question itself. */
export const OF_SELF: Record<string, (value: Value) => Value> = {
  "normalize-space": (text) => words(text).join(" "),
  number: toNumber,
  string: toText,
  "string-length": (text) => [...toText(text)].length,
};

/** Those of all values in their arguments: every node of a path, blanks left out. */
export const OF_ALL: Record<string, (values: Value[]) => Value> = {
  concat: (values) => values.map(toText).join(""),
  "count-non-empty": (values) => values.length,
  sum: (values) => values.reduce((sum: number, value) => sum + toNumber(value), 0),
};
