import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { Filled } from "../../test/forms";
import "../../test/page";
import { setLanguage } from "../i18n";
import { describeProblem } from "./problem_words";
import { findQuestionType, QUESTION_TYPES } from "./registry";

// Written by hand: what a worker can be asked. A type that is added stands here too.
const ASKED = [
  "acknowledge",
  "audio",
  "barcode",
  "date",
  "dateTime",
  "decimal",
  "file",
  "geopoint",
  "image",
  "integer",
  "range",
  "rank",
  "select_multiple",
  "select_one",
  "text",
  "time",
];

const widgets = new URL("../../../src/widgets/", import.meta.url);

describe("the register of types", () => {
  it("has every type that can be asked", () => {
    assert.deepEqual(Object.keys(QUESTION_TYPES).sort(), ASKED);
  });

  it("knows no type by a name that every object has", () => {
    for (const name of ["constructor", "toString", "note", ""]) {
      assert.equal(findQuestionType(name), undefined);
    }
  });

  it("has a line for every folder that exports a type", () => {
    const register = readFileSync(new URL("registry.ts", widgets), "utf8");
    const folders = readdirSync(widgets, { withFileTypes: true }).filter((each) =>
      each.isDirectory(),
    );
    assert.ok(folders.length > 10);
    for (const { name } of folders) {
      const view = readFileSync(new URL(`${name}/view.tsx`, widgets), "utf8");
      const isType = /: QuestionType\b/.test(view);
      assert.equal(register.includes(`"./${name}/view"`), isType, name);
    }
  });
});

describe("the words of a problem", () => {
  const problem = (type: string, code: "type" | "required" | "constraint", message = "") => {
    const filled = new Filled([{ type, name: "q" }]);
    return describeProblem({ code, message }, filled.at("q"), filled.form);
  };

  it("are the form's own where it has some", () => {
    assert.equal(problem("integer", "constraint", "Nobody is that old."), "Nobody is that old.");
  });

  it("say that an answer is missing or not allowed", () => {
    assert.equal(problem("integer", "required"), "An answer is needed.");
    assert.equal(problem("integer", "constraint"), "This answer is not allowed.");
  });

  it("say what an answer of the type looks like", () => {
    assert.equal(problem("integer", "type"), "Give a whole number.");
    assert.equal(problem("decimal", "type"), "Give a number.");
    assert.equal(problem("range", "type"), "Give a number on the scale.");
    assert.equal(problem("date", "type"), "Choose a day.");
    assert.equal(problem("time", "type"), "Choose a time.");
    assert.equal(problem("dateTime", "type"), "Choose a day and a time.");
    assert.equal(problem("rank", "type"), "Put every choice in order.");
    assert.equal(problem("image", "type"), "Take a picture of 150 KB at most.");
    assert.equal(problem("text", "type"), "This answer is not allowed.");
  });

  it("are said in the language of the app at that moment", async () => {
    const english = QUESTION_TYPES.integer.describeMistyped();
    await setLanguage("fr");
    const french = QUESTION_TYPES.integer.describeMistyped();
    await setLanguage("en");
    assert.notEqual(french, english);
  });
});
