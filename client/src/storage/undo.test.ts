import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { addCard, reissueCard, removeCard } from "../screens/people/caseload_changes";
import { type Caseload, EMPTY_CASELOAD, type FollowUp } from "./caseload";
import { compareCaseloads, undoChange, withoutEarlier } from "./undo";

const PERSON = { code: "A", label: "red cap", seenOn: "2026-11-01", tier: "1" };
const DUE: FollowUp = { id: "r/2026-11-20", on: "2026-11-20", code: "A", form: "f", from: "2026" };
const INCIDENT = { form: "incident", from: "2026-11-20", kind: "fight", area: "north" };
const RECORD = { form: "f", version: "1", answers: {}, heads: ["r"] };

/** Each field that finishing can change: as it was, and as it is then. A new field needs a line. */
const CHANGES: Record<keyof Caseload, [before: unknown, after: unknown] | null> = {
  people: [[PERSON], [{ code: "B", label: "", seenOn: "2026-11-29", tier: "2" }, PERSON]],
  due: [[DUE], [{ ...DUE, id: "s/2026-12-01", on: "2026-12-01" }]],
  open: [{ r: INCIDENT }, { s: INCIDENT }],
  intakes: [{ A: "2026-01-01" }, { A: "2026-11-29", B: "2026-11-29" }],
  shift: ["2026-11-29T20:00:00.000-05:00", ""],
  cursor: null,
  referrals: [{ r: { ...RECORD, day: "2026-11-01", code: "A", kind: "", status: "sent" } }, {}],
  todo: [{ r: { ...RECORD, state: "returned", day: "2026-11-01" } }, {}],
  clashes: [["A"], []],
  made: [["A"], ["B"]],
  settled: [["q/2026-10-01"], ["q/2026-10-01", DUE.id]],
  seen: [{}, { r: { id: "i", assigned: "2026-11-29", since: "", area: "" } }],
  requests: [{ s: { need: "visit", area: "" } }, {}],
  told: null,
  unheard: [{ A: ["q"] }, { A: ["q", "s"], B: ["s"] }],
  sealedLabels: null,
  keptLabels: null,
  erased: null,
  reminds: null,
  reads: null,
  finished: null,
  heard: null,
};

describe("undoing what finishing changed", () => {
  for (const [field, change] of Object.entries(CHANGES)) {
    if (!change) continue;
    it(`puts ${field} back as it was`, () => {
      const [before, after] = change.map((value) => ({ ...EMPTY_CASELOAD, [field]: value }));
      assert.deepEqual(undoChange(after!, compareCaseloads(before!, after!)), before);
    });
  }

  it("has an answer for each field of a caseload", () => {
    assert.deepEqual(Object.keys(CHANGES).sort(), Object.keys(EMPTY_CASELOAD).sort());
  });

  it("leaves what has come on top of it", () => {
    const before = { ...EMPTY_CASELOAD, shift: "yesterday", intakes: { A: "2026-01-01" } };
    const after = { ...before, shift: "", intakes: { A: "2026-11-29" }, unheard: { A: ["s"] } };
    const now = { ...after, shift: "today", intakes: {}, unheard: { A: ["s", "t"] } };
    const undone = undoChange(now, compareCaseloads(before, after));
    assert.deepEqual(undone, { ...now, unheard: { A: ["t"] } });
  });

  it("does not make due again what was due of a card that went to somebody else", () => {
    const before = { ...EMPTY_CASELOAD, people: [PERSON], due: [DUE] };
    const after = { ...before, people: [{ ...PERSON, seenOn: "2026-11-20" }], due: [] };
    const without = removeCard(after, "A");
    assert.deepEqual(undoChange(without, compareCaseloads(before, after)), without);
  });

  it("brings back a card that was given away, with what is due of it", () => {
    const before = { ...EMPTY_CASELOAD, people: [PERSON], due: [DUE] };
    const after = removeCard(before, "A");
    assert.deepEqual(undoChange(after, compareCaseloads(before, after)), before);
  });

  it("brings back the old card in place of the new one", () => {
    const clashing = { ...EMPTY_CASELOAD, people: [PERSON], due: [DUE], clashes: ["A"] };
    const before = addCard(clashing, "C", "", "2026-11-28");
    const after = reissueCard(before, "A", "B", "2026-11-29");
    assert.deepEqual(undoChange(after, compareCaseloads(before, after)), before);
  });

  it("is the same whichever of two is undone first: a contact, or giving the card away", () => {
    const other = { code: "B", label: "", seenOn: "2026-11-15", tier: "2" };
    const before = { ...EMPTY_CASELOAD, people: [other, PERSON], due: [DUE] };
    const met = { ...PERSON, seenOn: "2026-11-20" };
    const next = { ...DUE, id: "s/2026-12-01", on: "2026-12-01" };
    const after = { ...before, people: [met, other], due: [next] };
    const contact = compareCaseloads(before, after);
    const without = removeCard(after, "A");
    const away = compareCaseloads(after, without);
    assert.deepEqual(undoChange(undoChange(without, away), contact), before);
    assert.deepEqual(
      undoChange(undoChange(without, contact), withoutEarlier(away, contact)),
      before,
    );
  });

  it("leaves the caseload as it is where an app of before finished the record", () => {
    assert.deepEqual(undoChange(EMPTY_CASELOAD, {}), EMPTY_CASELOAD);
  });
});
