import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { makeCalendar } from "./calendar_file";

describe("the calendar file", () => {
  const text = makeCalendar("07:30", "an-id", new Date(2026, 10, 5, 23, 59));

  it("rings every day at the hour, on the phone's own clock", () => {
    assert.match(text, /\r\nDTSTART:20261105T073000\r\n/);
    assert.match(text, /\r\nRRULE:FREQ=DAILY\r\n/);
    assert.match(
      text,
      /BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:fieldapp\r\nTRIGGER:PT0S\r\n/,
    );
  });

  it("says nothing but the app's name", () => {
    const spoken = text
      .split("\r\n")
      .filter((line) => /^(SUMMARY|DESCRIPTION|LOCATION)/.test(line));
    assert.deepEqual(spoken, ["SUMMARY:fieldapp", "DESCRIPTION:fieldapp"]);
  });

  it("ends each line as calendars want it, the last one too", () => {
    assert.ok(text.endsWith("END:VCALENDAR\r\n"));
    assert.doesNotMatch(text, /[^\r]\n/);
  });
});
