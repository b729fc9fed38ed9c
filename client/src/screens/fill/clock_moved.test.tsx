import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { makeForm } from "../../../test/forms";
import { openScreen } from "../../../test/screen";
import { until } from "../../../test/page";
import { listDrafts } from "../../storage/drafts";
import { Start } from "../new_record/start";
import { measureMove } from "./clock_moved";

const zone = process.env["TZ"];
before(() => void (process.env["TZ"] = "America/Toronto"));
after(() => {
  if (zone === undefined) delete process.env["TZ"];
  else process.env["TZ"] = zone;
});

const LATER = Date.parse("2026-12-01T12:00:00Z");

describe("the length of a shift", () => {
  it("is what the clock shows on every other night", () => {
    assert.equal(measureMove("2026-06-01T22:00", "2026-06-02T06:00", "", LATER), 0);
    assert.equal(measureMove("", "2026-06-02T06:00", "", LATER), 0);
    assert.equal(measureMove("2026-06-01T22:00", "", "", LATER), 0);
  });

  it("is an hour more in the night in which the clock goes back, an hour less in the other", () => {
    assert.equal(measureMove("2026-10-31T22:00", "2026-11-01T06:00:00.000", "", LATER), -60);
    assert.equal(measureMove("2026-03-07T22:00", "2026-03-08T06:00", "", LATER), 60);
  });

  it("is known in the hour that comes twice, from when it was started and what time it is", () => {
    const shift = "2026-11-01T01:40:10.000-04:00";
    const start = "2026-11-01T01:40:10.000";
    assert.equal(measureMove(start, "2026-11-01T01:20:00.000", shift, LATER), -60); // 40 minutes
    const second = Date.parse("2026-11-01T01:50:00-05:00");
    assert.equal(measureMove(start, "2026-11-01T01:50:00.000", shift, second), -60); // 70 minutes
    const first = Date.parse("2026-11-01T01:50:00-04:00");
    assert.equal(measureMove(start, "2026-11-01T01:50:00.000", shift, first), 0); // 10 minutes
    const again = "2026-11-01T01:10:00.000-05:00"; // started in the second of the two hours
    assert.equal(measureMove(again.slice(0, 23), "2026-11-01T03:00", again, LATER), 0);
  });

  it("is said by the phone in a form that asks for it, and again when a time is changed", async () => {
    const rows = [
      { type: "dateTime", name: "from", label: "From" },
      { type: "dateTime", name: "to", label: "To" },
      { type: "hidden", name: "put_on" },
    ];
    const summary = {
      shift_start: "/data/from",
      shift_end: "/data/to",
      clock_moved: "/data/put_on",
    };
    const form = makeForm(rows, { id: "shift", role: "shift", summary });
    const { shown, app } = await openScreen(<Start id="shift" about="" due="" />, {
      forms: [form],
    });
    const readMove = async (): Promise<unknown> =>
      (await listDrafts(app.vault))[0]?.answers["put_on"];
    await shown.enter("#q-from", "2026-10-31T22:00");
    await shown.enter("#q-to", "2026-11-01T06:00");
    await until(async () => (await readMove()) === "-60");
    await shown.enter("#q-from", "2026-10-30T22:00");
    await shown.enter("#q-to", "2026-10-31T06:00");
    await until(async () => (await readMove()) === undefined);
  });
});

describe("the length of a shift whose times say their offsets", () => {
  it("is what lies between them", () => {
    const first = "2026-11-01T01:50:00.000-04:00";
    const second = "2026-11-01T01:10:00.000-05:00";
    assert.equal(measureMove(first, second, "", LATER), -60); // 20 minutes
    assert.equal(measureMove(first, "2026-11-01T01:55:00.000-04:00", "", LATER), 0);
    assert.equal(measureMove("2026-10-31T22:00", second, "", LATER), -60);
  });
});
