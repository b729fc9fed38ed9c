import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Filled, makeForm, type Row } from "../../../test/forms";
import { show, until } from "../../../test/page";
import type { FormDefinition } from "../../engine/definition";
import { formatCardCode, makeCardCode } from "../../engine/cards";
import type { Json } from "../../engine/types";
import { NO_HELP } from "../../widgets/props";
import { OVERVIEW } from "../../storage/types";
import type { Keeper } from "./keeper";
import { listSections } from "./overview_lines";
import { Pages } from "./pages";

const CODE = makeCardCode(new Uint8Array(8).fill(3));
const group = (name: string, label: string, rows: Row[]): Row => ({
  type: "group",
  name,
  label,
  rows,
});
const ROWS = [
  group("when", "When", [
    { type: "date", name: "day", label: "Day", required: true, default: "2026-11-20" },
    { type: "text", name: "square", label: "Square" },
  ]),
  group("who", "Who", [
    { type: "select_one", name: "kind", label: "Kind", required: true, choices: "kinds" },
    {
      type: "text",
      name: "card",
      label: "Card",
      appearance: "card-code",
      relevant: "${kind} = 'enrolled'",
    },
  ]),
  group("more", "More", [{ type: "text", name: "note", label: "Note" }]),
];
const FORM = makeForm(ROWS, { style: "pages", choices: { kinds: ["enrolled", "other"] } });

const linesOf = (
  filled: Filled,
  presets: string[] = [],
  people: { code: string; label: string }[] = [],
) =>
  listSections(filled.form, "en", new Set(presets), people).flatMap(({ lines }) =>
    lines.map(({ label, answer, problem, isPreset }) => [label, answer, problem, isPreset]),
  );

describe("what is looked over", () => {
  it("is each answer in a line, what the phone filled in marked, and all that is missing", () => {
    const filled = new Filled(FORM);
    assert.deepEqual(linesOf(filled, ["when.day"]), [
      ["Day", "Friday, November 20", "", true],
      ["Kind", "", "An answer is needed.", false],
    ]);
  });

  it("has no question that is not relevant, and cards by their private name", () => {
    const filled = new Filled(FORM).answer("who/kind", "enrolled").answer("who/card", CODE);
    const people = [{ code: CODE, label: "red cap" }];
    const card = `${formatCardCode(CODE)} · red cap`;
    assert.equal(linesOf(filled, [], people).at(-1)?.[1], card);
    filled.answer("who/kind", "other");
    assert.deepEqual(
      linesOf(filled).map(([label]) => label),
      ["Day", "Kind"],
    );
  });

  it("shows after a no only what is kept", () => {
    const refused = makeForm(
      [
        { type: "text", name: "kind", label: "Kind" },
        { type: "text", name: "note", label: "Note" },
        { type: "text", name: "asked", label: "Asked" },
        { type: "integer", name: "tier", label: "Tier" },
      ],
      {
        summary: { tier: "/data/tier" },
        kept_after_no: ["/data/kind", "/data/asked", "/data/tier"],
      },
    );
    const answers = { kind: "visit", note: "about them", asked: "yes", tier: "0" };
    const labels = linesOf(new Filled(refused, answers)).map(([label]) => label);
    assert.deepEqual(labels, ["Kind", "Asked", "Tier"]);
  });

  it("says a month and a year where nothing more is asked", () => {
    const rows: Row[] = [
      { type: "date", name: "month", label: "Month", appearance: "month-year" },
      { type: "date", name: "year", label: "Year", appearance: "year" },
    ];
    const answers = { month: "2026-11-01", year: "1987-01-01" };
    const answered = linesOf(new Filled(makeForm(rows), answers)).map(([, answer]) => answer);
    assert.deepEqual(answered, ["November 2026", "1987"]);
  });

  it("says of pictures only that they are there, and nothing of what is masked", () => {
    const rows: Row[] = [
      { type: "image", name: "photo", label: "Photo" },
      { type: "text", name: "pin", label: "PIN", appearance: "masked" },
    ];
    const answers = { photo: "data:image/png;base64,AA", pin: "1234" };
    const answered = linesOf(new Filled(makeForm(rows), answers)).map(([, answer]) => answer);
    assert.deepEqual(answered, ["Attached", "•••"]);
  });
});

/** A keeper that notes what it is told. */
class Notes implements Keeper {
  finished: Json[] = [];
  pages: number[] = [];
  presets: string[] = [];
  hide = null;
  save = (page: number, _: Json, presets: string[]): Promise<void> => {
    this.pages.push(page);
    this.presets = presets;
    return Promise.resolve();
  };
  finish = (answers: Json): Promise<void> => Promise.resolve(void this.finished.push(answers));
  close = (): Promise<void> => Promise.resolve();
  discard = (): Promise<void> => Promise.resolve();
  exit = (): void => undefined;
}

async function fill(answers: Json | null, more: object = {}, definition: FormDefinition = FORM) {
  const notes = new Notes();
  const who = { username: "", deviceid: "" };
  const shown = await show(
    <Pages {...{ definition, answers, who }} page={0} keeper={notes} help={NO_HELP} {...more} />,
  );
  return { shown, notes };
}

const ANSWERED = { when: { day: "2026-11-20" }, who: { kind: "other" } };

describe("looking over", () => {
  it("can be reached from any page as soon as nothing is missing", async () => {
    const { shown, notes } = await fill(null);
    assert.doesNotMatch(shown.text, /Look it over/);
    await shown.click("Next");
    assert.doesNotMatch(shown.text, /Look it over/);
    await shown.click(shown.find('input[value="other"]'));
    await shown.click("Look it over");
    await until(() => shown.text.includes("This is what you send"));
    assert.equal(notes.pages.at(-1), OVERVIEW);
    assert.deepEqual(notes.presets, ["when.day"]);
    assert.match(shown.text, /Friday, November 20 · filled in for you/);
    await shown.click("Finish");
    assert.deepEqual(notes.finished, [ANSWERED]);
  });

  it("does not say of what the worker tapped before that the phone filled it in", async () => {
    const seeds = { "/data/who/kind": "other" };
    const { shown } = await fill(null, { seeds, chosen: Object.keys(seeds) });
    await shown.click("Look it over");
    await until(() => shown.text.includes("OTHER"));
    assert.equal(shown.text.split("filled in for you").length, 2);
  });

  it("leads with one tap to a question, and with one tap back", async () => {
    const { shown, notes } = await fill(ANSWERED, { page: OVERVIEW });
    await until(() => shown.text.includes("Friday, November 20"));
    await shown.click('[id="line-who.kind"]');
    assert.deepEqual(shown.texts("h1"), ["Who"]);
    await shown.click(shown.find('input[value="enrolled"]'));
    await shown.click("Look it over");
    await until(() => shown.text.includes("ENROLLED"));
    await shown.click("Finish");
    assert.deepEqual(notes.finished, [{ ...ANSWERED, who: { kind: "enrolled" } }]);
  });

  it("leads to a page without answers too", async () => {
    const { shown } = await fill(ANSWERED, { page: OVERVIEW });
    await until(() => shown.text.includes("More"));
    await shown.click("Add: More");
    assert.deepEqual(shown.texts("h1"), ["More"]);
  });

  it("says at once all that is wrong, and finishes nothing", async () => {
    const { shown, notes } = await fill({ who: {} }, { page: OVERVIEW });
    await until(() => shown.text.includes("An answer is needed."));
    assert.equal(shown.all(".error").length, 2);
    await shown.click("Finish");
    await until(() => document.activeElement?.id === "line-when.day");
    assert.deepEqual(notes.finished, []);
  });

  it("is at the same place after the app was closed there", async () => {
    const first = await fill(ANSWERED, { page: OVERVIEW });
    await until(() => first.shown.text.includes("This is what you send"));
    const again = await fill(ANSWERED, { page: OVERVIEW, presets: ["when.day"] });
    await until(() => again.shown.text.includes("filled in for you"));
  });

  it("costs a form of one page no tap", async () => {
    const short = makeForm([{ type: "text", name: "note", label: "Note" }]);
    const { shown, notes } = await fill({ note: "x" }, { page: OVERVIEW }, short);
    await shown.click("Finish");
    assert.deepEqual(notes.finished, [{ note: "x" }]);
  });

  it("comes after the question that the centre named, which is shown first", async () => {
    const { shown } = await fill(ANSWERED, { page: OVERVIEW, at: "who.kind" });
    assert.deepEqual(shown.texts("h1"), ["Who"]);
    await until(() => shown.find('[id="q-who.kind-set"]').contains(document.activeElement));
  });

  it("says at that question why the record came back, until it is changed", async () => {
    const reason = "Your centre sent it back.";
    const { shown } = await fill(ANSWERED, { page: OVERVIEW, at: "who.kind", reason });
    const set = '[id="q-who.kind-set"]';
    assert.equal(shown.find(`${set} .error`).textContent, reason);
    await shown.click(shown.find('input[value="enrolled"]'));
    await until(() => !shown.has(`${set} .error`));
  });

  it("shows at once what is wrong with that question", async () => {
    const { shown } = await fill({ when: ANSWERED.when, who: {} }, { at: "who.kind" });
    assert.equal(shown.find(".error").textContent, "An answer is needed.");
  });
});
