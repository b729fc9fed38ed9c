import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { makeForm, type Row } from "../../../test/forms";
import { dispatch, installPage, setConfirm, settle, show, type Shown } from "../../../test/page";
import { makeCardCode } from "../../engine/cards";
import type { FormDefinition } from "../../engine/definition";
import type { Json } from "../../engine/types";
import { NO_HELP } from "../../widgets/props";
import type { Keeper } from "./keeper";
import { Pages } from "./pages";

const ROWS: Row[] = [
  {
    type: "group",
    name: "who",
    label: "Who",
    rows: [{ type: "text", name: "name", label: "Name", required: true }],
  },
  {
    type: "group",
    name: "what",
    label: "What",
    rows: [{ type: "text", name: "did", label: "Did" }],
  },
];

/** A keeper that notes what it is told. */
class Notes implements Keeper {
  readonly calls: string[] = [];
  saved: { page: number; answers: Json }[] = [];
  isFull = false;
  hide: (() => void) | null = () => void this.calls.push("hide");

  save(page: number, answers: Json): Promise<void> {
    if (this.isFull) return Promise.reject(new Error("full"));
    this.saved.push({ page, answers });
    return Promise.resolve();
  }

  finish(answers: Json): Promise<void> {
    if (this.isFull) return Promise.reject(new Error("full"));
    this.calls.push(`finish ${JSON.stringify(answers)}`);
    return Promise.resolve();
  }

  close = (): Promise<void> => Promise.resolve(void this.calls.push("close"));
  discard = (): Promise<void> => Promise.resolve(void this.calls.push("discard"));
  exit = (): void => void this.calls.push("exit");
}

interface Filling {
  shown: Shown;
  notes: Notes;
}

async function begin(extras: Partial<FormDefinition> = {}, answers: Json | null = null) {
  const { rows = ROWS, ...others } = extras as { rows?: Row[] };
  const definition = makeForm(rows, { style: "pages", ...others });
  const notes = new Notes();
  const shown = await show(
    <Pages
      definition={definition}
      answers={answers}
      page={0}
      who={{ username: "amina", deviceid: "1" }}
      keeper={notes}
      help={NO_HELP}
    />,
  );
  return { shown, notes } satisfies Filling;
}

const title = ({ shown }: Filling): string => shown.texts("h1")[0]!;

beforeEach(() => installPage());

describe("going through a form", () => {
  it("starts on its first page, with nothing written", async () => {
    const filling = await begin();
    assert.equal(title(filling), "Who");
    assert.match(filling.shown.text, /1 of 2/);
    assert.deepEqual(filling.notes.saved, []);
    assert.equal(filling.shown.button("Back").disabled, true);
  });

  it("goes on and back, and notes the page", async () => {
    const filling = await begin();
    await filling.shown.enter("input", "Ann");
    await filling.shown.click("Next");
    assert.equal(title(filling), "What");
    assert.deepEqual(filling.notes.saved.at(-1), { page: 1, answers: { who: { name: "Ann" } } });
    await filling.shown.click("Back");
    assert.equal(title(filling), "Who");
    assert.equal(filling.shown.find<HTMLInputElement>("input").value, "Ann");
  });

  it("erases no answer that is not asked now, until another one changes", async () => {
    // As a record comes back that a no had cut: what it erased is kept until the worker decides.
    const answers = { who: { name: "A", aside: "kept" }, what: { did: "walked" } };
    const rows = structuredClone(ROWS);
    rows[0]!.rows!.push({ type: "text", name: "aside", label: "Aside", relevant: "false()" });
    const { shown, notes } = await begin({ rows } as object, answers);
    await shown.click("Next");
    await settle();
    assert.deepEqual(notes.saved.at(-1)?.answers, answers);
    await shown.enter("input", "ran");
    await shown.click("Back");
    await settle();
    assert.deepEqual(notes.saved.at(-1)?.answers, { who: { name: "A" }, what: { did: "ran" } });
  });

  it("stays on a page with a problem and says what it is", async () => {
    const filling = await begin();
    await filling.shown.click("Next");
    assert.equal(title(filling), "Who");
    assert.equal(filling.shown.find(".error").textContent, "An answer is needed.");
    assert.equal(document.activeElement?.id, "q-who.name");
  });

  it("is looked over after the last page, and finished with all answers", async () => {
    const filling = await begin();
    await filling.shown.enter("input", "Ann");
    await filling.shown.click("Next");
    await filling.shown.enter("input", "talked");
    await filling.shown.click("Look it over");
    assert.equal(title(filling), "This is what you send");
    await filling.shown.click("Finish");
    const answers = { who: { name: "Ann" }, what: { did: "talked" } };
    assert.deepEqual(filling.notes.calls, [`finish ${JSON.stringify(answers)}`]);
  });

  it("goes back to the page with a problem when it is to be finished", async () => {
    const filling = await begin({}, { who: { name: "Ann" } });
    await filling.shown.click("Next");
    await filling.shown.click("Back");
    await filling.shown.enter("input", "");
    await filling.shown.click("Next");
    assert.equal(title(filling), "Who");
    assert.equal(filling.notes.calls.length, 0);
  });

  it("finishes once, however often the button is tapped", async () => {
    const filling = await begin({ style: "" }, { who: { name: "Ann" } });
    const finish = filling.shown.button("Finish");
    finish.click();
    finish.click();
    await settle();
    assert.equal(filling.notes.calls.length, 1);
  });

  it("says so when it cannot be finished, and lets the worker try again", async () => {
    const filling = await begin({ style: "" }, { who: { name: "Ann" } });
    filling.notes.isFull = true;
    await filling.shown.click("Finish");
    assert.match(filling.shown.text, /Not saved: this phone is out of room/);
    filling.notes.isFull = false;
    await filling.shown.click("Finish");
    assert.equal(filling.notes.calls.length, 1);
  });
});

describe("answers on their way", () => {
  it("are written when the app goes into the background", async () => {
    const filling = await begin();
    await filling.shown.enter("input", "Ann");
    dispatch(document, "visibilitychange");
    await settle();
    assert.deepEqual(filling.notes.saved.at(-1)?.answers, { who: { name: "Ann" } });
    assert.match(filling.shown.text, /Saved on this phone/);
  });

  it("are not written for a form that nobody touched", async () => {
    const filling = await begin();
    dispatch(document, "visibilitychange");
    await settle();
    assert.deepEqual(filling.notes.saved, []);
  });

  it("are written when the pages go away", async () => {
    const filling = await begin();
    await filling.shown.enter("input", "Ann");
    await show(null);
    assert.deepEqual(filling.notes.saved.at(-1)?.answers, { who: { name: "Ann" } });
    assert.deepEqual(filling.notes.calls, ["close"]);
  });
});

describe("ways out", () => {
  it("leave what was answered where it is", async () => {
    const filling = await begin();
    await filling.shown.enter("input", "Ann");
    await filling.shown.click("‹ A form");
    assert.equal(filling.notes.saved.length, 1);
    assert.deepEqual(filling.notes.calls, ["close", "exit"]);
  });

  it("throw it away only when the worker is sure", async () => {
    const filling = await begin();
    const questions = setConfirm(false);
    await filling.shown.click("Delete the draft");
    assert.equal(questions.length, 1);
    assert.deepEqual(filling.notes.calls, []);
    setConfirm(true);
    await filling.shown.click("Delete the draft");
    assert.deepEqual(filling.notes.calls, ["discard", "exit"]);
    await show(null);
    assert.deepEqual(filling.notes.saved, []);
  });

  it("hide it at once", async () => {
    const filling = await begin();
    await filling.shown.click("Hide");
    assert.deepEqual(filling.notes.calls, ["hide"]);
  });
});

describe("the language of the questions", () => {
  it("can be chosen where the form has more than the app", async () => {
    const label = { en: "Who", ta: "யார்" };
    const rows = [{ type: "text", name: "x", label }];
    const definition = makeForm(rows, { languages: ["en", "ta"] });
    const keeper = new Notes();
    const who = { username: "", deviceid: "" };
    const shown = await show(
      <Pages {...{ definition, keeper, who }} answers={null} page={0} help={NO_HELP} />,
    );
    await shown.enter("select", "ta");
    assert.equal(shown.texts("label span")[0], "யார்");
    assert.equal(shown.find("main").getAttribute("lang"), "ta");
  });

  it("cannot where the form has the app's languages alone", async () => {
    const filling = await begin();
    assert.equal(filling.shown.has("select"), false);
  });
});

describe("a trial", () => {
  it("has nothing to hide, and says that nothing is kept", async () => {
    const definition = makeForm(ROWS);
    const keeper = Object.assign(new Notes(), { hide: null });
    const who = { username: "", deviceid: "" };
    const shown = await show(
      <Pages {...{ definition, keeper, who }} answers={null} page={0} help={NO_HELP} />,
    );
    assert.match(shown.text, /A test: nothing is saved/);
    assert.doesNotMatch(shown.text, /Hide/);
  });
});

describe("an intake of a card that has one", () => {
  const code = makeCardCode(new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]));
  const rows: Row[] = [
    { type: "text", name: "card", label: "Card" },
    { type: "hidden", name: "known" },
    { type: "text", name: "second", label: "After ${known}?", relevant: "${known} != ''" },
  ];
  const definition = makeForm(rows, {
    summary: { person: "/data/card", intake_day: "/data/known" },
  });
  const help = { ...NO_HELP, findIntake: (card: string) => (card === code ? "2026-10-03" : "") };
  const begin = (isCorrection: boolean) =>
    show(
      <Pages
        {...{ definition, help, isCorrection }}
        answers={isCorrection ? { card: code } : null}
        page={0}
        who={{ username: "amina", deviceid: "1" }}
        keeper={new Notes()}
      />,
    );

  it("is asked about once its code is there, and not of another card", async () => {
    const shown = await begin(false);
    assert.equal(shown.has("#q-second"), false);
    await shown.enter("#q-card", code);
    assert.match(shown.text, /After October 3, 2026\?/);
    await shown.enter("#q-card", code.slice(0, 5));
    assert.equal(shown.has("#q-second"), false);
  });

  it("is not asked about in a correction, which may be of that very intake", async () => {
    assert.equal((await begin(true)).has("#q-second"), false);
  });
});
