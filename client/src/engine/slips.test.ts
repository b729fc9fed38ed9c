import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { makeForm } from "../../test/forms";
import { makeCardCode } from "./cards";
import { makeSlip, saidYes, splitSlip } from "./slips";
import type { Json } from "./types";

const CARD = makeCardCode(new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]));
const YES = [{ name: "yes", label: { en: "Yes" }, data: { app_role: "yes" } }, "no"];
const FORM = makeForm(
  [
    { type: "text", name: "code" },
    { type: "select_one", name: "asked", choices: "asked" },
    { type: "select_one", name: "understood", choices: "yes_no" },
    { type: "select_one", name: "tier", choices: "tier" },
  ],
  {
    choices: {
      asked: [
        { name: "read_out", label: { en: "Read out" }, data: { app_role: "conversation" } },
        "earlier",
      ],
      yes_no: YES,
      tier: ["0", "1", "2", "3"],
    },
    summary: {
      person: "/data/code",
      consent_asked: "/data/asked",
      consent_understood: "/data/understood",
      tier: "/data/tier",
    },
  },
);
const ASKED: Json = { code: CARD, asked: "read_out", understood: "yes", tier: "1" };

describe("a new slip", () => {
  it("takes one of 32 characters from each byte, all as often", () => {
    const counts = new Map<string, number>();
    for (let byte = 0; byte < 256; byte++) {
      const slip = makeSlip(new Uint8Array(12).fill(byte));
      assert.match(slip, /^([0-9A-HJKMNP-TV-Z])\1{11}$/);
      counts.set(slip, (counts.get(slip) ?? 0) + 1);
    }
    assert.equal(counts.size, 32);
    assert.deepEqual([...new Set(counts.values())], [8]);
  });

  it("is shown in three groups of four", () => {
    assert.deepEqual(splitSlip("K7QM3RXDQ2FA"), ["K7QM", "3RXD", "Q2FA"]);
  });
});

describe("who gets a slip", () => {
  it("is who was asked in this record, understood and said yes", () => {
    for (const tier of ["1", "2", "3"]) assert.ok(saidYes(FORM, { ...ASKED, tier }));
  });

  for (const [why, change] of Object.entries({
    "who said no": { tier: "0" },
    "who takes all back": { tier: "-1" },
    "who was not asked now": { asked: "earlier" },
    "who did not understand": { understood: "no" },
    "who has no card": { code: "" },
    "whose code is none": { code: "K7QM" },
  }))
    it(`is not ${why}`, () => assert.equal(saidYes(FORM, { ...ASKED, ...change }), false));

  it("is nobody in a form that does not ask", () => {
    const form = makeForm([{ type: "text", name: "code" }], { summary: { person: "/data/code" } });
    assert.equal(saidYes(form, ASKED), false);
  });
});
