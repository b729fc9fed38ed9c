import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { until } from "../../../test/page";
import { formCalled, openScreen } from "../../../test/screen";
import { makeCardCode, parseCardCode, formatCardCode } from "../../engine/cards";
import { changeCaseload, readCaseload } from "../../storage/caseload";
import { Card } from "./card";
import { People } from "./people";
import { drawQrCode } from "./qr_drawing";

const CODE = makeCardCode(new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]));
const PERSON = { code: CODE, label: "red cap", seenOn: "2026-11-03", tier: "1" };

describe("the list of cards", () => {
  it("says what to do while it is empty", async () => {
    const { shown } = await openScreen(<People />);
    assert.match(shown.text, /No card yet/);
  });

  it("has each card with its label and the day it was last seen", async () => {
    const { shown } = await openScreen(<People />, { book: { people: [PERSON] } });
    const [text] = shown.texts(".btn.between");
    assert.ok(text!.includes(formatCardCode(CODE)));
    assert.match(text!, /red cap ?Nov 3/);
  });

  it("makes a card without signal, stores it, and shows it", async () => {
    const { shown, app } = await openScreen(<People />);
    await shown.click("Create a new card");
    await until(() => location.hash !== "");
    const { people, made } = await readCaseload(app.vault);
    assert.equal(people.length, 1);
    assert.equal(parseCardCode(people[0]!.code), people[0]!.code);
    assert.deepEqual(made, [people[0]!.code]);
    assert.equal(location.hash, `#/card/${people[0]!.code}`);
  });
});

async function openCard(options: Parameters<typeof openScreen>[1] = {}) {
  const screen = await openScreen(<Card code={CODE} />, { book: { people: [PERSON] }, ...options });
  await changeCaseload(screen.app.vault, (caseload) => ({ ...caseload, people: [PERSON] }));
  return screen;
}

describe("a card", () => {
  it("shows its code to be copied and to be scanned", async () => {
    const { shown } = await openCard();
    assert.equal(shown.find(".big").textContent, formatCardCode(CODE));
    assert.equal(shown.has("svg path"), true);
  });

  it("says so when it is not on the list", async () => {
    const { shown } = await openCard({ book: { people: [] } });
    assert.match(shown.text, /not on your list/);
  });

  it("stores another label, of 60 characters at most, on the phone", async () => {
    const { shown, app } = await openCard();
    await shown.enter("#label", "x".repeat(99));
    await shown.submit("form.card");
    await until(() => shown.text.includes("Saved."));
    assert.equal((await readCaseload(app.vault)).people[0]!.label, "x".repeat(60));
  });

  it("leaves the list only when the worker is sure", async () => {
    const unsure = await openCard({ isSure: false });
    await unsure.shown.click("Remove from my list");
    assert.equal((await readCaseload(unsure.app.vault)).people.length, 1);
    const sure = await openCard();
    await sure.shown.click("Remove from my list");
    await until(() => location.hash === "#/people");
    assert.equal((await readCaseload(sure.app.vault)).people.length, 0);
  });

  it("leads to an encounter about it", async () => {
    const forms = [{ ...formCalled("contact", "Contact"), role: "encounter" }];
    const { shown } = await openCard({ forms });
    const link = shown.button("Log an encounter") as unknown as HTMLAnchorElement;
    assert.equal(link.getAttribute("href"), `#/start/contact/${encodeURIComponent(`${CODE}|`)}`);
  });
});

describe("handing a card over", () => {
  const team = [{ user: 9, label: "Ben" }];

  it("is offered only to who has colleagues", async () => {
    assert.equal((await openCard()).shown.has("#to"), false);
    assert.equal((await openCard({ account: { team } })).shown.has("#to"), true);
  });

  it("takes the card off the list and goes out as a sealed note", async () => {
    const { shown, app, calls, questions } = await openCard({ account: { team } });
    await shown.enter("#to", "9");
    await shown.submit("details form");
    assert.match(questions[0]!, /Hand this card over to Ben/);
    await until(() => calls.includes("exchange"));
    assert.deepEqual((await readCaseload(app.vault)).people, []);
    assert.deepEqual(calls, ["refresh", "exchange"]);
  });

  it("does nothing when the worker is not sure, or chose nobody", async () => {
    const { shown, app, calls } = await openCard({ account: { team }, isSure: false });
    await shown.submit("details form");
    await shown.enter("#to", "9");
    await shown.submit("details form");
    assert.equal((await readCaseload(app.vault)).people.length, 1);
    assert.deepEqual(calls, []);
  });
});

describe("a QR code", () => {
  it("is the same for the same text, and another for another", () => {
    assert.deepEqual(drawQrCode(CODE), drawQrCode(CODE));
    assert.notEqual(drawQrCode(CODE).path, drawQrCode(`${CODE}X`).path);
  });

  it("has the three corners that scanners look for", () => {
    const { size, path } = drawQrCode(CODE);
    const isDark = (x: number, y: number): boolean => path.includes(`M${x} ${y}h1v1h-1z`);
    const corners: [number, number][] = [
      [0, 0],
      [size - 7, 0],
      [0, size - 7],
    ];
    for (const [x, y] of corners) {
      for (let step = 0; step < 7; step++) assert.ok(isDark(x + step, y) && isDark(x, y + step));
      assert.equal(isDark(x + 1, y + 1), false);
      assert.equal(isDark(x + 3, y + 3), true);
    }
    assert.equal(isDark(size - 1, size - 1) && isDark(size - 7, size - 7), false);
  });
});
