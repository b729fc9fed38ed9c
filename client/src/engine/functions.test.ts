import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { seeded } from "../../test/chance";
import { OF_SELF, PLAIN, toDate, toDateTime, toTime, words } from "./functions";
import { loadFunctions } from "./load_functions";
import { DateValue, parseDate, toText, type Value } from "./values";

await loadFunctions('["call","digest",[]]');

const run = (name: string, ...args: Value[]): Value => PLAIN[name]!(...args);
const text = (name: string, ...args: Value[]): string => toText(run(name, ...args));

describe("the names in an answer", () => {
  it("are none in a blank one", () => {
    assert.deepEqual(words(""), []);
    assert.deepEqual(words("  \n "), []);
  });

  it("are split at any XML white space", () => {
    assert.deepEqual(words("a b\tc\n d "), ["a", "b", "c", "d"]);
    assert.deepEqual(words(7), ["7"]);
  });

  it("stay whole at a no-break space", () => {
    assert.deepEqual(words("a\u00a0b"), ["a\u00a0b"]);
  });
});

describe("cutting texts", () => {
  it("substr counts from 0 and takes no part of a character", () => {
    assert.equal(run("substr", "héllo", 1, 3), "él");
    assert.equal(run("substr", "😀😀x", 1), "😀x");
  });

  it("substr counts back from the end with negative places", () => {
    assert.equal(run("substr", "abcdef", -2), "ef");
    assert.equal(run("substr", "abcdef", 0, -2), "abcd");
    assert.equal(run("substr", "abc", -9, 2), "ab");
  });

  it("substr gives nothing beyond the end, and all for no number", () => {
    assert.equal(run("substr", "abc", 7), "");
    assert.equal(run("substr", "abc", "x"), "abc");
    assert.equal(run("substr", "abc", 2, 1), "");
    assert.equal(run("substr", "abc", 0, Infinity), "abc");
  });

  it("substring counts from 1 and rounds, as XPath 1.0 has it", () => {
    assert.equal(run("substring", "12345", 2, 3), "234");
    assert.equal(run("substring", "12345", 2), "2345");
    assert.equal(run("substring", "12345", 1.5, 2.6), "234");
    assert.equal(run("substring", "12345", 0, 3), "12");
    assert.equal(run("substring", "12345", 0 / 0, 3), "");
    assert.equal(run("substring", "12345", -42, Infinity), "12345");
    assert.equal(run("substring", "12345", 6), "");
  });

  it("finds what stands before and after", () => {
    assert.equal(run("substring-before", "1999/04/01", "/"), "1999");
    assert.equal(run("substring-after", "1999/04/01", "/"), "04/01");
    assert.equal(run("substring-before", "abc", "x"), "");
    assert.equal(run("substring-after", "abc", "x"), "");
    assert.equal(run("substring-before", "abc", ""), "");
    assert.equal(run("substring-after", "abc", ""), "abc");
  });

  it("translate replaces, and drops what has no counterpart", () => {
    assert.equal(run("translate", "bar", "abc", "ABC"), "BAr");
    assert.equal(run("translate", "--aaa--", "abc-", "ABC"), "AAA");
    assert.equal(run("translate", "aa", "aa", "xy"), "xx");
    assert.equal(run("translate", "abc", "", "xyz"), "abc");
  });

  it("looks at beginning, end and middle", () => {
    assert.equal(run("contains", "outreach", "reach"), true);
    assert.equal(run("contains", "outreach", ""), true);
    assert.equal(run("contains", "outreach", "Reach"), false);
    assert.equal(run("starts-with", "outreach", "out"), true);
    assert.equal(run("starts-with", "outreach", "reach"), false);
    assert.equal(run("ends-with", "outreach", "reach"), true);
    assert.equal(run("ends-with", "outreach", "out"), false);
  });

  it("a piece and what is around it make the whole again", () => {
    const { below, seed } = seeded("pieces");
    const characters = [..."ab é😀-"];
    for (let round = 0; round < 200; round++) {
      const length = below(8);
      const whole = Array.from({ length }, () => characters[below(6)]).join("");
      const at = below(9);
      const both = text("substr", whole, 0, at) + (at < length ? text("substr", whole, at) : "");
      assert.equal(both, whole, `seed ${seed}: “${whole}” at ${at}`);
    }
  });
});

describe("rounding", () => {
  it("goes up at the half, also below zero", () => {
    assert.equal(run("round", 2.5), 3);
    assert.equal(run("round", -2.5), -2);
    assert.equal(run("round", 2.4), 2);
  });

  it("goes by the digits that people see", () => {
    assert.equal(run("round", 1.005, 2), 1.01);
    assert.equal(run("round", 2.675, 2), 2.68);
    assert.equal(run("round", 1234, -2), 1200);
    assert.equal(run("round", 1250, -2), 1300);
  });

  it("leaves alone what it cannot round", () => {
    assert.ok(Number.isNaN(run("round", "x")));
    assert.equal(run("round", Infinity), Infinity);
    assert.equal(run("round", 1.5, "x"), 1.5);
    assert.equal(run("round", 9_007_199_254_740_993), 9_007_199_254_740_993);
  });

  it("int cuts off, floor and ceiling go their ways", () => {
    assert.equal(run("int", -1.9), -1);
    assert.equal(run("floor", -1.1), -2);
    assert.equal(run("ceiling", 1.1), 2);
    assert.ok(Number.isNaN(run("int", "")));
  });
});

describe("powers and roots", () => {
  it("multiplies out whole exponents", () => {
    assert.equal(run("pow", 2, 10), 1024);
    assert.equal(run("pow", 2, -2), 0.25);
    assert.equal(run("pow", 5, 0), 1);
    assert.equal(run("exp10", 3), 1000);
  });

  it("keeps twelve digits of the others", () => {
    assert.equal(run("pow", 2, 0.5), 1.41421356237);
    assert.equal(run("exp", 1), 2.71828182846);
    assert.equal(run("log10", 1000), 3);
    assert.equal(run("sin", 0), 0);
  });

  it("says NaN for what is no number", () => {
    assert.ok(Number.isNaN(run("pow", "x", 2)));
    assert.ok(Number.isNaN(run("pow", "x", 0)));
    assert.ok(Number.isNaN(run("pow", 2, "x")));
    assert.ok(Number.isNaN(run("sqrt", -1)));
    assert.ok(Number.isNaN(run("log", -1)));
    assert.ok(Number.isNaN(run("pow", -8, 1 / 3)));
  });

  it("holds one to any power for one", () => {
    assert.equal(run("pow", 1, Infinity), 1);
    assert.equal(run("pow", -1, -Infinity), 1);
  });
});

describe("dates", () => {
  it("makes a day of a moment, and a moment of a day", () => {
    assert.equal(toText(toDate("2026-11-23T22:10:00")), "2026-11-23");
    assert.equal(toText(toDateTime("2026-11-23")), "2026-11-23T00:00:00.000");
    assert.equal(toText(toDate(parseDate("2026-11-23T22:10")!)), "2026-11-23");
  });

  it("counts days for a number, and refuses days that no calendar has", () => {
    assert.equal(toText(toDate(0)), "1970-01-01");
    assert.equal(toText(toDate(-0.5)), "1969-12-31");
    assert.equal(toDate(2_932_897), "");
    assert.equal(toDate(-719_163), "");
    assert.equal(toDate(NaN), "");
    assert.equal(toDate("soon"), "");
  });

  it("makes no day of a time of day", () => {
    const noon = toTime("12:00");
    assert.ok(noon instanceof DateValue);
    assert.equal(toDate(noon), "");
    assert.equal(toDateTime(noon), "");
  });

  it("takes the time of day out of a moment", () => {
    assert.equal(toText(toTime(parseDate("2026-11-23T22:10:05")!)), "22:10:05.000");
    assert.equal(toTime("25:00"), "");
    assert.equal(toTime(0.5), "");
  });

  it("tells times as parts of a day", () => {
    assert.equal(run("decimal-time", "18:00"), 0.75);
    assert.ok(Number.isNaN(run("decimal-time", "x")));
    assert.equal(run("decimal-date-time", "1970-01-02T12:00"), 1.5);
  });

  it("writes dates in the pattern of the form", () => {
    const moment = "2026-03-08T09:05:07.040";
    assert.equal(run("format-date", moment, "%Y-%m-%d"), "2026-03-08");
    assert.equal(run("format-date-time", moment, "%e %b %y, %a"), "8 Mar 26, Sun");
    assert.equal(run("format-date-time", moment, "%H:%M:%S.%3"), "09:05:07.040");
    assert.equal(run("format-date-time", moment, "%h h, %n/%e"), "9 h, 3/8");
    assert.equal(run("format-date", moment, "100 %% %q"), "100 % %q");
  });

  it("writes a time of day, and nothing for what is no date", () => {
    assert.equal(run("format-date-time", "22:15", "%H:%M"), "22:15");
    assert.equal(run("format-date", "", "%Y"), "");
    assert.equal(run("format-date", "soon", "%Y"), "");
  });
});

describe("answers with several choices", () => {
  it("selected finds whole names only", () => {
    assert.equal(run("selected", "street park", "park"), true);
    assert.equal(run("selected", "street parking", "park"), false);
    assert.equal(run("selected", "", ""), true);
    assert.equal(run("selected", "street", ""), false);
  });

  it("counts and picks", () => {
    assert.equal(run("count-selected", "a  b c"), 3);
    assert.equal(run("count-selected", ""), 0);
    assert.equal(run("selected-at", "a b c", 0), "a");
    assert.equal(run("selected-at", "a b c", 2.9), "c");
    assert.equal(run("selected-at", "a b c", 3), "");
    assert.equal(run("selected-at", "a b c", -1), "");
    assert.equal(run("selected-at", "a b c", "x"), "");
  });
});

describe("checklists", () => {
  it("counts what is yes between two bounds", () => {
    assert.equal(run("checklist", 1, 2, "yes", "", 0), true);
    assert.equal(run("checklist", 2, 3, "yes", "", 0), false);
    assert.equal(run("checklist", 0, 0, "yes"), false);
  });

  it("has no bound where it says -1", () => {
    assert.equal(run("checklist", -1, 1, 0, 0), true);
    assert.equal(run("checklist", 1, -1, 1, 1, 1), true);
    assert.equal(run("checklist", -1, -1), true);
  });

  it("weighs what is yes", () => {
    assert.equal(run("weighted-checklist", 5, 9, 1, 3, 1, 4), true);
    assert.equal(run("weighted-checklist", 5, 9, 1, 3, 0, 4), false);
    assert.equal(run("weighted-checklist", 0, 0), true);
    assert.equal(run("weighted-checklist", 3, 3, 1, 3, 1), true);
  });
});

describe("patterns", () => {
  it("must match the whole answer", () => {
    assert.equal(run("regex", "M4V 2X1", "[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9]"), true);
    assert.equal(run("regex", "xM4V", "[A-Z][0-9][A-Z]"), false);
    assert.equal(run("regex", "ab", "a|b"), false);
    assert.equal(run("regex", "", "a*"), true);
  });

  it("takes a character beyond the first plane for one", () => {
    assert.equal(run("regex", "😀", "."), true);
  });

  it("looks at no answer that is very long", () => {
    assert.equal(run("regex", "a".repeat(1000), "a*"), true);
    assert.equal(run("regex", "a".repeat(1001), "a*"), false);
  });

  it("means the same when it is used again", () => {
    for (let round = 0; round < 3; round++) {
      assert.equal(run("regex", "abc", "a.c"), true);
      assert.equal(run("regex", "abd", "a.c"), false);
    }
  });
});

describe("base64", () => {
  it("is not read when it is damaged", () => {
    for (const wrong of ["a", "abc", "====", "ab=c", "YQ", "Y Q=", "/w==", "YQ==\n"])
      assert.equal(run("base64-decode", wrong), "", wrong);
  });

  it("gives back UTF-8", () => {
    assert.equal(run("base64-decode", ""), "");
    assert.equal(run("base64-decode", "w6nigqw="), "é€");
    assert.equal(run("base64-decode", "8J+YgA=="), "😀");
    assert.equal(run("base64-decode", "77u/YQ=="), "\ufeffa");
  });

  it("gives back any text", () => {
    const { below, pick, seed } = seeded("base64");
    for (let round = 0; round < 100; round++) {
      const whole = Array.from({ length: below(12) }, () => pick([..."aZ0é€😀 \n"])).join("");
      const coded = Buffer.from(whole).toString("base64");
      assert.equal(run("base64-decode", coded), whole, `seed ${seed}`);
    }
  });
});

describe("truth from a text", () => {
  it("boolean-from-string knows two words for yes", () => {
    for (const yes of ["1", "true", 1]) assert.equal(run("boolean-from-string", yes), true);
    for (const no of ["", "0", "yes", "TRUE", "false"])
      assert.equal(run("boolean-from-string", no), false);
  });

  it("boolean and not turn any value to truth", () => {
    assert.equal(run("boolean", "false"), true);
    assert.equal(run("not", "false"), false);
    assert.equal(run("not", 0), true);
    assert.equal(run("true"), true);
    assert.equal(run("false"), false);
  });
});

describe("functions of the question itself", () => {
  it("normalize-space trims and makes one space of many", () => {
    assert.equal(OF_SELF["normalize-space"]!("  a \n b  "), "a b");
    assert.equal(OF_SELF["normalize-space"]!(""), "");
  });

  it("string-length counts characters, not halves of them", () => {
    assert.equal(OF_SELF["string-length"]!("é😀"), 2);
    assert.equal(OF_SELF["string-length"]!(""), 0);
  });

  it("number and string change the kind of a value", () => {
    assert.equal(OF_SELF["number"]!(" 7 "), 7);
    assert.equal(OF_SELF["string"]!(1e21), "1000000000000000000000");
  });
});
