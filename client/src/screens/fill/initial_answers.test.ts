import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { makeForm, type Row } from "../../../test/forms";
import { makeCardCode } from "../../engine/cards";
import { makeInitialAnswers } from "./initial_answers";
import { collectLastAnswers, hasReferral } from "./last_answers";

const CODE = makeCardCode(new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]));
const ROWS: Row[] = [
  { type: "select_one", name: "who", choices: "whos" },
  { type: "text", name: "card", relevant: "${who} = 'enrolled'" },
  { type: "select_one", name: "kind", choices: "kinds" },
];
const summary = { person: "/data/card", kind: "/data/kind" };
const choices = { whos: ["enrolled", "other"], kinds: ["visit", "call"] };
const form = makeForm(ROWS, { choices, summary });

describe("answers that a form begins with", () => {
  it("are the card and what makes its question apply", () => {
    assert.deepEqual(makeInitialAnswers(form, `${CODE}|`, ""), {
      "/data/card": CODE,
      "/data/who": "enrolled",
    });
  });

  it("take a code as it was typed", () => {
    const answers = makeInitialAnswers(form, CODE.toLowerCase(), "");
    assert.equal(answers["/data/card"], CODE);
  });

  it("are the kind of contact, where the form offers it", () => {
    assert.deepEqual(makeInitialAnswers(form, "|call", ""), { "/data/kind": "call" });
    assert.deepEqual(makeInitialAnswers(form, "|party", ""), {});
  });

  it("are both together", () => {
    assert.equal(Object.keys(makeInitialAnswers(form, `${CODE}|visit`, "")).length, 3);
  });

  it("are none for a code that is no card's, nor where the form does not ask", () => {
    assert.deepEqual(makeInitialAnswers(form, "NOBODY|", ""), {});
    assert.deepEqual(makeInitialAnswers(makeForm(ROWS, { choices }), `${CODE}|visit`, ""), {});
    assert.deepEqual(makeInitialAnswers(form, "", ""), {});
  });

  it("are the record that is followed up, where the form asks for it", () => {
    const followUp = makeForm([{ type: "hidden", name: "about" }], {
      summary: { follows: "/data/about" },
    });
    assert.deepEqual(makeInitialAnswers(followUp, "|", "rec/2026-11-30"), { "/data/about": "rec" });
    assert.deepEqual(makeInitialAnswers(followUp, "|", ""), {});
    assert.deepEqual(makeInitialAnswers(form, "|", "rec/2026-11-30"), {});
  });

  it("guess nothing from other conditions", () => {
    const others = ["${who} != 'enrolled'", "${who} = ${kind}", "true()", "'enrolled' = ${who}"];
    for (const relevant of others) {
      const rows = ROWS.map((row) => (row.name === "card" ? { ...row, relevant } : row));
      const answers = makeInitialAnswers(makeForm(rows, { choices, summary }), CODE, "");
      assert.deepEqual(answers, { "/data/card": CODE }, relevant);
    }
  });
});

describe("last answers", () => {
  const rows: Row[] = [
    { type: "text", name: "area", appearance: "last-used" },
    { type: "text", name: "note" },
    { type: "group", name: "g", rows: [{ type: "text", name: "role", appearance: "last-used" }] },
  ];
  const definition = makeForm(rows);

  it("are those of the questions that ask for them, in groups, too", () => {
    const answers = { area: "west", note: "private", g: { role: "peer" } };
    assert.deepEqual(collectLastAnswers(definition, answers), {
      "/data/area": "west",
      "/data/area#recent": "west",
      "/data/g/role": "peer",
      "/data/g/role#recent": "peer",
    });
  });

  it("are the last four, the newest first", () => {
    let last: Record<string, string> = {};
    for (const area of ["a", "b", "a", "c", "d", "e"])
      last = collectLastAnswers(definition, { area }, last);
    assert.equal(last["/data/area#recent"], "e d c a");
  });

  it("stay as before where a record leaves them out", () => {
    const before = { "/data/area": "east", "/data/g/role": "peer" };
    assert.deepEqual(collectLastAnswers(definition, { area: "west" }, before), {
      "/data/area": "west",
      "/data/area#recent": "west",
      "/data/g/role": "peer",
    });
    assert.equal(before["/data/area"], "east");
  });
});

describe("a referral in an encounter", () => {
  const rows = [
    {
      type: "group",
      name: "after",
      rows: [{ type: "select_one", name: "sent_on", choices: "answers" }],
    },
  ];
  const choices = { answers: ["no", { name: "oui", label: {}, data: { app_role: "yes" } }] };
  const asking = makeForm(rows, { choices, summary: { referral_made: "/data/after/sent_on" } });

  it("is found by the roles of the question and of its choices", () => {
    assert.equal(hasReferral(asking, { after: { sent_on: "oui" } }), true);
    assert.equal(hasReferral(asking, { after: { sent_on: "no" } }), false);
    assert.equal(hasReferral(asking, {}), false);
    assert.equal(hasReferral({ ...asking, summary: {} }, { after: { sent_on: "oui" } }), false);
  });
});
