import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { seeded } from "../../test/chance";
import { makeForm, type Row } from "../../test/forms";
import { makeCardCode } from "../engine/cards";
import type { Json } from "../engine/types";
import { type Caseload, EMPTY_CASELOAD, findIntake, type FollowUp, READS } from "./caseload";
import {
  addFinishedRecord,
  applyPulledChanges,
  type PulledItem,
  removeCompleted,
} from "./caseload_updates";
import { readRole } from "../engine/roles";
import { formatLocalTime } from "./outbox";
import { compareCaseloads, undoChange } from "./undo";

const codeOf = (number: number): string => makeCardCode(new Uint8Array(8).fill(number));
const ONE = codeOf(1);
const TWO = codeOf(2);

const FORM = makeForm(
  [
    { type: "date", name: "day" },
    {
      type: "group",
      name: "who",
      rows: [
        { type: "text", name: "code" },
        { type: "integer", name: "tier" },
      ],
    },
    { type: "date", name: "next" },
    { type: "select_multiple", name: "plan" },
  ],
  {
    id: "encounter",
    summary: {
      day: "/data/day",
      person: "/data/who/code",
      tier: "/data/who/tier",
      due: "/data/next",
      plan: "/data/plan",
    },
  },
);

const TODAY = "2026-11-23";

function followUp(id: string, code = ""): FollowUp {
  return { id, on: id.split("/")[1]!, code, form: "encounter", from: "2026-11-01" };
}

const idsOf = (caseload: Caseload): string[] => caseload.due.map(({ id }) => id);
const codesOf = (caseload: Caseload): string[] => caseload.people.map(({ code }) => code);

describe("what plays a role in a form", () => {
  it("is nothing where the form names none, or nothing was answered", () => {
    assert.equal(readRole(FORM, {}, "day"), "");
    assert.equal(readRole(FORM, { day: "x" }, "minutes"), "");
    assert.equal(readRole({ ...FORM, summary: {} }, { day: "x" }, "day"), "");
  });

  it("is read through groups", () => {
    assert.equal(readRole(FORM, { who: { code: ONE } }, "person"), ONE);
    assert.equal(readRole(FORM, { day: TODAY }, "day"), TODAY);
  });

  it("is nothing where the answers have another shape than the form", () => {
    assert.equal(readRole(FORM, { who: ONE }, "person"), "");
    assert.equal(readRole(FORM, { who: [{ code: ONE }] }, "person"), "");
    assert.equal(readRole(FORM, { day: { deeper: "x" } }, "day"), "");
  });
});

describe("completing a follow-up", () => {
  it("leaves alone what belongs to other records", () => {
    const due = [followUp("a/2026-11-20"), followUp("b/2026-11-10")];
    assert.deepEqual(removeCompleted(due, "c/2026-11-30"), due);
    assert.deepEqual(removeCompleted(due, "b/2026-11-10"), [due[0]]);
  });

  it("completes the earlier ones of the same record with it, not the later", () => {
    const due = ["a/2026-11-10", "a/2026-11-17", "a/2026-12-01", "ab/2026-11-01"].map((id) =>
      followUp(id),
    );
    const left = removeCompleted(due, "a/2026-11-17").map(({ id }) => id);
    assert.deepEqual(left, ["a/2026-12-01", "ab/2026-11-01"]);
  });
});

describe("a finished record", () => {
  const finish = (answers: Json, more: object = {}, before = EMPTY_CASELOAD): Caseload =>
    addFinishedRecord(before, FORM, { id: "rec", answers, ...more }, TODAY);

  it("without a card adds nobody", () => {
    assert.deepEqual(finish({}).people, []);
    assert.deepEqual(finish({ who: { code: "not a code" } }).people, []);
  });

  it("brings the person to the top, with day and level of consent", () => {
    const person = finish({ day: "2026-11-20", who: { code: ONE, tier: "2" } }).people[0];
    assert.deepEqual(person, { code: ONE, label: "", seenOn: "2026-11-20", tier: "2" });
  });

  it("stands where its last contact says, also when an older one is written down late", () => {
    const before = {
      ...EMPTY_CASELOAD,
      people: [
        { code: TWO, label: "", seenOn: TODAY, tier: "1" },
        { code: ONE, label: "", seenOn: "2026-11-10", tier: "1" },
      ],
    };
    const listAfter = (day: string): [string, string][] =>
      finish({ day, who: { code: ONE } }, {}, before).people.map(({ code, seenOn }) => [
        code,
        seenOn,
      ]);
    assert.deepEqual(listAfter("2026-11-02").at(-1), [ONE, "2026-11-10"]);
    assert.deepEqual(listAfter("2026-11-12").at(-1), [ONE, "2026-11-12"]);
  });

  it("takes today where the form has no day", () => {
    assert.equal(finish({ who: { code: ONE } }).people[0]!.seenOn, TODAY);
  });

  it("keeps the worker's own words, and the level of consent that was not asked for again", () => {
    const before = {
      ...EMPTY_CASELOAD,
      people: [
        { code: TWO, label: "two", seenOn: TODAY, tier: "1" },
        { code: ONE, label: "my one", seenOn: "2026-10-01", tier: "3" },
      ],
    };
    const { people } = finish({ who: { code: ONE } }, {}, before);
    assert.deepEqual(people[0], { code: ONE, label: "my one", seenOn: TODAY, tier: "3" });
    assert.deepEqual(
      people.map(({ code }) => code),
      [ONE, TWO],
    );
  });

  it("reads a code as people write it", () => {
    assert.deepEqual(codesOf(finish({ who: { code: ONE.toLowerCase() } })), [ONE]);
  });

  it("keeps at most five hundred people", () => {
    const people = Array.from({ length: 500 }, (_, number) => ({
      code: `c${number}`,
      label: "",
      seenOn: TODAY,
      tier: "",
    }));
    const after = finish({ who: { code: ONE } }, {}, { ...EMPTY_CASELOAD, people });
    assert.equal(after.people.length, 500);
    assert.equal(after.people[0]!.code, ONE);
    assert.ok(!codesOf(after).includes("c499"));
  });

  it("plans the next contact, but none in the past", () => {
    assert.deepEqual(idsOf(finish({ next: "2026-11-30" })), ["rec/2026-11-30"]);
    assert.deepEqual(idsOf(finish({ next: TODAY })), [`rec/${TODAY}`]);
    assert.deepEqual(idsOf(finish({ next: "2026-11-22" })), []);
  });

  it("plans a row of contacts from its day, over the end of a month", () => {
    const after = finish({ day: TODAY, plan: "d7 d30 x d0 d-3" });
    assert.deepEqual(idsOf(after), ["rec/2026-11-30", "rec/2026-12-23"]);
    assert.deepEqual(after.due[0], {
      id: "rec/2026-11-30",
      on: "2026-11-30",
      code: "",
      form: "encounter",
      from: TODAY,
    });
  });

  it("was the contact that was due with this person, not one that comes later", () => {
    const due = [
      followUp("a/2026-11-20", ONE),
      followUp("b/2026-11-23", ONE),
      followUp("c/2026-11-24", ONE),
      followUp("d/2026-11-20", TWO),
    ];
    const after = finish({ day: TODAY, who: { code: ONE } }, {}, { ...EMPTY_CASELOAD, due });
    assert.deepEqual(idsOf(after), ["d/2026-11-20", "c/2026-11-24"]);
  });

  it("completes the follow-up that it was opened from, and says so to the centre", () => {
    const due = [followUp("m/2026-11-10"), followUp("m/2026-11-20"), followUp("m/2026-12-01")];
    const after = finish({}, { due: "m/2026-11-20" }, { ...EMPTY_CASELOAD, due });
    assert.deepEqual(idsOf(after), ["m/2026-12-01"]);
    assert.deepEqual(after.settled, ["m/2026-11-20"]);
  });

  it("that corrects another plans anew what the other had planned", () => {
    const before = finish({ next: "2026-11-30" });
    const after = finish({ next: "2026-12-05" }, { id: "new", root: "rec" }, before);
    assert.deepEqual(idsOf(after), ["rec/2026-12-05"]);
  });

  it("that corrects another leaves what is past due since the other, and plans no new day there", () => {
    const past = ["rec/2026-11-20", "rec/2026-11-21"].map((id) => followUp(id, ONE));
    const before = { ...EMPTY_CASELOAD, due: past };
    const changes = { id: "new", root: "rec" };
    const after = finish({ day: "2026-11-18", next: "2026-11-20" }, changes, before);
    assert.deepEqual(idsOf(after), ["rec/2026-11-20"]);
    assert.deepEqual(idsOf(finish({ next: "2026-11-19" }, changes, before)), []);
  });

  it("takes what was to correct, and its referral, off the list", () => {
    const record = { form: "encounter", version: "1", answers: {}, heads: ["rec"] };
    const returned = { ...record, state: "returned" as const, day: TODAY };
    const referral = { ...record, day: TODAY, code: ONE, kind: "housing", status: "open" };
    const before = {
      ...EMPTY_CASELOAD,
      todo: { rec: returned, other: returned },
      referrals: { rec: referral, other: referral },
    };
    const after = finish({}, { id: "new", root: "rec" }, before);
    assert.deepEqual(Object.keys(after.todo), ["other"]);
    assert.deepEqual(Object.keys(after.referrals), ["other"]);
    assert.deepEqual(Object.keys(before.todo), ["rec", "other"]);
  });

  it("tells the centre of new cards once", () => {
    const after = finish({}, { cards: [ONE] }, { ...EMPTY_CASELOAD, made: [ONE, TWO] });
    assert.deepEqual(after.made, [TWO]);
  });

  it("leaves the caseload that it was given as it was", () => {
    const before = { ...EMPTY_CASELOAD, due: [followUp("a/2026-11-20", ONE)] };
    const copy = structuredClone(before);
    finish({ day: TODAY, who: { code: ONE }, next: "2026-12-01" }, { due: "a/2026-11-20" }, before);
    assert.deepEqual(before, copy);
  });

  it("can be added to a caseload of an earlier version, which lacked some lists", () => {
    const { made: _, settled: __, todo: ___, referrals: ____, ...old } = EMPTY_CASELOAD;
    const after = finish({ who: { code: ONE } }, { due: "a/2026-11-20" }, old as Caseload);
    assert.deepEqual(after.settled, ["a/2026-11-20"]);
    assert.deepEqual(after.made, []);
    assert.deepEqual(after.todo, {});
  });
});

describe("what the centre tells", () => {
  const card = (seen: string, tier = "1"): object => ({ tier, seen });
  const due = (on: string, code = ""): object => ({ on, code, form: "encounter", from: TODAY });
  const pull = (items: PulledItem[], before = EMPTY_CASELOAD, isAllSent = false): Caseload =>
    applyPulledChanges(before, items, "9:9", isAllSent);

  it("is passed over where this version does not know its kind", () => {
    const after = pull([
      ["news/1", { text: "x" }],
      ["no slash", {}],
      ["constructor/x", null],
    ]);
    assert.deepEqual(after, { ...EMPTY_CASELOAD, cursor: "9:9", reads: READS });
  });

  it("says that a card ended: nothing of it stays, unlike a name for another worker's", () => {
    const before = {
      ...EMPTY_CASELOAD,
      people: [{ code: ONE, label: "red cap", seenOn: TODAY, tier: "1" }],
      made: [ONE, TWO],
      unheard: { [ONE]: ["r1"], [TWO]: ["r2"] },
      due: [followUp(`r1/${TODAY}`, ONE)],
    };
    const after = applyPulledChanges(before, [[`ended/${ONE}`, true]], "9:9", false);
    assert.equal(JSON.stringify(after).includes(ONE), false);
    assert.deepEqual([after.made, after.unheard], [[TWO], { [TWO]: ["r2"] }]);
  });

  it("moves the cursor, and leaves the caseload that it was given as it was", () => {
    const before = structuredClone(EMPTY_CASELOAD);
    const after = pull(
      [
        [`card/${ONE}`, card(TODAY)],
        ["ref/r", {}],
        ["rec/r", {}],
        [`clash/${ONE}`, {}],
      ],
      before,
    );
    assert.deepEqual(before, EMPTY_CASELOAD);
    assert.equal(after.cursor, "9:9");
  });

  it("brings cards, the one seen last first, and keeps the worker's words", () => {
    const before = {
      ...EMPTY_CASELOAD,
      people: [{ code: ONE, label: "mine", seenOn: "2026-01-01", tier: "" }],
    };
    const after = pull(
      [
        [`card/${TWO}`, card("2026-11-01")],
        [`card/${ONE}`, card("2026-11-02", "2")],
      ],
      before,
    );
    assert.deepEqual(after.people, [
      { code: ONE, label: "mine", seenOn: "2026-11-02", tier: "2" },
      { code: TWO, label: "", seenOn: "2026-11-01", tier: "1" },
    ]);
  });

  it("takes a card away with all that is due for it", () => {
    const before = {
      ...EMPTY_CASELOAD,
      people: [{ code: ONE, label: "", seenOn: TODAY, tier: "" }],
      due: [followUp("a/2026-11-30", ONE), followUp("b/2026-11-30", TWO)],
    };
    const after = pull([[`card/${ONE}`, null]], before);
    assert.deepEqual(after.people, []);
    assert.deepEqual(idsOf(after), ["b/2026-11-30"]);
  });

  it("brings what is due, the earliest first, and takes it away", () => {
    const after = pull([
      ["due/b/2026-12-01", due("2026-12-01")],
      ["due/a/2026-11-25", due("2026-11-25")],
    ]);
    assert.deepEqual(idsOf(after), ["a/2026-11-25", "b/2026-12-01"]);
    assert.deepEqual(idsOf(pull([["due/a/2026-11-25", null]], after)), ["b/2026-12-01"]);
  });

  it("does not bring back what was completed here, until the centre has heard of it", () => {
    const before = { ...EMPTY_CASELOAD, settled: ["a/2026-11-25"] };
    const told = pull([["due/a/2026-11-25", due("2026-11-25")]], before);
    assert.deepEqual(idsOf(told), []);
    assert.deepEqual(told.settled, ["a/2026-11-25"]);
    const confirmed = pull([["due/a/2026-11-25", null]], told);
    assert.deepEqual(confirmed.settled, []);
  });

  it("brings referrals, records to correct and doubled codes, and takes them away", () => {
    const referral = { day: TODAY, code: ONE, kind: "housing" };
    const returned = { state: "returned", comment: "Say where." };
    const after = pull([
      ["ref/r1", referral],
      ["rec/r2", returned],
      [`clash/${ONE}`, { by: "x" }],
    ]);
    assert.deepEqual(after.referrals, { r1: referral });
    assert.deepEqual(after.todo, { r2: returned });
    assert.deepEqual(after.clashes, [ONE]);
    const again = pull([[`clash/${ONE}`, { by: "x" }]], after);
    assert.deepEqual(again.clashes, [ONE]);
    const gone = pull(
      [
        ["ref/r1", null],
        ["rec/r2", null],
        [`clash/${ONE}`, null],
      ],
      again,
    );
    assert.deepEqual([gone.referrals, gone.todo, gone.clashes], [{}, {}, []]);
  });

  it("keeps its own changes while the centre has not heard all", () => {
    const before = {
      ...EMPTY_CASELOAD,
      due: [followUp("own/2026-11-25", ONE)],
      finished: 3,
      heard: 2,
    };
    const after = pull([["due/a/2026-12-01", due("2026-12-01")]], before);
    assert.deepEqual(idsOf(after), ["own/2026-11-25", "a/2026-12-01"]);
    assert.equal(after.heard, 2);
  });

  it("replaces them by the centre's version once it has", () => {
    const before = {
      ...EMPTY_CASELOAD,
      due: [followUp("own/2026-11-25", ONE)],
      settled: ["x/2026-11-01"],
      told: { "due/a/2026-12-01": due("2026-12-01"), [`card/${TWO}`]: card("2026-10-10") },
      finished: 3,
      heard: 2,
    };
    const after = pull([], before, true);
    assert.deepEqual(idsOf(after), ["a/2026-12-01"]);
    assert.deepEqual(codesOf(after), [TWO]);
    assert.deepEqual([after.settled, after.heard], [[], 3]);
  });

  it("leaves a person who is only on this phone there, with its words", () => {
    const own = { code: ONE, label: "mine", seenOn: TODAY, tier: "" };
    const after = pull([], { ...EMPTY_CASELOAD, people: [own] }, true);
    assert.deepEqual(after.people, [own]);
  });

  it("keeps the order of cards and follow-ups of one day, however often it is pulled", () => {
    const items: PulledItem[] = [1, 2, 3, 4].map((number) => [
      `card/${codeOf(number)}`,
      card(TODAY),
    ]);
    const tasks: PulledItem[] = ["c", "a", "b"].map((id) => [`due/${id}/${TODAY}`, due(TODAY)]);
    const first = pull([...items, ...tasks]);
    assert.deepEqual(idsOf(first), [`c/${TODAY}`, `a/${TODAY}`, `b/${TODAY}`]);
    assert.deepEqual(codesOf(pull([], first)), codesOf(first));
    assert.deepEqual(idsOf(pull([], first)), idsOf(first));
    assert.deepEqual(idsOf(pull([], first, true)), idsOf(first));
  });
});

describe("pulling in pieces", () => {
  it("comes to the same as pulling all at once, wherever it breaks off", () => {
    const { below, pick, seed } = seeded("pulls");
    const randomItem = (): PulledItem => {
      const code = codeOf(below(5));
      const on = `2026-12-0${1 + below(8)}`;
      const isGone = below(4) === 0;
      const items: PulledItem[] = [
        [`card/${code}`, { tier: String(below(4)), seen: on }],
        [`due/${pick(["a", "b"])}/${on}`, { on, code, form: "f", from: TODAY }],
        [`ref/r${below(3)}`, { day: on }],
        [`rec/r${below(3)}`, { state: "returned" }],
        [`clash/${code}`, { by: "x" }],
      ];
      const [key, body] = pick(items);
      return [key, isGone ? null : body];
    };
    for (let round = 0; round < 300; round++) {
      const items = Array.from({ length: below(20) }, randomItem);
      const whole = applyPulledChanges(EMPTY_CASELOAD, items, 2, true);
      const cut = below(items.length + 1);
      const half = applyPulledChanges(EMPTY_CASELOAD, items.slice(0, cut), 1, false);
      const both = applyPulledChanges(half, items.slice(cut), 2, true);
      const sorted = (caseload: Caseload): unknown => ({
        ...caseload,
        people: [...caseload.people].sort((a, b) => (a.code < b.code ? -1 : 1)),
        clashes: [...caseload.clashes].sort(),
      });
      assert.deepEqual(sorted(both), sorted(whole), `seed ${seed}, round ${round}`);
    }
  });

  it("brings two phones to the same, whatever they had before, once all was heard", () => {
    const { below, seed } = seeded("two phones");
    for (let round = 0; round < 200; round++) {
      const items: PulledItem[] = Array.from({ length: below(12) }, () => {
        const on = `2026-12-0${1 + below(8)}`;
        const body = below(3) === 0 ? null : { on, code: "", form: "f", from: TODAY };
        return [`due/r${below(4)}/${on}`, body];
      });
      const other = {
        ...EMPTY_CASELOAD,
        due: [followUp("own/2026-11-25")],
        settled: ["r1/2026-12-01"],
      };
      const first = applyPulledChanges(EMPTY_CASELOAD, items, 1, true);
      const second = applyPulledChanges(other, items, 1, true);
      assert.deepEqual(second.due, first.due, `seed ${seed}, round ${round}`);
      assert.deepEqual(second.settled, []);
    }
  });
});

describe("open incidents", () => {
  const ended = { name: "closed", label: {}, data: { app_role: "ends_incident" } };
  const states = { choices: { states: ["open", ended] } };
  const status = { type: "select_one", name: "status", choices: "states" } as const;
  const incident = makeForm([status, { type: "text", name: "what" }], {
    ...states,
    id: "incident",
    summary: { incident_status: "/data/status", kind: "/data/what" },
  });
  const later = makeForm([status, { type: "hidden", name: "of" }], {
    ...states,
    id: "later",
    summary: { incident_status: "/data/status", follows: "/data/of" },
  });
  const finish = (book: Caseload, form: typeof later, id: string, answers: Json, more = {}) =>
    addFinishedRecord(book, form, { id, answers, ...more }, TODAY);
  const open = finish(EMPTY_CASELOAD, incident, "a", { status: "open", what: "fight" });

  it("are those that were logged here and that nothing ended yet", () => {
    const about = { form: "incident", from: TODAY, kind: "fight", area: "" };
    assert.deepEqual(open.open, { a: about });
    assert.deepEqual(finish(open, incident, "b", { status: "closed" }).open, { a: about });
    assert.deepEqual(finish(open, later, "c", { status: "open", of: "a" }).open, { a: about });
  });

  it("end by a follow-up, or by a correction", () => {
    assert.deepEqual(finish(open, later, "c", { status: "closed", of: "a" }).open, {});
    assert.deepEqual(finish(open, incident, "d", { status: "closed" }, { root: "a" }).open, {});
  });

  it("are what the centre says, once all was sent", () => {
    const told = { form: "incident", from: "2026-11-01", kind: "shots", area: "002" };
    const pull = (items: PulledItem[], isAllSent: boolean): Caseload["open"] =>
      applyPulledChanges(open, items, 5, isAllSent).open;
    assert.deepEqual(Object.keys(pull([["open/b", told]], false)), ["a", "b"]);
    assert.deepEqual(pull([["open/b", told]], true), { b: told });
    assert.deepEqual(pull([["open/a", null]], false), {});
  });
});

describe("an open referral", () => {
  const reached = { name: "reached", label: {}, data: { app_role: "ends_referral" } };
  const rows: Row[] = [
    { type: "select_one", name: "need", choices: "needs" },
    { type: "text", name: "code" },
    { type: "select_one", name: "state", choices: "states" },
  ];
  const form = makeForm(rows, {
    id: "referral",
    version: "7",
    role: "referral",
    summary: { kind: "/data/need", person: "/data/code", status: "/data/state" },
    choices: { needs: ["housing"], states: ["sent", "waiting", reached] },
  });
  const answersOf = (state: string): Json => ({ need: "housing", code: ONE, state });
  const finish = (book: Caseload, id: string, answers: Json, root?: string): Caseload =>
    addFinishedRecord(book, form, { id, answers, ...(root && { root }) }, TODAY);
  const begun = finish(EMPTY_CASELOAD, "a", answersOf("sent"));

  it("is here as soon as it was logged, without signal", () => {
    const about = { day: TODAY, code: ONE, kind: "housing", status: "sent" };
    const record = { form: "referral", version: "7", answers: answersOf("sent"), heads: ["a"] };
    assert.deepEqual(begun.referrals, { a: { ...record, ...about } });
  });

  it("goes on with its new state, and what comes next builds on that", () => {
    const { referrals } = finish(begun, "b", answersOf("waiting"), "a");
    assert.deepEqual(Object.keys(referrals), ["a"]);
    assert.deepEqual([referrals["a"]!.status, referrals["a"]!.heads], ["waiting", ["b"]]);
    assert.deepEqual(referrals["a"]!.answers, answersOf("waiting"));
  });

  it("does not come back to who gave the card away, by an update that was begun before", () => {
    const without = { ...begun, people: [], referrals: {} };
    assert.deepEqual(finish(without, "b", answersOf("waiting"), "a").referrals, {});
  });

  it("goes by the state that ends it, after a no, and where the centre refused it", () => {
    assert.deepEqual(finish(begun, "b", answersOf("reached"), "a").referrals, {});
    assert.deepEqual(finish(begun, "b", { need: "housing" }, "a").referrals, {});
    const refused: PulledItem = ["rec/a", { state: "rejected", day: TODAY }];
    assert.deepEqual(applyPulledChanges(begun, [refused], 5, true).referrals, {});
    const returned: PulledItem = ["rec/a", { state: "returned", day: TODAY }];
    assert.deepEqual(Object.keys(applyPulledChanges(begun, [returned], 5, true).referrals), ["a"]);
  });

  it("is as it was before a record that is taken back", () => {
    const undo = (before: Caseload, after: Caseload): Caseload["referrals"] =>
      undoChange(after, compareCaseloads(before, after)).referrals;
    assert.deepEqual(undo(EMPTY_CASELOAD, begun), {});
    assert.deepEqual(undo(begun, finish(begun, "b", answersOf("reached"), "a")), begun.referrals);
  });

  it("is none in a form that is for something else", () => {
    const other = { ...form, role: "" };
    const record = { id: "a", answers: answersOf("sent") };
    assert.deepEqual(addFinishedRecord(EMPTY_CASELOAD, other, record, TODAY).referrals, {});
  });
});

describe("a shift that is on", () => {
  const rows: Row[] = ["start", "end"].map((name) => ({ type: "dateTime", name }));
  const form = makeForm(rows, {
    summary: { shift_start: "/data/start", shift_end: "/data/end" },
  });
  const on = { ...EMPTY_CASELOAD, shift: "2026-11-23T17:58:00.000-05:00" };

  it("is over with the record that says when it was", () => {
    assert.equal(addFinishedRecord(on, FORM, { id: "r", answers: {} }, TODAY).shift, on.shift);
    const answers = { start: on.shift };
    assert.equal(addFinishedRecord(on, form, { id: "r", answers }, TODAY).shift, "");
  });

  it("goes on after hours of yesterday, and ends where its beginning was put right", () => {
    const shiftAfter = (start: string, end: string): string =>
      addFinishedRecord(on, form, { id: "r", answers: { start, end } }, TODAY).shift;
    assert.equal(shiftAfter("2026-11-22T18:00", "2026-11-22T23:00"), on.shift);
    const end = formatLocalTime(new Date(Date.parse(on.shift) + 3_600_000)).slice(0, 23);
    assert.equal(shiftAfter("2026-11-22T18:00", end), "");
    assert.equal(shiftAfter(on.shift.slice(0, 16), "2026-11-22T23:00"), "");
  });
});

describe("a review", () => {
  const ended = { name: "exit", label: {}, data: { app_role: "ends_work" } };
  const again = { name: "review", label: {}, data: { app_role: "review" } };
  const form = makeForm(
    [
      { type: "select_one", name: "what", choices: "kinds" },
      { type: "text", name: "code" },
      { type: "select_one", name: "plan" },
    ],
    {
      id: "participant",
      role: "participant",
      summary: { kind: "/data/what", person: "/data/code", plan: "/data/plan" },
      choices: { kinds: ["intake", again, ended] },
    },
  );
  const finish = (book: Caseload, id: string, what: string, today = TODAY): Caseload => {
    const answers = { what, code: ONE, plan: what === "exit" ? "" : "d90" };
    return addFinishedRecord(book, form, { id, answers }, today);
  };
  const after = finish(EMPTY_CASELOAD, "a", "intake");

  it("is due as long after the intake as its form says", () => {
    assert.deepEqual(idsOf(after), ["a/2027-02-21"]);
    assert.equal(after.due[0]!.own, true);
  });

  it("is done by a review, not by a talk in between or on that day", () => {
    const talk = { id: "t", answers: { day: "2027-02-21", who: { code: ONE } } };
    assert.deepEqual(idsOf(addFinishedRecord(after, FORM, talk, "2027-02-21")), ["a/2027-02-21"]);
    const reviewed = finish(after, "b", "review", "2027-02-22");
    assert.deepEqual(idsOf(reviewed), ["b/2027-05-23"]);
  });

  it("is due and done by the day of finishing where only the month is asked", () => {
    const rows: Row[] = [
      { type: "text", name: "code" },
      { type: "date", name: "month", appearance: "month-year" },
      { type: "select_one", name: "plan" },
    ];
    const summary = { person: "/data/code", day: "/data/month", plan: "/data/plan" };
    const monthly = makeForm(rows, { id: "participant", role: "participant", summary });
    const add = (book: Caseload, id: string, today: string, month: string): Caseload => {
      const answers = { code: ONE, month, plan: "d90" };
      return addFinishedRecord(book, monthly, { id, answers }, today);
    };
    const intake = add(EMPTY_CASELOAD, "a", TODAY, "2026-11-01");
    assert.deepEqual(idsOf(intake), ["a/2027-02-21"]);
    const reviewed = add(intake, "b", "2027-02-22", "2027-02-01");
    assert.deepEqual(idsOf(reviewed), ["b/2027-05-23"]);
    const before = add(EMPTY_CASELOAD, "c", TODAY, "2026-10-01");
    assert.deepEqual(idsOf(before), ["c/2026-12-30"]);
  });

  it("is offered where the card has an intake, by this phone or by the centre", () => {
    assert.equal(findIntake(after, ONE), TODAY);
    assert.equal(findIntake(finish(after, "b", "review", "2027-02-22"), ONE), TODAY);
    assert.equal(findIntake(after, TWO), "");
    const told: PulledItem = [`card/${TWO}`, { tier: "2", seen: TODAY, intake: "2026-10-03" }];
    assert.equal(findIntake(applyPulledChanges(after, [told], 5, true), TWO), "2026-10-03");
  });

  it("is not due of somebody who left", () => {
    assert.deepEqual(idsOf(finish(after, "b", "exit", "2026-12-01")), []);
  });
});
