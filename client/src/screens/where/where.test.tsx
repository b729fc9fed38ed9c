import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { until } from "../../../test/page";
import { openScreen } from "../../../test/screen";
import { makeSpots } from "../../../test/spots";
import { saveMaps } from "../../storage/maps";
import { Where } from "./where";

const open = (week: object | null, month: object | null) =>
  openScreen(<Where />, {
    arrange: (vault) => saveMaps(vault, "1", { maps: { week, month }, viewer: "W-01" }),
  });

describe("where and when to go, on the phone", () => {
  it("says so when no map has come yet", async () => {
    const { shown } = await openScreen(<Where />);
    await until(() => shown.text.includes("No map on this phone yet"));
  });

  it("shows the last four weeks, and how it was rounded", async () => {
    const { shown } = await open(makeSpots(), null);
    await until(() => shown.has(".go li"));
    assert.match(shown.text, /Up to Sunday, November 22\. Rounded to 5; numbers under 10/);
    assert.equal(shown.texts(".go li")[0], "Rexdale: Monday, 8:00–12:00 (5)");
  });

  it("shows twelve weeks on request, or says that there is no such map", async () => {
    const { shown } = await open(makeSpots(), null);
    await until(() => shown.has(".go li"));
    await shown.click("Twelve weeks");
    assert.match(shown.text, /Your centre has not built this map yet/);
    assert.equal(shown.has(".go li"), false);
    await shown.click("Four weeks");
    await until(() => shown.has(".go li"));
  });
});
