import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ask } from "../../test/asked";
import { settle } from "../../test/page";

const question = (number: number) => ({ type: "text", name: `q${number}`, label: `Q ${number}` });

describe("a group", () => {
  it("shows its questions in order, under its title when it is inside another", async () => {
    const inner = {
      type: "group",
      name: "inner",
      label: "Inner",
      rows: [question(2), question(3)],
    };
    const { shown } = await ask([question(1), { type: "group", name: "outer", rows: [inner] }]);
    assert.deepEqual(shown.texts("h2, label span"), ["Q 1", "Inner", "Q 2", "Q 3"]);
    assert.deepEqual(
      shown.all("input").map((input) => input.id),
      ["q-q1", "q-outer.inner.q2", "q-outer.inner.q3"],
    );
  });

  it("disappears with its condition, and what is in it", async () => {
    const group = {
      type: "group",
      name: "g",
      label: "G",
      relevant: "${q1} = 'yes'",
      rows: [question(2)],
    };
    const { shown } = await ask([question(1), group]);
    assert.equal(shown.has("#q-g\\.q2"), false);
    await shown.enter("#q-q1", "yes");
    assert.equal(shown.has("#q-g\\.q2"), true);
  });
});

describe("a long page", () => {
  const rows = Array.from({ length: 100 }, (_, at) => question(at));

  it("is drawn piece by piece until all of it is there", async () => {
    const { shown } = await ask(rows);
    const first = shown.all("input").length;
    assert.ok(first >= 30 && first < 100, `${first} at first`);
    for (let wait = 0; wait < 50 && shown.all("input").length < 100; wait++) {
      await new Promise((done) => setTimeout(done, 20));
      await settle();
    }
    assert.equal(shown.all("input").length, 100);
  });

  it("is drawn at once when problems are to be shown on it", async () => {
    const { shown } = await ask(rows, { problems: ["q99"] });
    assert.equal(shown.all("input").length, 100);
  });
});
