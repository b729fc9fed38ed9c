import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ask } from "../../../test/asked";

const askScale = (start: string, end: string, step: string) =>
  ask([{ type: "range", name: "r", label: "Trust", parameters: { start, end, step } }]);

describe("a scale", () => {
  it("has no answer until it is touched", async () => {
    const { filled, shown } = await askScale("1", "5", "1");
    assert.equal(filled.read("r"), "");
    assert.equal(shown.find("output").textContent, "–");
    assert.equal(shown.find("input").getAttribute("aria-valuetext"), "No answer yet");
    assert.equal(shown.find("input").className, "unset");
  });

  it("goes by its steps and stays within its ends", async () => {
    const { filled, shown } = await askScale("1", "5", "2");
    await shown.click("More: Trust");
    assert.equal(filled.read("r"), "1");
    for (let tap = 0; tap < 4; tap++) await shown.click("More: Trust");
    assert.equal(filled.read("r"), "5");
    for (let tap = 0; tap < 4; tap++) await shown.click("Fewer: Trust");
    assert.equal(filled.read("r"), "1");
  });

  it("writes decimals as the form has them", async () => {
    const { filled, shown } = await askScale("0", "1", "0.1");
    for (let tap = 0; tap < 4; tap++) await shown.click("More: Trust");
    assert.equal(filled.read("r"), "0.3");
    assert.deepEqual(filled.problems(), []);
  });

  it("is drawn from the right where it counts down", async () => {
    const { filled, shown } = await askScale("5", "1", "1");
    assert.equal(shown.find(".range").getAttribute("dir"), "rtl");
    await shown.click("More: Trust");
    assert.equal(filled.read("r"), "5");
  });

  it("is moved by the slider, too", async () => {
    const { filled, shown } = await askScale("0", "10", "1");
    await shown.enter("input[type=range]", "7");
    assert.equal(filled.read("r"), "7");
    assert.equal(shown.find("output").textContent, "7");
  });
});
