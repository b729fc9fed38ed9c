import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { seeded } from "../../test/chance";
import { formatCardCode, makeCardCode, parseCardCode } from "./cards";

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CHECKS = `${ALPHABET}*~$=U`;

/** The check character by another way than the code's: on one large whole number. */
function checkCharacter(characters: string): string {
  let value = 0n;
  for (const character of characters) value = value * 32n + BigInt(ALPHABET.indexOf(character));
  return CHECKS[Number(value % 37n)]!;
}

function randomCode(below: (limit: number) => number): string {
  return makeCardCode(Uint8Array.from({ length: 8 }, () => below(256)));
}

/** What a code becomes by one wrong character, or by two neighbours that change places. */
function listSlips(code: string): string[] {
  const slips: string[] = [];
  for (let at = 0; at < 8; at++) {
    const head = code.slice(0, at);
    for (const other of ALPHABET) slips.push(head + other + code.slice(at + 1));
    if (at < 7) slips.push(head + code[at + 1] + code[at] + code.slice(at + 2));
  }
  return slips.filter((slip) => slip !== code);
}

describe("a card code", () => {
  it("is refused when it is too short, too long, or has other characters", () => {
    const good = makeCardCode(new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]));
    for (const wrong of [
      "",
      "   ",
      good.slice(0, 8),
      `${good}0`,
      good.slice(1),
      `U${good.slice(1)}`,
      `é${good.slice(1)}`,
      `${good.slice(0, 4)}_${good.slice(5)}`,
    ])
      assert.equal(parseCardCode(wrong), "", wrong);
  });

  it("is refused with any other check character", () => {
    const code = makeCardCode(new Uint8Array([31, 0, 5, 7, 9, 11, 13, 17]));
    for (const check of CHECKS) {
      const expected = check === code[8] ? code : "";
      assert.equal(parseCardCode(code.slice(0, 8) + check), expected, check);
    }
  });

  it("has eight characters of chance and one that checks them", () => {
    const { below, seed } = seeded("codes");
    for (let round = 0; round < 500; round++) {
      const code = randomCode(below);
      assert.equal(code.length, 9);
      assert.equal(code[8], checkCharacter(code.slice(0, 8)), `seed ${seed}: ${code}`);
      assert.equal(parseCardCode(code), code, `seed ${seed}: ${code}`);
    }
  });

  it("comes as evenly from bytes as they are", () => {
    const counts = new Map<string, number>();
    for (let byte = 0; byte < 256; byte++) {
      const character = makeCardCode(new Uint8Array(8).fill(byte))[0]!;
      counts.set(character, (counts.get(character) ?? 0) + 1);
    }
    assert.equal(counts.size, 32);
    assert.ok([...counts.values()].every((count) => count === 8));
  });

  it("takes no more bytes than it needs", () => {
    const bytes = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]);
    assert.equal(makeCardCode(new Uint8Array([...bytes, 99, 98])), makeCardCode(bytes));
  });

  it("is read as people write it", () => {
    const code = makeCardCode(new Uint8Array([10, 11, 12, 13, 14, 15, 16, 17]));
    assert.equal(parseCardCode(formatCardCode(code)), code);
    assert.equal(parseCardCode(` ${code.toLowerCase()} `), code);
    assert.equal(parseCardCode(code.split("").join(" ")), code);
    assert.equal(parseCardCode(code.split("").join("-")), code);
  });

  it("takes letters that look like numbers for numbers", () => {
    const code = makeCardCode(new Uint8Array([1, 1, 0, 0, 9, 9, 9, 9]));
    assert.ok(code.startsWith("1100"));
    assert.equal(parseCardCode(`IL0O${code.slice(4)}`), code);
    assert.equal(parseCardCode(`il0o${code.slice(4)}`), code);
  });

  it("does not take a look-alike for a check character", () => {
    // 37 checks: among them U, which is in no code, but I, L and O are none of them.
    const { below } = seeded("look-alikes");
    for (let round = 0; round < 300; round++) {
      const code = randomCode(below);
      if (code[8] === "1") assert.equal(parseCardCode(`${code.slice(0, 8)}I`), "");
      if (code[8] === "0") assert.equal(parseCardCode(`${code.slice(0, 8)}O`), "");
    }
  });

  it("notices every single wrong character, and every two that changed places", () => {
    const { below, seed } = seeded("slips");
    for (let round = 0; round < 60; round++) {
      const code = randomCode(below);
      for (const wrong of listSlips(code))
        assert.equal(parseCardCode(wrong), "", `seed ${seed}: ${wrong} for ${code}`);
    }
  });

  it("is shown in two halves", () => {
    assert.equal(formatCardCode("K7QM3RXDQ"), "K7QM-3RXDQ");
  });
});
