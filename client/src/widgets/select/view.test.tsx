import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ask } from "../../../test/asked";

const names = (count: number) => Array.from({ length: count }, (_, at) => `c${at}`);
const askOne = (count: number, appearance = "", type = "select_one") =>
  ask([{ type, name: "q", label: "Which?", choices: "list", appearance }], {
    choices: { list: names(count) },
  });

describe("one choice", () => {
  it("is a card each, of which one is on", async () => {
    const { filled, shown } = await askOne(3);
    await shown.click("input[value=c1]");
    assert.equal(filled.read("q"), "c1");
    await shown.click("input[value=c2]");
    assert.equal(filled.read("q"), "c2");
    assert.equal(shown.all("input[type=radio]").length, 3);
  });

  it("is folded after eight cards, with what is chosen always to be seen", async () => {
    const { filled, shown } = await askOne(15);
    assert.equal(shown.all("input").length, 8);
    await shown.click("7 more");
    assert.equal(shown.all("input").length, 15);
    await shown.click("input[value=c14]");
    assert.equal(filled.read("q"), "c14");
  });

  it("is not folded for a single card", async () => {
    assert.equal((await askOne(9)).shown.all("input").length, 9);
  });

  it("stands in as many columns as the form says, while their words fit", async () => {
    const { shown } = await askOne(6, "columns-3");
    const list = shown.find<HTMLElement>(".choices");
    assert.equal(list.className, "choices pack");
    assert.equal(list.style.getPropertyValue("--columns"), "3");
    assert.equal((await askOne(3, "columns-1")).shown.find(".choices").className, "choices long");
  });

  it("shows as many of the likely ones as two rows hold", async () => {
    const whole = await askOne(12, "columns-pack likely-first");
    assert.equal(whole.shown.all("input").length, 6);
    const measured = Object.getOwnPropertyDescriptor(HTMLElement.prototype, "offsetTop")!;
    const rowOf = (card: HTMLElement): number =>
      Math.floor([...card.parentElement!.children].indexOf(card) / 3);
    Object.defineProperty(HTMLElement.prototype, "offsetTop", {
      configurable: true,
      get(this: HTMLElement) {
        return 50 * rowOf(this);
      },
    });
    try {
      const { shown } = await askOne(12, "columns-pack likely-first");
      assert.equal(shown.all("input").length, 5); // and “7 more”
    } finally {
      Object.defineProperty(HTMLElement.prototype, "offsetTop", measured);
    }
  });

  it("drops down where the form asks for it", async () => {
    const { filled, shown } = await askOne(4, "minimal");
    await shown.enter("select", "c3");
    assert.equal(filled.read("q"), "c3");
    assert.equal(shown.has("fieldset"), false);
  });

  it("is searched when there are many, and can be changed", async () => {
    const { filled, shown } = await askOne(40);
    assert.equal(shown.has("input[type=radio]"), false);
    await shown.enter("input[type=search]", "c39");
    assert.match(shown.text, /1 match/);
    await shown.click("input[type=radio]");
    assert.equal(filled.read("q"), "c39");
    assert.equal(shown.find("b").textContent, "C39");
    await shown.click("Change: Which?");
    assert.equal(shown.has("input[type=search]"), true);
  });

  it("offers the last answers before a letter is typed, and has the focus after “Change”", async () => {
    const recent = (): string[] => ["c38", "gone", "c2"];
    const { filled, shown } = await ask(
      [{ type: "select_one", name: "q", label: "Which?", choices: "list" }],
      { choices: { list: names(40) }, help: { recent } },
    );
    assert.deepEqual(shown.texts(".choices span"), ["C38", "C2"]);
    await shown.click("input[value=c2]");
    assert.equal(filled.read("q"), "c2");
    await shown.click("Change: Which?");
    assert.equal(document.activeElement, shown.find("input[type=search]"));
  });

  it("asks for more letters when too many match", async () => {
    const { shown } = await askOne(40);
    await shown.enter("input[type=search]", "c");
    assert.match(shown.text, /40 match, keep typing/);
    assert.equal(shown.all("input[type=radio]").length, 8);
  });

  it("says so when there is nothing to choose from", async () => {
    assert.match((await askOne(0)).shown.text, /Nothing to choose from yet/);
  });

  it("is taken back when its list no longer has it", async () => {
    const rows = [
      { type: "select_one", name: "where", label: "Where", choices: "places" },
      {
        type: "select_one",
        name: "spot",
        label: "Spot",
        choices: "spots",
        items: "instance('spots')/root/item[in = ${where}]",
      },
    ];
    const spots = [
      { name: "gym", label: { en: "Gym" }, data: { in: "a" } },
      { name: "park", label: { en: "Park" }, data: { in: "b" } },
    ];
    const { filled, shown } = await ask(rows, { choices: { places: ["a", "b"], spots } });
    await shown.click("input[value=a]");
    await shown.click("input[value=gym]");
    assert.equal(filled.read("spot"), "gym");
    await shown.click("input[value=b]");
    assert.equal(filled.read("spot"), "");
    assert.equal(shown.has("input[value=park]"), true);
  });
});

describe("several choices", () => {
  it("are kept in the order of the list", async () => {
    const { filled, shown } = await askOne(3, "", "select_multiple");
    await shown.click("input[value=c2]");
    await shown.click("input[value=c0]");
    assert.equal(filled.read("q"), "c0 c2");
    await shown.click("input[value=c2]");
    assert.equal(filled.read("q"), "c0");
  });

  it("stay in view while another is searched", async () => {
    const { filled, shown } = await askOne(40, "", "select_multiple");
    await shown.enter("input[type=search]", "c39");
    await shown.click("input[type=checkbox]");
    await shown.enter("input[type=search]", "c38");
    await shown.click("input[value=c38]");
    assert.equal(filled.read("q"), "c38 c39");
    assert.deepEqual(shown.texts(".choices span"), ["C38", "C39"]);
  });
});
