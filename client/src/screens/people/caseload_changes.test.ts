import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { NO_CASELOAD } from "../../../test/screen";
import type { Caseload } from "../../storage/caseload";
import { addCard, giveCard, labelCard, reissueCard } from "./caseload_changes";

const person = (code: string, label = "") => ({ code, label, seenOn: "2026-11-01", tier: "1" });
const followUp = (code: string) => ({
  id: `r/${code}`,
  on: "2026-12-01",
  code,
  form: "f",
  from: "",
});
const CASELOAD: Caseload = {
  ...NO_CASELOAD,
  people: [person("A", "red cap"), person("B")],
  due: [followUp("A"), followUp("B"), followUp("")],
  clashes: ["A"],
};
const codes = ({ people }: Caseload) => people.map(({ code }) => code);

describe("a card made on this phone", () => {
  it("comes first, and the centre is still to hear of it", () => {
    const after = addCard(CASELOAD, "C", "", "2026-11-23");
    assert.deepEqual(codes(after), ["C", "A", "B"]);
    assert.deepEqual(after.made, ["C"]);
    assert.equal(after.people[0]!.seenOn, "2026-11-23");
  });
});

describe("a card that leaves the list", () => {
  it("takes what is due for it and its person's referrals along, and nothing else", () => {
    const referral = { form: "f", version: "1", answers: {}, heads: [], kind: "", status: "" };
    const referrals = {
      mine: { ...referral, day: "2026-11-01", code: "A" },
      nobodys: { ...referral, day: "2026-11-01", code: "" },
    };
    const after = giveCard({ ...CASELOAD, referrals }, "A");
    assert.deepEqual(Object.keys(after.referrals), ["nobodys"]);
    assert.deepEqual(codes(after), ["B"]);
    assert.deepEqual(
      after.due.map(({ code }) => code),
      ["B", ""],
    );
  });
});

describe("a label", () => {
  it("is changed on its own card", () => {
    const after = labelCard(CASELOAD, "B", "gym");
    assert.deepEqual(
      after.people.map(({ label }) => label),
      ["red cap", "gym"],
    );
  });
});

describe("a card whose code clashed", () => {
  const after = reissueCard(CASELOAD, "A", "N", "2026-11-23");

  it("has a new code, with its label and what is due", () => {
    assert.deepEqual(codes(after), ["N", "B"]);
    assert.equal(after.people[0]!.label, "red cap");
    assert.deepEqual(
      after.due.map(({ code }) => code),
      ["N", "B", ""],
    );
  });

  it("clashes no longer", () => {
    assert.deepEqual(after.clashes, []);
    assert.deepEqual(after.made, ["N"]);
  });

  it("leaves the caseload before as it was", () => {
    assert.deepEqual(codes(CASELOAD), ["A", "B"]);
    assert.deepEqual(CASELOAD.clashes, ["A"]);
  });
});
