import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { ask } from "../../../test/asked";
import { until } from "../../../test/page";
import { listMoments } from "./twice_shown";

const zone = process.env["TZ"];
before(() => void (process.env["TZ"] = "America/Toronto"));
after(() => {
  if (zone === undefined) delete process.env["TZ"];
  else process.env["TZ"] = zone;
});

const askMoment = () => ask([{ type: "dateTime", name: "at", label: "When?" }]);
const BACK = "2026-11-01T01:30";

describe("a time that the clock shows twice", () => {
  it("is each of two moments, an hour apart", () => {
    const [first, second] = listMoments(BACK);
    assert.deepEqual(
      [first![0], second![0]],
      ["2026-11-01T01:30:00.000-04:00", "2026-11-01T01:30:00.000-05:00"],
    );
    assert.equal(second![1] - first![1], 3_600_000);
  });

  it("is asked about, and kept with its offset", async () => {
    const { filled, shown } = await askMoment();
    await shown.enter("input[type=datetime-local]", BACK);
    await until(() => shown.all("input[type=radio]").length === 2);
    assert.match(shown.text, /showed this time twice/);
    await shown.click(shown.all("input[type=radio]")[1]!);
    assert.equal(filled.read("at"), "2026-11-01T01:30:00.000-05:00");
    assert.deepEqual(filled.problems(), []);
    assert.equal(shown.find<HTMLInputElement>("input").value, BACK);
    await shown.enter("input[type=datetime-local]", "2026-11-01T01:40"); // another time: asked anew
    assert.equal(filled.read("at"), "2026-11-01T01:40");
  });

  it("is no time of any other night, nor one that is not there yet", async () => {
    const { shown } = await askMoment();
    for (const text of ["", "2026-11-01T00:59", "2026-11-01T02:00", "2026-03-08T03:30"]) {
      await shown.enter("input[type=datetime-local]", text);
      assert.equal(shown.all("input[type=radio]").length, 0, text);
    }
  });
});
