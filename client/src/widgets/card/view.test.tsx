import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ask } from "../../../test/asked";
import { formatCardCode, makeCardCode } from "../../engine/cards";

const MINE = makeCardCode(new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]));
const NEW = makeCardCode(new Uint8Array([9, 9, 9, 9, 9, 9, 9, 9]));
const help = { people: [{ code: MINE, label: "red cap" }], newCard: () => NEW };
const askCard = (more = help) =>
  ask([{ type: "text", name: "c", label: "Card", appearance: "card-code" }], { help: more });

describe("a card", () => {
  it("is written as it stands on the card, however it was typed", async () => {
    const { filled, shown } = await askCard();
    const typed = `${MINE.slice(0, 4)} ${MINE.slice(4)}`.toLowerCase();
    await shown.enter("input.code", typed);
    assert.equal(filled.read("c"), MINE);
  });

  it("is kept in capitals while it is not whole", async () => {
    const { filled, shown } = await askCard();
    await shown.enter("input.code", "k7q");
    assert.equal(filled.read("c"), "K7Q");
  });

  it("is one of the worker's own by a tap", async () => {
    const { filled, shown } = await askCard();
    assert.match(shown.find(".choices").textContent!, /red cap/);
    await shown.click("input[type=radio]");
    assert.equal(filled.read("c"), MINE);
    assert.equal(shown.has(".big"), false);
  });

  it("is made new, and shown large to be copied", async () => {
    const { filled, shown } = await askCard();
    await shown.click("New card");
    assert.equal(filled.read("c"), NEW);
    assert.equal(shown.find(".big").textContent, formatCardCode(NEW));
  });

  it("is not made where none can be, and not scanned where there is no reader", async () => {
    const { shown } = await askCard({ people: [], newCard: () => "" });
    assert.equal(shown.has("button"), false);
  });

  it("shows at most six of the worker's own", async () => {
    const people = Array.from({ length: 9 }, (_, at) => ({ code: `C${at}`, label: "" }));
    const { shown } = await askCard({ people, newCard: () => "" });
    assert.equal(shown.all("input[type=radio]").length, 6);
  });
});
