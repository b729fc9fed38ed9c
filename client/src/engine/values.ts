/** Values of the expression language and their conversions; the twin of forms/expressions/values.py. */

export class DateValue {
  /** Days since 1970-01-01 local time; whole days for a date. */
  constructor(
    readonly days: number,
    readonly hasTime = false,
  ) {}

  moment(): Date {
    return new Date(Math.round(this.days * 86_400_000));
  }

  toString(): string {
    const text = this.moment().toISOString().slice(0, 23);
    return this.hasTime ? text : text.slice(0, 10);
  }

  /** The phone's wall clock. */
  static ofClock(date: Date): DateValue {
    return new DateValue((date.getTime() - date.getTimezoneOffset() * 60_000) / 86_400_000, true);
  }
}

export type Value = string | number | boolean | DateValue;

const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;
const DATE_TIME = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?(?:Z|[+-]\d{2}:?\d{2})?$/;
const NUMBER = /^\s*-?(\d+(\.\d*)?|\.\d+)\s*$/;

/** Read an ISO date or local date-time; a zone offset is read and ignored: the time is local. */
export function parseDate(text: string): DateValue | null {
  const match = DATE.exec(text) ?? DATE_TIME.exec(text);
  if (!match) return null;
  const hasTime = match.length > 4;
  const [year, month, day, hour, minute, second] = [1, 2, 3, 4, 5, 6].map((part) => Number(match[part] ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
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
  return isReal ? new DateValue((whole.getTime() + fraction) / 86_400_000, hasTime) : null;
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

/** Read a literal date compared with a date as a date (JavaRosa does not; form authors expect it). */
function withDates(left: Value, right: Value): [Value, Value] {
  if (left instanceof DateValue && typeof right === "string") return [left, parseDate(right) ?? right];
  if (right instanceof DateValue && typeof left === "string") return [parseDate(left) ?? left, right];
  return [left, right];
}

export function equal(a: Value, b: Value): boolean {
  const [left, right] = withDates(a, b);
  if (typeof left === "boolean" || typeof right === "boolean") return toBoolean(left) === toBoolean(right);
  if (typeof left === "string" && typeof right === "string") return left === right;
  return toNumber(left) === toNumber(right);
}

export function less(a: Value, b: Value, orEqual: boolean): boolean {
  const [left, right] = withDates(a, b);
  return orEqual ? toNumber(left) <= toNumber(right) : toNumber(left) < toNumber(right);
}
