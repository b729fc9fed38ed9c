import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ask } from "../../../test/asked";

const askOrder = () =>
  ask([{ type: "rank", name: "r", label: "Needs", choices: "needs" }], {
    choices: { needs: ["food", "home", "work"] },
  });

describe("an order", () => {
  it("is no answer until something was moved or confirmed", async () => {
    const { filled, shown } = await askOrder();
    assert.equal(filled.read("r"), "");
    assert.doesNotMatch(shown.text, /1\. /);
    await shown.click("This order is right");
    assert.equal(filled.read("r"), "food home work");
    assert.deepEqual(shown.texts("li > span:first-child"), ["1. FOOD", "2. HOME", "3. WORK"]);
  });

  it("changes by one place a tap", async () => {
    const { filled, shown } = await askOrder();
    await shown.click("Up: WORK");
    assert.equal(filled.read("r"), "food work home");
    await shown.click("Down: FOOD");
    assert.equal(filled.read("r"), "work food home");
  });

  it("goes no further than its ends", async () => {
    const { shown } = await askOrder();
    const isOff = (name: string): boolean => shown.button(name).disabled;
    assert.equal(isOff("Up: FOOD"), true);
    assert.equal(isOff("Down: WORK"), true);
    assert.equal(isOff("Up: HOME"), false);
  });
});
