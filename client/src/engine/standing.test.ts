import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Filled, makeForm, type Row } from "../../test/forms";
import { makeCardCode } from "./cards";
import type { Json } from "./types";
import { ConsentQuestions, isPassedOver, type StandingConsent, whyAsk } from "./standing";

const ONE = makeCardCode(new Uint8Array(8).fill(1));
const TWO = makeCardCode(new Uint8Array(8).fill(2));
const YES: StandingConsent = {
  tier: 2,
  since: "2026-10",
  heads: ["r1"],
  doubt: false,
  wording: "w1",
};

const filter = (list: string, condition: string): string =>
  `instance('${list}')/root/item[${condition}]`;
const ROWS: Row[] = [
  {
    type: "group",
    name: "people",
    rows: [
      { type: "text", name: "who" },
      { type: "text", name: "code" },
    ],
  },
  {
    type: "group",
    name: "consent",
    rows: [
      { type: "hidden", name: "standing", relevant: "${who} = 'enrolled'" },
      {
        type: "select_one",
        name: "asked",
        choices: "asked",
        required: true,
        items: filter("asked", "name != 'standing' or ${standing} != ''"),
      },
      {
        type: "select_one",
        name: "understood",
        choices: "yes_no",
        relevant: "${asked} = 'read_out'",
      },
      {
        type: "select_one",
        name: "tier_said",
        choices: "tier",
        relevant: "${asked} = 'standing' or ${understood} = 'yes'",
        items: filter("tier", "${asked} != 'standing' or name = ${standing}"),
      },
      { type: "text", name: "language", relevant: "${understood} = 'yes'" },
    ],
  },
];
const FORM = makeForm(ROWS, {
  consent_wording: "w1",
  choices: {
    asked: [
      "read_out",
      { name: "standing", label: { en: "As before" }, data: { app_role: "standing" } },
    ],
    yes_no: ["yes"],
    tier: ["0", "1", "2", "3"],
  },
  summary: {
    person: "/data/people/code",
    consent_asked: "/data/consent/asked",
    consent_standing: "/data/consent/standing",
    tier: "/data/consent/tier_said",
  },
});
const AS_BEFORE: Json = { standing: "2", asked: "standing", tier_said: "2" };

/** A form about somebody with a card, whose consent is as the phone knows it. */
class Talk {
  readonly filled: Filled;
  readonly questions: ConsentQuestions;
  byCode: Record<string, StandingConsent> = { [ONE]: YES };

  constructor(answers: Json | null = null, isCorrection = false) {
    this.filled = new Filled(FORM, answers);
    this.questions = new ConsentQuestions(this.filled.form, isCorrection);
    this.questions.follow(this.find);
  }

  find = (code: string): StandingConsent | null => this.byCode[code] ?? null;

  answer(path: string, text: string): this {
    this.filled.answer(path, text);
    this.questions.follow(this.find);
    return this;
  }

  meet(code: string): this {
    return this.answer("people/who", "enrolled").answer("people/code", code);
  }

  get consent(): Json | undefined {
    return this.filled.form.toJson()["consent"] as Json | undefined;
  }

  get isPassedOver(): boolean {
    return isPassedOver(this.filled.form, this.filled.at("consent"));
  }

  get line() {
    return this.questions.show(this.find, "en");
  }
}

describe("consent that stands", () => {
  it("is asked again in doubt, after a no, and under words that are not known or have changed", () => {
    assert.equal(whyAsk(FORM, YES), "");
    assert.equal(whyAsk(FORM, { ...YES, doubt: true }), "doubt");
    assert.equal(whyAsk(FORM, { ...YES, tier: 0 }), "no");
    assert.equal(whyAsk(FORM, { ...YES, tier: -1 }), "no");
    assert.equal(whyAsk(FORM, { ...YES, wording: "w0" }), "wording");
    assert.equal(whyAsk(makeForm([]), { ...YES, wording: "" }), "wording");
  });

  it("is not asked about somebody of whom this phone knows nothing", () => {
    const talk = new Talk().meet(TWO);
    assert.equal(talk.consent, undefined);
    assert.deepEqual([talk.isPassedOver, talk.line], [false, null]);
  });

  for (const [why, changes] of Object.entries({
    doubt: { doubt: true },
    no: { tier: 0 },
    wording: { wording: "w0" },
  })) {
    it(`asks where it cannot be gone on with: ${why}`, () => {
      const talk = new Talk();
      talk.byCode = { [ONE]: { ...YES, ...changes } };
      talk.meet(ONE);
      assert.equal(talk.consent, undefined);
      assert.deepEqual([talk.isPassedOver, talk.line!.why], [false, why]);
    });
  }

  it("answers the questions as soon as the card is known, and they are passed over", () => {
    const talk = new Talk().meet(ONE);
    assert.deepEqual(talk.consent, AS_BEFORE);
    assert.equal(talk.isPassedOver, true);
    const { tier, label, since, why, isAsBefore } = talk.line!;
    assert.deepEqual([tier, label, since, why, isAsBefore], [2, "2", "2026-10", "", true]);
    assert.deepEqual(talk.filled.problems(), []);
  });

  it("goes with the card: another one, or none, is asked", () => {
    const talk = new Talk().meet(ONE);
    talk.answer("people/code", TWO);
    assert.equal(talk.consent, undefined);
    talk.answer("people/code", ONE);
    assert.deepEqual(talk.consent, AS_BEFORE);
    talk.answer("people/who", "new_person");
    assert.equal(talk.consent, undefined);
    assert.equal(talk.line, null);
  });

  it("is asked once the worker wants to, with nothing chosen before, and can be left as it was", () => {
    const talk = new Talk().meet(ONE);
    talk.questions.ask(true, talk.find);
    assert.equal(talk.consent, undefined);
    assert.deepEqual(
      [talk.isPassedOver, talk.line!.isAsBefore, talk.line!.why],
      [false, false, ""],
    );
    talk.answer("consent/asked", "read_out").answer("consent/understood", "yes");
    assert.deepEqual(talk.consent, { asked: "read_out", understood: "yes" });
    talk.questions.ask(false, talk.find);
    assert.deepEqual(talk.consent, AS_BEFORE);
  });

  it("does not write over what the worker has asked", () => {
    const talk = new Talk().answer("consent/asked", "read_out").meet(ONE);
    assert.deepEqual(talk.consent, { asked: "read_out" });
  });

  it("is taken back when the centre tells of less, or of nothing, while the form is open", () => {
    const talk = new Talk().meet(ONE);
    talk.byCode = { [ONE]: { ...YES, tier: 1 } };
    talk.questions.follow(talk.find);
    assert.deepEqual(talk.consent, { standing: "1", asked: "standing", tier_said: "1" });
    talk.byCode = { [ONE]: { ...YES, tier: 1, doubt: true } };
    talk.questions.follow(talk.find);
    assert.equal(talk.consent, undefined);
  });

  it("is looked up again when a draft is opened", () => {
    const people = { who: "enrolled", code: ONE };
    assert.deepEqual(
      new Talk({ people, consent: { ...AS_BEFORE, standing: "3", tier_said: "3" } }).consent,
      AS_BEFORE,
    );
    const other = new Talk({ people: { ...people, code: TWO }, consent: AS_BEFORE });
    assert.equal(other.consent, undefined);
  });

  it("stays as it was written in a correction, unless the worker asks", () => {
    const people = { who: "enrolled", code: TWO };
    const talk = new Talk({ people, consent: AS_BEFORE }, true);
    assert.deepEqual(talk.consent, AS_BEFORE);
    assert.deepEqual([talk.isPassedOver, talk.line!.since], [true, ""]);
    talk.questions.ask(true, talk.find);
    assert.equal(talk.consent, undefined);
    assert.equal(new Talk({ people: { ...people, code: ONE } }, true).line, null);
  });

  it("shows a page that asks for more than consent", () => {
    const rows = structuredClone(ROWS);
    rows[1]!.rows!.push({ type: "text", name: "more", label: "More" });
    const { summary, choices } = FORM;
    const form = makeForm(rows, { consent_wording: "w1", summary, choices });
    const { form: filled } = new Filled(form, {
      people: { who: "enrolled", code: ONE },
      consent: AS_BEFORE,
    });
    assert.equal(isPassedOver(filled, filled.root.childrenNamed("consent")[0]!), false);
  });
});
