import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Filled, type Row } from "../../../test/forms";
import {
  chooseLanguage,
  findFirstPage,
  findPlace,
  listPages,
  listProblemPlaces,
  listSpoken,
} from "./form_pages";

const text = (name: string, more: Partial<Row> = {}): Row => ({ type: "text", name, ...more });
const ROWS: Row[] = [
  { type: "group", name: "who", label: { en: "Who", fr: "Qui" }, rows: [text("name")] },
  { type: "calculate", name: "sum", calculate: "1 + 1" },
  { type: "repeat", name: "visits", label: "Visits", rows: [text("place", { required: true })] },
  { type: "group", name: "more", label: "More", relevant: "${name} = 'Ann'", rows: [text("why")] },
  text("note", { label: "Note" }),
];
const fill = (style = "pages") => new Filled(ROWS, null, { style });

describe("the pages of a form", () => {
  const labels = ({ form }: Filled, language = "en") =>
    listPages(form, language).map(({ label }) => label);

  it("are its groups, repeats and questions at the top, with nothing that is only computed", () => {
    assert.deepEqual(labels(fill()), ["Who", "Visits", "Note"]);
  });

  it("come and go with their conditions", () => {
    const filled = fill().answer("who/name", "Ann");
    assert.deepEqual(labels(filled), ["Who", "Visits", "More", "Note"]);
    filled.answer("who/name", "Ben");
    assert.deepEqual(labels(filled), ["Who", "Visits", "Note"]);
  });

  it("have their titles in the language of the questions", () => {
    assert.equal(labels(fill(), "fr")[0], "Qui");
  });

  it("are one where the form is on one page, or nothing of it applies", () => {
    assert.equal(listPages(fill("").form, "en").length, 1);
    const nothing = new Filled([text("x", { relevant: "false()" })], null, { style: "pages" });
    assert.equal(listPages(nothing.form, "en").length, 1);
  });

  it("name the places of their questions", () => {
    assert.deepEqual(listPages(fill().form, "en").map(findPlace), ["who", "visits", "note"]);
    assert.equal(findPlace(listPages(fill("").form, "en")[0]!), "");
  });
});

describe("what is wrong on a page", () => {
  it("is found in each instance of a repeat, in order", () => {
    const filled = fill();
    for (const _ of [1, 2, 3]) filled.add("visits");
    filled.answer("visits/1/place", "park");
    const [, visits] = listPages(filled.form, "en");
    assert.deepEqual(listProblemPlaces(filled.form, visits!, "en"), [
      "visits[1].place",
      "visits[3].place",
    ]);
  });

  it("is not what is wrong on another", () => {
    const filled = fill();
    filled.add("visits");
    const [who, , note] = listPages(filled.form, "en");
    assert.deepEqual(listProblemPlaces(filled.form, who!, "en"), []);
    assert.deepEqual(listProblemPlaces(filled.form, note!, "en"), []);
  });
});

describe("the language of the questions", () => {
  it("is the app's where the form has it, else the form's first", () => {
    assert.equal(chooseLanguage(["en", "fr"], "fr"), "fr");
    assert.equal(chooseLanguage(["ta", "en"], "fr"), "ta");
    assert.equal(chooseLanguage([], "fr"), "en");
  });
});

describe("the languages that a form is offered in", () => {
  it("are those of most of its questions, not those of a few words", () => {
    const label = { en: "How?", fr: "Comment?" };
    const rows = [
      text("a", { label }),
      text("b", { label: { ...label, ar: "كيف؟" } }),
      text("c", { label }),
    ];
    const { definition } = new Filled(rows, null, { languages: ["en", "fr", "ar"] }).form;
    assert.deepEqual(listSpoken(definition), ["en", "fr"]);
  });
});

describe("the page on which a form begins", () => {
  const rows: Row[] = [
    { type: "group", name: "what", rows: [text("kind", { required: true })] },
    { type: "group", name: "who", rows: [text("with", { default: "card" }), text("card")] },
    { type: "group", name: "talk", rows: [text("topic")] },
  ];
  const firstOf = (remembered: Record<string, string>): number => {
    const summary = { person: "/data/who/card" };
    const { form } = new Filled(rows, null, { style: "pages", remembered, summary });
    return findFirstPage(form, listPages(form, "en"));
  };

  it("is the first on which something is missing", () => {
    assert.equal(firstOf({}), 0);
    assert.equal(firstOf({ "/data/talk/topic": "school" }), 0);
  });

  it("is where the person is asked for, or where nothing is filled in yet", () => {
    assert.equal(firstOf({ "/data/what/kind": "visit" }), 1);
    assert.equal(firstOf({ "/data/what/kind": "visit", "/data/who/card": "1" }), 2);
  });

  it("is the last where all is filled in", () => {
    const all = { "/data/what/kind": "visit", "/data/who/card": "1", "/data/talk/topic": "x" };
    assert.equal(firstOf(all), 2);
  });
});
