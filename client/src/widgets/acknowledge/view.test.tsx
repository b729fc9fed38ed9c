import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ask } from "../../../test/asked";

describe("an acknowledgement", () => {
  it("is OK while it is ticked, and no answer else", async () => {
    const { filled, shown } = await ask([
      { type: "acknowledge", name: "a", label: "Rules", required: true },
    ]);
    assert.deepEqual(filled.problems(), ["a required"]);
    await shown.click("input");
    assert.equal(filled.read("a"), "OK");
    assert.deepEqual(filled.problems(), []);
    await shown.click("input");
    assert.equal(filled.read("a"), "");
  });
});
