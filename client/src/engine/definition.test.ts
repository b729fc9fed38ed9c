import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inLanguage, languageOf } from "./definition";

describe("words in a language", () => {
  const words = { en: "Hello", fr: "Bonjour", so: "" };

  it("are none where there are none", () => {
    assert.equal(inLanguage(undefined, "en"), "");
    assert.equal(inLanguage({}, "en"), "");
    assert.equal(inLanguage({ en: "" }, "en"), "");
  });

  it("are those of the language", () => {
    assert.equal(inLanguage(words, "fr"), "Bonjour");
    assert.equal(languageOf(words, "fr"), "fr");
  });

  it("are those of another where the language has none", () => {
    assert.equal(inLanguage(words, "so"), "Hello");
    assert.equal(inLanguage(words, "ta"), "Hello");
    assert.equal(inLanguage({ en: "", fr: "Bonjour" }, "en"), "Bonjour");
  });

  it("say which language they are in", () => {
    assert.equal(languageOf(words, "so"), "en");
    assert.equal(languageOf({ en: "", fr: "Bonjour" }, "en"), "fr");
    assert.equal(languageOf({}, "ta"), "ta");
    assert.equal(languageOf(undefined, "ta"), "ta");
  });

  it("may be pieces with answers between them", () => {
    const pieces = ["Hello ", ["s", "x"] as ["s", string]];
    assert.equal(inLanguage({ en: pieces }, "fr"), pieces);
    assert.equal(languageOf({ en: pieces }, "fr"), "en");
  });
});
