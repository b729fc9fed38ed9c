import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ask } from "../../test/asked";

const AGE = { type: "integer", name: "age", label: "How old?" };

describe("a question", () => {
  it("is a label tied to its field", async () => {
    const { shown } = await ask([AGE]);
    const label = shown.find<HTMLLabelElement>("label");
    assert.equal(shown.texts("label span")[0], "How old?");
    assert.equal(label.getAttribute("for"), shown.find("input").id);
    assert.equal(shown.find("input").id, "q-age");
  });

  it("says that it is optional, unless it is required", async () => {
    assert.match((await ask([AGE])).shown.text, /optional/);
    assert.doesNotMatch((await ask([{ ...AGE, required: true }])).shown.text, /optional/);
  });

  it("has a fieldset and its legend around several fields", async () => {
    const choices = { pets: ["cat", "dog"] };
    const row = { type: "select_one", name: "pet", label: "Which pet?", choices: "pets" };
    const { shown } = await ask([row], { choices });
    assert.equal(shown.texts("fieldset legend span")[0], "Which pet?");
    assert.equal(shown.has("label.legend"), false);
  });

  it("reads its hint out with the field, and folds more help away", async () => {
    const { shown } = await ask([{ ...AGE, hint: "In years", guidance: "Ask again if unsure" }]);
    assert.equal(shown.find("#q-age-hint").textContent, "In years");
    assert.equal(shown.find("input").getAttribute("aria-describedby"), "q-age-hint");
    assert.equal(shown.find("details p").textContent, "Ask again if unsure");
  });

  it("keeps quiet about a problem until it is asked to show it", async () => {
    const rows = [{ ...AGE, required: true as const }];
    const quiet = (await ask(rows)).shown;
    assert.equal(quiet.has(".error"), false);
    assert.equal(quiet.find("input").getAttribute("aria-invalid"), null);
    const loud = (await ask(rows, { problems: ["age"] })).shown;
    assert.equal(loud.find("#q-age-error").textContent, "An answer is needed.");
    assert.equal(loud.find("input").getAttribute("aria-describedby"), "q-age-error");
    assert.equal(loud.find("input").getAttribute("aria-invalid"), "true");
  });

  it("takes back what it said once the answer is right", async () => {
    const { shown } = await ask([{ ...AGE, required: true }], { problems: ["age"] });
    await shown.enter("input", "7");
    assert.equal(shown.has(".error"), false);
  });

  it("shows an answer that is computed, and offers nothing to change it with", async () => {
    const rows = [
      AGE,
      { type: "integer", name: "next", label: "Next year", calculate: "${age} + 1" },
    ];
    const { shown } = await ask(rows);
    assert.equal(shown.find("output#q-next").textContent, "–");
    await shown.enter("input", "41");
    assert.equal(shown.find("output#q-next").textContent, "42");
    assert.equal(shown.all("input").length, 1);
  });

  it("shows an answer that may not be changed by the words of its choice", async () => {
    const rows = [
      { type: "select_multiple", name: "pets", label: "Pets", choices: "pets", readonly: "true()" },
    ];
    const { filled, shown } = await ask(rows, { choices: { pets: ["cat", "dog"] } });
    filled.answer("pets", "cat dog");
    const again = await ask(rows, {
      choices: { pets: ["cat", "dog"] },
      remembered: { "/data/pets": "cat dog" },
    });
    assert.equal(again.shown.find("output").textContent, "CAT, DOG");
    assert.equal(shown.has("fieldset"), false);
  });

  it("marks words that are not in the worker's language, for readers and screen readers", async () => {
    const row = { ...AGE, label: { en: "How old?" } };
    const { shown } = await ask([row], { language: "fr" });
    assert.equal(shown.find("label span").getAttribute("lang"), "en");
    assert.equal(shown.texts("label .tag")[0], "English");
  });

  it("comes and goes with its condition", async () => {
    const rows = [AGE, { type: "text", name: "school", label: "School", relevant: "${age} < 18" }];
    const { shown } = await ask(rows);
    assert.equal(shown.has("#q-school"), false);
    await shown.enter("#q-age", "12");
    assert.equal(shown.has("#q-school"), true);
    await shown.enter("#q-age", "21");
    assert.equal(shown.has("#q-school"), false);
  });

  it("is not drawn again when another one changes that it does not read", async () => {
    const rows = [AGE, { type: "text", name: "school", label: "School" }];
    const { shown, redrawn } = await ask(rows);
    await shown.enter("#q-age", "12");
    assert.equal(redrawn(), 1);
  });
});

describe("a note", () => {
  it("is words and asks nothing", async () => {
    const { shown } = await ask([
      { type: "note", name: "n", label: "Thank them.", hint: "Really" },
    ]);
    assert.equal(shown.find("p.note-text").textContent, "Thank them. Really");
    assert.equal(shown.has("input, label, fieldset"), false);
  });

  it("has the answers in its words", async () => {
    const rows = [AGE, { type: "note", name: "n", label: "You said ${age}." }];
    const { shown } = await ask(rows);
    await shown.enter("input", "30");
    assert.equal(shown.find("#q-n").textContent, "You said 30.");
  });
});

describe("rows that hold answers and ask nothing", () => {
  for (const type of ["calculate", "hidden", "metadata"]) {
    it(`do not show: ${type}`, async () => {
      const { shown } = await ask([{ type, name: "x", label: "Never seen" }]);
      assert.equal(shown.text, "");
    });
  }

  it("do not show when the phone does not know their type", async () => {
    const { shown } = await ask([{ type: "toString", name: "x", label: "Never seen" }]);
    assert.equal(shown.text, "");
  });
});
