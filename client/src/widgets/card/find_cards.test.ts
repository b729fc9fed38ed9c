import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { findCards } from "./find_cards";

const CARDS = [
  { code: "K7QM3RXDQ", label: "red cap, Tuesday gym" },
  { code: "5326CES4M", label: "" },
  { code: "0Z08H53Z5", label: "Élodie’s brother" },
];
const find = (typed: string): string[] => findCards(CARDS, typed).map(({ code }) => code);

describe("finding a card", () => {
  it("gives all while nothing is typed", () => {
    assert.equal(find(" ").length, 3);
  });

  it("goes by the last characters of the code, however they are written", () => {
    assert.deepEqual(find("s4m"), ["5326CES4M"]);
    assert.deepEqual(find("3r-xd"), ["K7QM3RXDQ"]);
    assert.deepEqual(find("k7qm-3rxdq"), ["K7QM3RXDQ"]);
  });

  it("goes by the worker's own words", () => {
    assert.deepEqual(find("red c"), ["K7QM3RXDQ"]);
    assert.deepEqual(find("élodie"), ["0Z08H53Z5"]);
  });

  it("gives none where nothing fits", () => {
    assert.deepEqual(find("blue"), []);
  });

  it("is quick among 500 cards", () => {
    const many = Array.from({ length: 500 }, (_, at) => ({ ...CARDS[0]!, code: `CARD${at}` }));
    assert.equal(findCards(many, "card499").length, 1);
  });
});
