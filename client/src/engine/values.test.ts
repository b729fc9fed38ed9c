import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { seeded } from "../../test/chance";
import {
  DateValue,
  equal,
  fixed,
  integerPower,
  isNumber,
  less,
  numberToText,
  parseDate,
  parseTime,
  readAs,
  toBoolean,
  toNumber,
  toText,
  type Value,
} from "./values";

const DAY = 86_400_000;

describe("dates", () => {
  it("refuses what is no date", () => {
    const texts = [
      "",
      "2026",
      "2026-11",
      "2026-1-1",
      "26-01-01",
      "2026-13-01",
      "2026-00-10",
      "2026-02-30",
      "2026-04-31",
      "2025-02-29",
      "0000-01-01",
      "2026-11-23 ",
      " 2026-11-23",
      "2026/11/23",
      "2026-11-23T",
      "2026-11-23T24:00",
      "2026-11-23T12:60",
      "2026-11-23T12:00:60",
      "2026-11-23 12:00",
      "2026-11-23T12:00:00.1234567",
      "2026-11-23T12:00+5",
    ];
    for (const text of texts) assert.equal(parseDate(text), null, text);
  });

  it("counts days from 1970", () => {
    assert.equal(parseDate("1970-01-01")?.days, 0);
    assert.equal(parseDate("1970-01-02")?.days, 1);
    assert.equal(parseDate("1969-12-31")?.days, -1);
    assert.equal(parseDate("2000-02-29")?.days, 11_016);
    assert.equal(parseDate("0001-01-01")?.days, -719_162);
    assert.equal(parseDate("9999-12-31")?.days, 2_932_896);
  });

  it("knows a date from a date with a time", () => {
    assert.equal(parseDate("2026-11-23")?.kind, "date");
    assert.equal(parseDate("2026-11-23T10:30")?.kind, "dateTime");
  });

  it("reads the time of day as a part of the day", () => {
    assert.equal(parseDate("1970-01-01T12:00")?.days, 0.5);
    assert.equal(parseDate("1970-01-01T06:00:00")?.days, 0.25);
    assert.equal(parseDate("1970-01-02T18:00:00.000")?.days, 1.75);
  });

  it("takes the time as local, whatever zone stands behind it", () => {
    const plain = parseDate("2026-11-23T10:30:00")!.days;
    for (const zone of ["Z", "+05:00", "-05:00", "+0530"])
      assert.equal(parseDate(`2026-11-23T10:30:00${zone}`)?.days, plain, zone);
  });

  it("writes what it reads", () => {
    for (const text of ["1970-01-01", "2026-11-23", "0001-01-01", "9999-12-31", "2024-02-29"])
      assert.equal(String(parseDate(text)), text);
    for (const text of ["2026-11-23T01:02:03.004", "1969-12-31T23:59:59.999"])
      assert.equal(String(parseDate(text)), text);
  });

  it("gives back every day of a long span, and knows which follows which", () => {
    const { below, seed } = seeded("dates");
    for (let round = 0; round < 400; round++) {
      const days = below(3_652_058) - 719_162;
      const text = new DateValue(days).toString();
      assert.equal(parseDate(text)?.days, days, `seed ${seed}: ${text}`);
      const next = new DateValue(days + 1).toString();
      if (days < 2_932_896) assert.ok(next > text, `seed ${seed}: ${next} after ${text}`);
    }
  });

  it("gives back every millisecond of a day", () => {
    const { below, seed } = seeded("milliseconds");
    for (let round = 0; round < 400; round++) {
      const milliseconds = below(DAY);
      const value = new DateValue(20_000 + milliseconds / DAY, "dateTime");
      const again = parseDate(value.toString())!;
      assert.equal(Math.round((again.days - 20_000) * DAY), milliseconds, `seed ${seed}`);
    }
  });

  it("takes the phone's wall clock, not the world's", () => {
    const date = new Date(2026, 10, 23, 8, 15, 30);
    assert.equal(DateValue.ofClock(date).toString(), "2026-11-23T08:15:30.000");
    assert.equal(DateValue.ofClock(date).kind, "dateTime");
    const inToronto = new Date("2026-11-23T03:15:30Z");
    inToronto.getTimezoneOffset = () => 300; // minutes that UTC is ahead
    assert.equal(DateValue.ofClock(inToronto).toString(), "2026-11-22T22:15:30.000");
  });
});

describe("times of day", () => {
  it("refuses what is none", () => {
    for (const text of ["", "8:15", "24:00", "12:60", "12:00:60", "12", "12:00 ", "noon"])
      assert.equal(parseTime(text), null, text);
  });

  it("reads hours, minutes, seconds and parts of a second", () => {
    assert.equal(parseTime("00:00")?.days, 0);
    assert.equal(parseTime("12:00")?.days, 0.5);
    assert.equal(parseTime("06:00:00")?.days, 0.25);
    assert.equal(parseTime("22:15:30.5")?.toString(), "22:15:30.500");
    assert.equal(parseTime("22:15:30.000-05:00")?.toString(), "22:15:30.000");
  });

  it("reads a text as what it is compared with", () => {
    assert.equal(readAs("time", "12:00")?.kind, "time");
    assert.equal(readAs("time", "2026-11-23"), null);
    assert.equal(readAs("date", "2026-11-23")?.kind, "date");
    assert.equal(readAs("dateTime", "12:00"), null);
  });
});

describe("numbers", () => {
  it("takes what a person types for a number, and nothing else", () => {
    for (const text of ["0", "-1", "3.5", ".5", "5.", " 7 ", "007", "-0.25", "\n9\t"])
      assert.ok(isNumber(text), text);
    for (const text of ["", " ", "-", ".", "1e3", "+1", "1,5", "0x10", "Infinity", "NaN", "1 2"])
      assert.ok(!isNumber(text), text);
  });

  it("makes a number of any value", () => {
    assert.equal(toNumber(" 12.50 "), 12.5);
    assert.ok(Number.isNaN(toNumber("twelve")));
    assert.ok(Number.isNaN(toNumber("")));
    assert.equal(toNumber(true), 1);
    assert.equal(toNumber(false), 0);
    assert.equal(toNumber(new DateValue(3.5, "dateTime")), 3.5);
  });

  it("writes numbers without an exponent", () => {
    assert.equal(numberToText(1e21), "1000000000000000000000");
    assert.equal(numberToText(1.5e-7), "0.00000015");
    assert.equal(numberToText(-2e-7), "-0.0000002");
    assert.equal(numberToText(-1.25e22), "-12500000000000000000000");
    assert.equal(numberToText(0.1 + 0.2), "0.30000000000000004");
  });

  it("writes zero, and what is no number, as XPath does", () => {
    assert.equal(numberToText(-0), "0");
    assert.equal(numberToText(NaN), "NaN");
    assert.equal(numberToText(Infinity), "Infinity");
    assert.equal(numberToText(-Infinity), "-Infinity");
  });

  it("loses nothing by writing and reading, whatever the size", () => {
    const { next, below, seed } = seeded("numbers");
    for (let round = 0; round < 500; round++) {
      const number = (next() - 0.5) * 10 ** (below(60) - 30);
      const text = numberToText(number);
      assert.ok(!/e/i.test(text), text);
      assert.equal(Number(text), number, `seed ${seed}: ${text}`);
      assert.ok(isNumber(text), text);
    }
  });

  it("keeps twelve digits of what machines compute differently", () => {
    assert.equal(fixed(1 / 3), 0.333333333333);
    assert.equal(fixed(123456789.123456), 123456789.123);
    assert.equal(fixed(Infinity), Infinity);
    assert.ok(Number.isNaN(fixed(NaN)));
  });

  it("multiplies out whole powers", () => {
    assert.equal(integerPower(2, 10), 1024);
    assert.equal(integerPower(-3, 3), -27);
    assert.equal(integerPower(7, 0), 1);
    assert.equal(integerPower(0, 0), 1);
    for (let exponent = 0; exponent < 50; exponent++)
      assert.equal(integerPower(2, exponent), 2 ** exponent);
  });
});

describe("truth", () => {
  it("knows what counts as no", () => {
    for (const value of ["", 0, -0, NaN, false] as Value[])
      assert.equal(toBoolean(value), false, String(value));
  });

  it("takes any text and any date for a yes", () => {
    const values: Value[] = ["0", "false", " ", 1, -1, Infinity, true, new DateValue(0)];
    for (const value of values) assert.equal(toBoolean(value), true, String(value));
  });

  it("writes truth as the words of XPath", () => {
    assert.equal(toText(true), "true");
    assert.equal(toText(false), "false");
  });
});

describe("comparing", () => {
  const date = parseDate("2026-11-23")!;

  it("compares texts as texts", () => {
    assert.equal(equal("a", "a"), true);
    assert.equal(equal("a", "A"), false);
    assert.equal(equal("1", "1.0"), false);
    assert.equal(equal("", ""), true);
    assert.equal(equal("2026-11-23", "2026-11-23"), true);
    assert.equal(equal("2026-11-23", "2026-11-23T00:00"), false);
  });

  it("compares with a number as a number", () => {
    assert.equal(equal("1.0", 1), true);
    assert.equal(equal(2, " 2 "), true);
    assert.equal(equal("two", 2), false);
    assert.equal(equal(NaN, NaN), false);
  });

  it("compares with truth as truth", () => {
    assert.equal(equal(true, "no"), true);
    assert.equal(equal("", false), true);
    assert.equal(equal(0, false), true);
    assert.equal(equal(true, 2), true);
  });

  it("reads a text beside a date as a date", () => {
    assert.equal(equal(date, "2026-11-23"), true);
    assert.equal(equal("2026-11-24", date), false);
    assert.equal(equal(parseTime("12:00")!, "12:00:00"), true);
    assert.equal(equal(date, "yesterday"), false);
  });

  it("orders texts that are numbers as numbers", () => {
    assert.equal(less("9", "10", false), true);
    assert.equal(less("10", "9", false), false);
    assert.equal(less("a", "b", false), false);
    assert.equal(less("b", "a", false), false);
  });

  it("orders dates, also when one of them is a text", () => {
    assert.equal(less(date, "2026-11-24", false), true);
    assert.equal(less("2026-11-24", date, false), false);
    assert.equal(less(date, "2026-11-23", false), false);
    assert.equal(less(date, "2026-11-23", true), true);
    assert.equal(less(parseTime("08:00")!, "09:00", false), true);
  });

  it("orders any two numbers one way, and equal ones both ways only with “or equal”", () => {
    const { below, seed } = seeded("order");
    for (let round = 0; round < 300; round++) {
      const a = below(9) - 4;
      const b = below(9) - 4;
      const ways = [less(a, b, false), less(b, a, false), equal(a, b)];
      assert.equal(ways.filter(Boolean).length, 1, `seed ${seed}: ${a} and ${b}`);
      assert.equal(less(a, b, true), a <= b);
    }
  });

  it("finds nothing less or more than what is no number", () => {
    for (const other of [0, 1, "x", ""] as Value[]) {
      assert.equal(less("x", other, true), false);
      assert.equal(less(other, NaN, true), false);
    }
  });
});
