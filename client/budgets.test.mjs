import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  BUDGETS,
  findExcess,
  FIRST_QUESTION,
  FIRST_QUESTION_BUDGET,
  formatTable,
  sumFirstQuestion,
} from "./budgets.mjs";

describe("the size budget", () => {
  const empty = Object.fromEntries(Object.keys(BUDGETS).map((piece) => [piece, 0]));
  const full = { ...BUDGETS };
  for (const piece of FIRST_QUESTION) full[piece] = FIRST_QUESTION_BUDGET / FIRST_QUESTION.length;

  test("lets pieces pass up to their budgets", () => {
    const pieces = Object.entries(BUDGETS).filter(([piece]) => !FIRST_QUESTION.includes(piece));
    assert.deepEqual(findExcess({ ...empty, ...Object.fromEntries(pieces) }), []);
  });

  test("names the piece that is over its own", () => {
    const [problem, ...others] = findExcess({ ...empty, board: BUDGETS.board + 1 });
    assert.match(problem, /^board weighs/);
    assert.deepEqual(others, []);
  });

  test("wants a budget for every piece, and a piece for every budget", () => {
    assert.match(findExcess({ ...empty, "new piece": 1 })[0], /^new piece has no budget/);
    const { board, ...rest } = empty;
    assert.equal(board, 0);
    assert.match(findExcess(rest)[0], /^board has a budget and is not in the build/);
  });

  test("counts what comes before the first question together, too", () => {
    const sizes = { ...empty, "before sign-in": 10, french: 5, "heat map": 1000 };
    assert.equal(sumFirstQuestion(sizes), 15);
    const roomy = Object.fromEntries(Object.keys(BUDGETS).map((piece) => [piece, 1e6]));
    const heavy = { ...empty, "after sign-in": FIRST_QUESTION_BUDGET + 1 };
    assert.match(findExcess(heavy, roomy)[0], /^The way to the first question/);
  });

  test("is printed as one line a piece", () => {
    const lines = formatTable(full).split("\n");
    assert.equal(lines.length, Object.keys(BUDGETS).length + 1);
    assert.match(lines.at(-1), /to the first question +70\.0 KB of +70\.0$/);
  });
});
