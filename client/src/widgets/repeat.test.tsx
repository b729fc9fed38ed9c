import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ask } from "../../test/asked";

const NAME = { type: "text", name: "name", label: "Name", required: true as const };
const PEOPLE = { type: "repeat", name: "people", label: "Person", rows: [NAME] };

async function askPeople(count: number) {
  const asked = await ask([PEOPLE]);
  for (let number = 0; number < count; number++) await asked.shown.click("Add one: Person");
  return asked;
}

describe("a repeat", () => {
  it("says that there is none so far", async () => {
    const { shown } = await askPeople(0);
    assert.match(shown.text, /None so far/);
  });

  it("adds an instance, numbered and open", async () => {
    const { shown } = await askPeople(2);
    assert.deepEqual(shown.texts("section h2"), ["Person 1", "Person 2"]);
    assert.deepEqual(
      shown.all("input").map((input) => input.id),
      ["q-people[1].name", "q-people[2].name"],
    );
  });

  it("removes the instance whose button was tapped, and keeps what others hold", async () => {
    const { filled, shown } = await askPeople(3);
    const fields = shown.all("input");
    for (const [at, name] of ["Ann", "Ben", "Cem"].entries()) await shown.enter(fields[at]!, name);
    const remove = shown.all("button").filter((button) => button.textContent === "Remove");
    await shown.click(remove[1]!);
    assert.deepEqual(filled.form.toJson(), { people: [{ name: "Ann" }, { name: "Cem" }] });
    assert.deepEqual(
      shown.all<HTMLInputElement>("input").map((input) => input.value),
      ["Ann", "Cem"],
    );
  });

  it("folds when there are many: one stands open, the others say their first answers", async () => {
    const { shown } = await askPeople(3);
    for (const [at, field] of shown.all("input").entries()) await shown.enter(field, `P${at + 1}`);
    await shown.click("Add one: Person");
    assert.equal(shown.all("input").length, 1);
    assert.deepEqual(shown.texts("section > p"), ["P1", "P2", "P3"]);
  });

  it("opens another one, and closes it again", async () => {
    const { shown } = await askPeople(4);
    const folds = () => shown.all("[aria-expanded]");
    await shown.click(folds()[0]!);
    assert.deepEqual(
      folds().map((button) => button.getAttribute("aria-expanded")),
      ["true", "false", "false", "false"],
    );
    await shown.click(folds()[0]!);
    assert.equal(shown.has("input"), false);
    assert.equal(shown.texts("section > p")[0], "Nothing answered yet.");
  });

  it("stands open where there is a problem to show", async () => {
    const rows = Array.from({ length: 5 }, () => ({}));
    const { filled } = await ask([PEOPLE]);
    for (const _ of rows) filled.add("people");
    assert.equal(filled.form.root.childrenNamed("people").length, 5);
    const { shown } = await ask([{ ...PEOPLE, count: "5" }], { problems: ["people[4].name"] });
    assert.equal(shown.find("input").id, "q-people[4].name");
  });

  it("has as many instances as a calculation says, which nobody adds or removes", async () => {
    const size = { type: "integer", name: "size", label: "Size" };
    const { shown } = await ask([size, { ...PEOPLE, count: "${size}" }]);
    await shown.enter("#q-size", "2");
    assert.deepEqual(shown.texts("section h2"), ["Person 1", "Person 2"]);
    assert.doesNotMatch(shown.text, /Remove|Add one/);
  });
});
