import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Filled } from "../../../test/forms";
import { findMatches, isDropDown, putLikelyFirst, simplify, toggleChoice } from "./choices";

const optionsOf = (...names: string[]) => names.map((name) => ({ name, label: { en: name } }));

describe("choosing several", () => {
  const choices = optionsOf("a", "b", "c");

  it("keeps the order of the list, whatever was tapped first", () => {
    assert.equal(toggleChoice(choices, ["c"], "a", true), "a c");
    assert.equal(toggleChoice(choices, ["a", "c"], "b", true), "a b c");
  });

  it("takes one out, and changes nothing when it is not in", () => {
    assert.equal(toggleChoice(choices, ["a", "b"], "a", false), "b");
    assert.equal(toggleChoice(choices, ["a"], "b", false), "a");
    assert.equal(toggleChoice(choices, ["a"], "a", true), "a");
  });

  it("switches the others off for one that stands alone, and it for any other", () => {
    const none = { name: "none", label: {}, data: { app_role: "says_who stands_alone" } };
    const offered = [...choices, none, { ...none, name: "unknown" }];
    assert.equal(toggleChoice(offered, ["a", "b"], "none", true), "none");
    assert.equal(toggleChoice(offered, ["none"], "unknown", true), "unknown");
    assert.equal(toggleChoice(offered, ["none"], "b", true), "b");
    assert.equal(toggleChoice(offered, ["none"], "none", false), "");
  });

  it("forgets what the list no longer has", () => {
    assert.equal(toggleChoice(choices, ["gone", "a"], "b", true), "a b");
  });
});

describe("likely choices first", () => {
  it("puts what was picked most first, and leaves the rest in the order of the list", () => {
    const sorted = putLikelyFirst(optionsOf("a", "b", "c", "d"), { c: 2, d: 5 });
    assert.deepEqual(
      sorted.map(({ name }) => name),
      ["d", "c", "a", "b"],
    );
  });
});

describe("searching a list", () => {
  const choices = optionsOf("Élan", "Rexdale–Kipling", "Mount Olive", "Mount Dennis");
  const texts = choices.map(({ name }) => simplify(name));
  const search = (words: string) => findMatches(choices, texts, words).map(({ name }) => name);

  it("looks past accents and capitals", () => {
    assert.deepEqual(search("elan"), ["Élan"]);
    assert.deepEqual(search("ÉLAN"), ["Élan"]);
  });

  it("wants every word, in any order", () => {
    assert.deepEqual(search("mount"), ["Mount Olive", "Mount Dennis"]);
    assert.deepEqual(search("oliv mou"), ["Mount Olive"]);
    assert.deepEqual(search("mount rexdale"), []);
  });

  it("shows a short list before a word is typed, and nothing of a long one", () => {
    assert.equal(search("  ").length, 4);
    const many = optionsOf(..."abcdefghi".split(""));
    assert.deepEqual(findMatches(many, "abcdefghi".split(""), ""), []);
  });
});

describe("a list that drops down", () => {
  const isDrop = (type: string, appearance: string, count: number): boolean => {
    const names = Array.from({ length: count }, (_, at) => `c${at}`);
    const row = { type, name: "q", choices: "list", appearance };
    const filled = new Filled([row], null, { choices: { list: names } });
    return isDropDown(filled.form, filled.at("q"));
  };

  it("is for one of few, where the form asks for it", () => {
    assert.equal(isDrop("select_one", "minimal", 30), true);
    assert.equal(isDrop("select_one", "minimal", 31), false);
    assert.equal(isDrop("select_one", "", 3), false);
    assert.equal(isDrop("select_multiple", "minimal", 3), false);
  });
});
