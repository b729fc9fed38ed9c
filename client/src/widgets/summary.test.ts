import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Filled, type Row } from "../../test/forms";
import { NO_HELP } from "./props";
import type { FormSession } from "./session";
import { readAnswer, summarizeInstance } from "./summary";

const choices = {
  places: [
    { name: "park", label: { en: "The park", fr: "Le parc" } },
    { name: "school", label: { en: "A school", fr: "Une école" } },
  ],
};

function sessionOf({ form }: Filled, language = "en"): FormSession {
  const nothing = (): void => undefined;
  const acts = { change: nothing, add: nothing, drop: nothing, watch: () => nothing };
  return { form, language, help: NO_HELP, shown: new Set(), sentBack: new Map(), ...acts };
}

describe("the summary of an instance", () => {
  const rows: Row[] = [
    { type: "text", name: "a", label: "A" },
    { type: "select_one", name: "b", label: "B", choices: "places" },
    { type: "text", name: "c", label: "C" },
    { type: "text", name: "d", label: "D" },
    { type: "calculate", name: "e", calculate: "'computed'" },
    { type: "text", name: "f", label: "F", relevant: "${a} = 'open'" },
  ];
  const summarize = (answers: Record<string, string>, language = "en"): string => {
    const filled = new Filled(rows, answers, { choices });
    return summarizeInstance(sessionOf(filled, language), filled.form.root);
  };

  it("is its first three answers", () => {
    assert.equal(summarize({ a: "1", c: "3", d: "4" }), "1 · 3 · 4");
    assert.equal(summarize({ a: "1", b: "park", c: "3", d: "4" }), "1 · The park · 3");
  });

  it("has choices in the worker's words", () => {
    assert.equal(summarize({ b: "school" }, "fr"), "Une école");
  });

  it("leaves out what is too long to be read at a glance", () => {
    assert.equal(summarize({ a: "x".repeat(200), c: "short" }), "short");
    assert.equal(summarize({ a: "x".repeat(199) }), "x".repeat(199));
  });

  it("leaves out what is computed and what does not apply", () => {
    assert.equal(summarize({ a: "shut", f: "hidden" }), "shut");
    assert.equal(summarize({ a: "open", f: "seen" }), "open · seen");
  });

  it("says so when there is nothing yet", () => {
    assert.equal(summarize({}), "Nothing answered yet.");
  });
});

describe("an answer as words", () => {
  const read = (type: string, text: string, list = true): string => {
    const row = { type, name: "q", ...(list ? { choices: "places" } : {}) };
    const filled = new Filled([row], { q: text }, { choices });
    return readAnswer(filled.form, filled.at("q"), "en");
  };

  it("has the words of each choice", () => {
    assert.equal(read("select_one", "park"), "The park");
    assert.equal(read("select_multiple", "park school"), "The park, A school");
  });

  it("keeps what is no choice as it is", () => {
    assert.equal(read("select_one", "elsewhere"), "elsewhere");
    assert.equal(read("text", "two words", false), "two words");
    assert.equal(read("text", "", false), "");
  });
});
