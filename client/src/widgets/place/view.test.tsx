import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ask } from "../../../test/asked";
import { installPage } from "../../../test/page";

function placeAt(fix: object | null): void {
  const getCurrentPosition = (done: (position: unknown) => void, failed: () => void) =>
    fix ? done({ coords: fix }) : failed();
  installPage({ geolocation: { getCurrentPosition } });
}

const row = { type: "geopoint", name: "p", label: "Place" };

describe("a place", () => {
  it("is taken on request, with its height and how sure it is", async () => {
    placeAt({ latitude: 43.6543217, longitude: -79.3860001, altitude: null, accuracy: 12.345 });
    const { filled, shown } = await ask([row]);
    assert.equal(filled.read("p"), "");
    await shown.click("Use this place");
    assert.equal(filled.read("p"), "43.654322 -79.386 0 12.345");
    assert.match(shown.text, /43\.654322, -79\.386 ± 12 m/);
    assert.deepEqual(filled.problems(), []);
  });

  it("can be forgotten", async () => {
    placeAt({ latitude: 1, longitude: 2, altitude: 3, accuracy: 4 });
    const { filled, shown } = await ask([row]);
    await shown.click("Use this place");
    await shown.click("Remove");
    assert.equal(filled.read("p"), "");
  });

  it("says what to do when the phone finds none", async () => {
    placeAt(null);
    const { shown } = await ask([row]);
    await shown.click("Use this place");
    assert.match(shown.find(".error").textContent!, /Go outside/);
  });
});
