import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ask } from "../../../test/asked";

const row = {
  type: "note",
  name: "c",
  label: { en: "May we write this down?", fr: "Pouvons-nous le noter?", ar: "هل" },
  appearance: "consent-card",
};

describe("words to say or show", () => {
  it("are in the worker's language first", async () => {
    assert.equal((await ask([row])).shown.texts("blockquote")[0], "May we write this down?");
    const french = await ask([row], { language: "fr" });
    assert.equal(french.shown.texts("blockquote")[0], "Pouvons-nous le noter?");
  });

  it("can be shown in every language that the form has, with its direction", async () => {
    const { shown } = await ask([row]);
    assert.equal(shown.all("option").length, 3);
    await shown.enter("select", "ar");
    assert.equal(shown.find("blockquote").getAttribute("lang"), "ar");
    assert.equal(shown.find("blockquote").getAttribute("dir"), "rtl");
  });

  it("leave out a language without words", async () => {
    const { shown } = await ask([{ ...row, label: { en: "May we?", fr: "" } }]);
    assert.deepEqual(
      shown.all<HTMLOptionElement>("option").map((option) => option.value),
      ["en"],
    );
  });

  it("start with the form's own language where the worker's is missing", async () => {
    const { shown } = await ask([{ ...row, label: { ar: "هل" } }]);
    assert.equal(shown.find("blockquote").getAttribute("lang"), "ar");
  });
});
