import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { describePinProblem } from "./pin_rules";

describe("a PIN", () => {
  it("has 6 to 12 digits", () => {
    assert.equal(describePinProblem("318275"), "");
    assert.equal(describePinProblem("318275946201"), "");
    for (const pin of ["", "31827", "3182759462013", "31827a", " 318275", "３１８２７５"]) {
      assert.match(describePinProblem(pin), /6 to 12 digits/, pin);
    }
  });

  it("is not one digit over and over, nor a run of digits", () => {
    for (const pin of ["000000", "777777777", "123456", "012345", "890123", "987654", "109876"]) {
      assert.match(describePinProblem(pin), /too easy/, pin);
    }
  });

  it("may repeat and run in part", () => {
    for (const pin of ["112233", "123457", "100000", "123321"]) {
      assert.equal(describePinProblem(pin), "", pin);
    }
  });
});
