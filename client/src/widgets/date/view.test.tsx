import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ask } from "../../../test/asked";
import { DateValue } from "../../engine/values";
import { firstOfMonth, firstOfYear } from "./widget";

const dayFromToday = (days: number): string =>
  new DateValue(Math.floor(DateValue.ofClock(new Date()).days) + days).toString();

const askFor = (type: string, extras: object = {}) =>
  ask([{ type, name: "d", label: "When?", ...extras }]);

describe("a day", () => {
  it("is today or yesterday by one tap", async () => {
    const { filled, shown } = await askFor("date");
    assert.deepEqual(shown.texts(".choices span"), ["Today", "Yesterday"]);
    await shown.click(shown.all(".choices input")[1]!);
    assert.equal(filled.read("d"), dayFromToday(-1));
  });

  it("offers days to come where the form allows no other", async () => {
    const { shown } = await askFor("date", { constraint: `. > '${dayFromToday(0)}'` });
    assert.deepEqual(shown.texts(".choices span"), ["Tomorrow", "In a week"]);
  });

  it("offers none where the form allows none of them", async () => {
    const { shown } = await askFor("date", { constraint: ". < '2000-01-01'" });
    assert.equal(shown.find(".choices").hidden, true);
  });

  it("is chosen in the calendar", async () => {
    const { filled, shown } = await askFor("date");
    await shown.enter("input[type=date]", "2026-02-28");
    assert.equal(filled.read("d"), "2026-02-28");
  });
});

describe("a month", () => {
  it("is kept as the first of its days", async () => {
    const { filled, shown } = await askFor("date", { appearance: "month-year" });
    await shown.enter("input[type=month]", "2026-02");
    assert.equal(filled.read("d"), "2026-02-01");
    assert.equal(firstOfMonth(""), "");
  });
});

describe("a year", () => {
  it("is kept as the first of its days, once it is whole", async () => {
    const { filled, shown } = await askFor("date", { appearance: "year" });
    await shown.enter("input", "19");
    assert.equal(filled.read("d"), "19");
    assert.notDeepEqual(filled.problems(), []);
    await shown.enter("input", "1987");
    assert.equal(filled.read("d"), "1987-01-01");
    assert.deepEqual(filled.problems(), []);
  });

  it("is no year with letters or five digits", () => {
    assert.equal(firstOfYear("198x"), "198x");
    assert.equal(firstOfYear("19870"), "19870");
  });
});

describe("a time", () => {
  it("shows hours and minutes of what is stored", async () => {
    const { filled, shown } = await askFor("time");
    await shown.enter("input[type=time]", "23:15");
    assert.equal(filled.read("d"), "23:15");
    filled.answer("d", "08:30:00.000");
    await shown.enter("input[type=time]", "08:31");
    assert.equal(filled.read("d"), "08:31");
  });

  it("goes with its day in one field", async () => {
    const { filled, shown } = await askFor("dateTime");
    await shown.enter("input[type=datetime-local]", "2026-03-01T09:05");
    assert.equal(filled.read("d"), "2026-03-01T09:05");
    assert.equal(shown.has("fieldset"), false);
  });
});
