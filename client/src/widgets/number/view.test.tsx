import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ask } from "../../../test/asked";

describe("a whole number", () => {
  const row = { type: "integer", name: "n", label: "People" };

  it("is typed, and is what was typed", async () => {
    const { filled, shown } = await ask([row]);
    await shown.enter("input", " 12 ");
    assert.equal(filled.read("n"), "12");
  });

  it("goes up and down by its buttons, never below zero", async () => {
    const { filled, shown } = await ask([row]);
    await shown.click("More: People");
    await shown.click("More: People");
    assert.equal(filled.read("n"), "2");
    for (let tap = 0; tap < 4; tap++) await shown.click("Fewer: People");
    assert.equal(filled.read("n"), "0");
  });

  it("starts to count from what was typed, or from nothing where that is no number", async () => {
    const { filled, shown } = await ask([row]);
    await shown.enter("input", "41");
    await shown.click("More: People");
    assert.equal(filled.read("n"), "42");
    await shown.enter("input", "many");
    await shown.click("More: People");
    assert.equal(filled.read("n"), "1");
  });

  it("asks for a keyboard of digits", async () => {
    const { shown } = await ask([row]);
    assert.equal(shown.find("input").getAttribute("inputmode"), "numeric");
  });
});

describe("a number with decimals", () => {
  const row = { type: "decimal", name: "n", label: "Kilometres" };

  it("takes a comma for a point, as people in French write", async () => {
    const { filled, shown } = await ask([row]);
    await shown.enter("input", "2,5");
    assert.equal(filled.read("n"), "2.5");
    assert.deepEqual(filled.problems(), []);
  });

  it("has no buttons to count with", async () => {
    const { shown } = await ask([row]);
    assert.equal(shown.has("button"), false);
  });

  it("is covered where the form wants that", async () => {
    const { shown } = await ask([{ ...row, appearance: "masked" }]);
    assert.equal(shown.find("input").className, "masked");
  });
});
