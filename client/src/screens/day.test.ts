import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { installPage } from "../../test/page";
import { countDays, describeDate, formatDay, formatMoment, getLocalDay } from "./day";

installPage();

describe("the local day", () => {
  it("is the phone's, not that of Greenwich", () => {
    const late = new Date(2026, 10, 23, 23, 59);
    assert.equal(getLocalDay(late), "2026-11-23");
    assert.equal(getLocalDay(new Date(2026, 0, 1, 0, 0)), "2026-01-01");
  });
});

describe("days between", () => {
  it("are counted over months, years and changes of the clock", () => {
    assert.equal(countDays("2026-02-27", "2026-03-01"), 2);
    assert.equal(countDays("2028-02-27", "2028-03-01"), 3);
    assert.equal(countDays("2026-03-07", "2026-03-09"), 2);
    assert.equal(countDays("2026-01-01", "2025-12-31"), -1);
    assert.equal(countDays("2026-01-01", "2026-01-01"), 0);
  });
});

describe("a moment in words", () => {
  const today = new Date(2026, 10, 23, 12, 0);

  it("is the time of day when it is today", () => {
    const text = formatMoment(new Date(2026, 10, 23, 9, 5).getTime(), today);
    assert.match(text, /09:05/);
    assert.doesNotMatch(text, /Nov/);
  });

  it("has its date when it is not", () => {
    assert.match(formatMoment(new Date(2026, 10, 22, 9, 5).getTime(), today), /Nov 22|22 Nov/);
  });
});

describe("a day in words", () => {
  it("has its weekday in the long form alone", () => {
    document.documentElement.lang = "en-CA";
    assert.match(formatDay("2026-11-23"), /Monday, November 23/);
    assert.doesNotMatch(formatDay("2026-11-23", "short"), /Mon/);
    document.documentElement.lang = "fr";
    assert.equal(formatDay("2026-11-23", "long", "2026-12-01"), "lundi 23 novembre");
    document.documentElement.lang = "en";
  });

  it("has its year where that is another one", () => {
    assert.match(formatDay("2025-11-23", "short", "2026-01-02"), /2025/);
    assert.doesNotMatch(formatDay("2026-11-23", "short", "2026-01-02"), /2026/);
  });

  it("is written out in an answer that words show, and other texts are as they are", () => {
    assert.equal(describeDate("2026-11-29", "en"), "November 29, 2026");
    assert.equal(describeDate("2026-11-29", "fr"), "29 novembre 2026");
    assert.match(describeDate("2026-11-29T22:05:00.000", "fr"), /29 novembre 2026.*22:05/);
    for (const text of ["", "22:05", "2026", "2026-11-29 or so", "K7QM3RXDQ"])
      assert.equal(describeDate(text, "en"), text);
  });
});
