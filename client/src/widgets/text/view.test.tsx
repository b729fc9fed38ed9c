import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ask } from "../../../test/asked";

const row = { type: "text", name: "t", label: "What happened?" };

describe("a text", () => {
  it("is kept as it was typed", async () => {
    const { filled, shown } = await ask([row]);
    await shown.enter("input", " as typed ");
    assert.equal(filled.read("t"), " as typed ");
  });

  it("has lines where the form wants them", async () => {
    const { filled, shown } = await ask([{ ...row, appearance: "multiline" }]);
    await shown.enter("textarea", "one\ntwo");
    assert.equal(filled.read("t"), "one\ntwo");
  });

  it("asks for digits, or is covered, where the form wants that", async () => {
    const { shown } = await ask([{ ...row, appearance: "numbers masked" }]);
    assert.equal(shown.find("input").getAttribute("inputmode"), "numeric");
    assert.equal(shown.find("input").className, "masked");
  });

  it("is a card where the form asks for one", async () => {
    const { shown } = await ask([{ ...row, appearance: "card-code" }]);
    assert.equal(shown.find("input").getAttribute("maxlength"), "10");
  });

  it("is a square of the map where the form asks for one, and cannot be typed", async () => {
    const { shown } = await ask([{ ...row, appearance: "area-cell", required: true }]);
    assert.equal(shown.has("input"), false);
    assert.match(shown.text, /Filled by “Use my place”/);
  });

  it("is not asked for a square that is neither filled nor needed", async () => {
    const { shown } = await ask([{ ...row, appearance: "area-cell" }]);
    assert.equal(shown.text, "");
  });
});

describe("a note of one's own", () => {
  const note = { ...row, privacy: "free-text" };

  it("is let alone while it points to nobody", async () => {
    const { shown } = await ask([note]);
    await shown.enter("input", "we talked about work");
    assert.equal(shown.has(".state.wait"), false);
  });

  it("is warned about when it seems to hold a phone number, and no longer once that is out", async () => {
    const { shown } = await ask([note]);
    await shown.enter("input", "call 416-555-0199");
    assert.match(shown.find(".state.wait").textContent!, /a phone number/);
    await shown.enter("input", "call later");
    assert.equal(shown.has(".state.wait"), false);
  });

  it("is not warned about where it is no free text", async () => {
    const { shown } = await ask([row]);
    await shown.enter("input", "call 416-555-0199");
    assert.equal(shown.has(".state.wait"), false);
  });
});
