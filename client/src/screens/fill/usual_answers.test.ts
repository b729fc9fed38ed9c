import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { makeForm } from "../../../test/forms";
import { countUsual } from "./usual_answers";

const definition = makeForm([
  {
    type: "select_multiple",
    name: "topics",
    choices: "l",
    appearance: "columns-pack likely-first",
  },
  { type: "select_one", name: "risk", choices: "l" },
]);

describe("what a worker usually answers", () => {
  it("is counted for questions that ask for it, and for no other", () => {
    const usual = countUsual(definition, { topics: "a b", risk: "c" });
    assert.deepEqual(usual, { "/data/topics": { a: 1, b: 1 } });
  });

  it("adds up, and an answer that is left out changes nothing", () => {
    const usual = countUsual(definition, {}, { "/data/topics": { a: 1 } });
    assert.deepEqual(countUsual(definition, { topics: "a" }, usual), { "/data/topics": { a: 2 } });
  });

  it("forgets slowly what is not picked any more", () => {
    const usual = countUsual(definition, { topics: "a" }, { "/data/topics": { a: 40, b: 3 } });
    assert.deepEqual(usual, { "/data/topics": { a: 20, b: 1 } });
  });
});
