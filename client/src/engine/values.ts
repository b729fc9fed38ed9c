/**
 * Values of the expression language and their conversions; the twin of forms/expressions/values.py.
 */

export type DateKind = "date" | "dateTime" | "time";

/**
 * A local date, date and time, or time of day, as days since 1970-01-01 local time: whole days, or
 * a part of one day.
 */
export class DateValue {
  constructor(
    readonly days: number,
    readonly kind: DateKind = "date",
  ) {}

  moment(): Date {
    return new Date(Math.floor(this.days * 86_400_000 + 0.5));
  }

  toString(): string {
    const text = this.moment().toISOString().slice(0, 23);
    if (this.kind === "dateTime") return text;
    return this.kind === "date" ? text.slice(0, 10) : text.slice(11);
  }

  /** The phone's wall clock. */
  static ofClock(date: Date): DateValue {
    return new DateValue(
      (date.getTime() - date.getTimezoneOffset() * 60_000) / 86_400_000,
      "dateTime",
    );
  }
}

export type Value = string | number | boolean | DateValue;

const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;
const DATE_TIME =
  /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?(?:Z|[+-]\d{2}:?\d{2})?$/;
const TIME = /^(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?(?:Z|[+-]\d{2}:?\d{2})?$/;
const NUMBER = /^[ \t\n\r]*-?(\d+(\.\d*)?|\.\d+)[ \t\n\r]*$/;

/** Read an ISO date or local date-time; a zone offset is read and ignored: the time is local. */
export function parseDate(text: string): DateValue | null {
  const match = DATE.exec(text) ?? DATE_TIME.exec(text);
  if (!match) return null;
  const hasTime = match.length > 4;
  const [year, month, day, hour, minute, second] = [1, 2, 3, 4, 5, 6].map((part) =>
    Number(match[part] ?? 0),
  ) as [number, number, number, number, number, number];
  const fraction = hasTime ? Number((match[7] ?? "").padEnd(6, "0")) / 1000 : 0;
  const time = Date.UTC(2000, month - 1, day, hour, minute, second);
  const whole = new Date(time);
  whole.setUTCFullYear(year, month - 1, day);
  const isReal =
    year > 0 &&
    whole.getUTCMonth() === month - 1 &&
    whole.getUTCDate() === day &&
    hour < 24 &&
    minute < 60 &&
    second < 60;
  return isReal
    ? new DateValue((whole.getTime() + fraction) / 86_400_000, hasTime ? "dateTime" : "date")
    : null;
}

/** The first day of the month or year of a day; what is no day stays as it is. */
export function cutDate(text: string, part: "month" | "year"): string {
  if (!parseDate(text)) return text;
  return part === "month" ? `${text.slice(0, 7)}-01` : `${text.slice(0, 4)}-01-01`;
}

/** Read a time of day such as 22:15 or 22:15:30.000; null when it is not one. */
export function parseTime(text: string): DateValue | null {
  const match = TIME.exec(text);
  if (!match) return null;
  const [hour, minute, second] = [1, 2, 3].map((part) => Number(match[part] ?? 0)) as [
    number,
    number,
    number,
  ];
  if (hour > 23 || minute > 59 || second > 59) return null;
  const milliseconds =
    ((hour * 60 + minute) * 60 + second) * 1000 + Number((match[4] ?? "").padEnd(6, "0")) / 1000;
  return new DateValue(milliseconds / 86_400_000, "time");
}

/** A base to a whole power by repeated squaring: the same bits on every machine. */
export function integerPower(base: number, exponent: number): number {
  let result = 1;
  while (exponent) {
    if (exponent & 1) result *= base;
    base *= base;
    exponent >>= 1;
  }
  return result;
}

/**
 * A number to 12 significant digits, since sine, logarithm and the like differ between machines
 * after that.
 */
export function fixed(number: number): number {
  return Number.isFinite(number) ? Number(number.toPrecision(12)) : number;
}

export function isNumber(text: string): boolean {
  return NUMBER.test(text);
}

export function toNumber(value: Value): number {
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return value ? 1 : 0;
  if (value instanceof DateValue) return value.days;
  return NUMBER.test(value) ? Number(value) : NaN;
}

export function toText(value: Value): string {
  return typeof value === "number" ? numberToText(value) : String(value);
}

/** Write a number as XPath 1.0 does: no exponent. */
export function numberToText(number: number): string {
  const text = Object.is(number, -0) ? "0" : String(number);
  if (!text.includes("e")) return text;
  const match = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (!match) return text;
  const digits = match[2]! + (match[3] ?? "");
  const point = 1 + Number(match[4]);
  if (point <= 0) return `${match[1]}0.${"0".repeat(-point)}${digits}`;
  return match[1]! + digits.padEnd(point, "0");
}

export function toBoolean(value: Value): boolean {
  if (typeof value === "boolean") return value;
  if (typeof value === "string") return value !== "";
  if (value instanceof DateValue) return true;
  return !(Number.isNaN(value) || value === 0);
}

/** Read a text as a time of day, or as a date or date-time. */
export function readAs(kind: DateKind, text: string): DateValue | null {
  return kind === "time" ? parseTime(text) : parseDate(text);
}

/**
 * Read a literal date or time compared with one as what it is (JavaRosa does not; form authors
 * expect it).
 */
function withDates(left: Value, right: Value): [Value, Value] {
  if (left instanceof DateValue && typeof right === "string")
    return [left, readAs(left.kind, right) ?? right];
  if (right instanceof DateValue && typeof left === "string")
    return [readAs(right.kind, left) ?? left, right];
  return [left, right];
}

export function equal(a: Value, b: Value): boolean {
  const [left, right] = withDates(a, b);
  if (typeof left === "boolean" || typeof right === "boolean")
    return toBoolean(left) === toBoolean(right);
  if (typeof left === "string" && typeof right === "string") return left === right;
  return toNumber(left) === toNumber(right);
}

export function less(a: Value, b: Value, orEqual: boolean): boolean {
  const [left, right] = withDates(a, b);
  return orEqual ? toNumber(left) <= toNumber(right) : toNumber(left) < toNumber(right);
}
