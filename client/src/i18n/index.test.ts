import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { setGlobal } from "../../test/browser";
// By other names: what is said by their own is collected for translation.
import {
  currentLanguage,
  directionOf,
  LANGUAGES,
  loadLaterWords,
  nameOfLanguage,
  nt as sayNumber,
  setLanguage,
  t as say,
} from "./index";

beforeEach(() => {
  setGlobal("document", { documentElement: { lang: "" } });
});

const langOfPage = (): string => document.documentElement.lang;

describe("words of pieces that are loaded later", () => {
  it("come with the first of them, and with another language after that", async () => {
    await setLanguage("fr");
    assert.equal(say("Hand over"), "Hand over");
    await loadLaterWords();
    assert.notEqual(say("Hand over"), "Hand over");
    await setLanguage("en");
    assert.equal(say("Hand over"), "Hand over");
    await setLanguage("fr");
    assert.notEqual(say("Hand over"), "Hand over");
  });
});

describe("a language", () => {
  it("that there is not is English", async () => {
    await setLanguage("tlh");
    assert.equal(currentLanguage(), "en");
    assert.equal(say("Today"), "Today");
  });

  it("is told to the browser, for reading aloud", async () => {
    await setLanguage("fr");
    assert.deepEqual([currentLanguage(), langOfPage()], ["fr", "fr"]);
    await setLanguage("en");
    assert.deepEqual([currentLanguage(), langOfPage()], ["en", "en"]);
  });

  it("can be chosen by its own name", () => {
    assert.deepEqual(LANGUAGES, { en: "English", fr: "Français" });
    assert.equal(nameOfLanguage("fr"), "français");
    assert.equal(nameOfLanguage("not a code"), "not a code");
  });

  it("is written from its own side", () => {
    for (const code of ["ar", "fa-IR", "ur", "he"]) assert.equal(directionOf(code), "rtl", code);
    for (const code of ["en", "fr-CA", "so", "ta"]) assert.equal(directionOf(code), "ltr", code);
  });
});

describe("sentences", () => {
  it("that have no translation are said in English", async () => {
    await setLanguage("fr");
    const sentence = "A sentence that no catalogue has";
    assert.equal(say(sentence), sentence);
  });

  it("are translated", async () => {
    await setLanguage("fr");
    assert.equal(say("Today"), "Aujourd’hui");
    await setLanguage("en");
    assert.equal(say("Today"), "Today");
  });

  it("take values in their places, and leave what is not known", async () => {
    await setLanguage("en");
    const sentence = "{n} of {all}, {n} again, {other}";
    assert.equal(say(sentence, { n: 2, all: "three" }), "2 of three, 2 again, {other}");
    assert.equal(say("{n}", { n: 0 }), "0");
  });
});

describe("sentences with a number", () => {
  const ONE = "{n} thing of no catalogue";
  const MANY = "{n} things of no catalogue";

  it("are singular for one in English, and for nothing else", async () => {
    await setLanguage("en");
    assert.equal(sayNumber(ONE, MANY, 1), "1 thing of no catalogue");
    for (const n of [0, 2, 1.5, 11])
      assert.equal(sayNumber(ONE, MANY, n), `${n} things of no catalogue`);
  });

  it("are singular below two in French", async () => {
    await setLanguage("fr");
    for (const n of [0, 1, 1.5])
      assert.equal(sayNumber(ONE, MANY, n), `${n} thing of no catalogue`);
    assert.equal(sayNumber(ONE, MANY, 2), "2 things of no catalogue");
  });
});
