import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { until } from "../../../test/page";
import { makeForm } from "../../../test/forms";
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

  it("finds one among many by the end of its code or by the worker's words", async () => {
    const people = Array.from({ length: 30 }, (_, at) => ({
      code: makeCardCode(new Uint8Array([9, 9, 9, at, 5, 6, 7, 8])),
      label: at === 7 ? "blue door" : "",
      seenOn: "2026-11-03",
      tier: "1",
    }));
    const { shown } = await openScreen(<People />, { book: { people } });
    assert.equal(shown.all(".btn.between").length, 12); // the last ones seen
    await shown.click("18 more");
    assert.equal(shown.all(".btn.between").length, 30);
    await shown.enter("#find", "blue");
    assert.equal(shown.all(".btn.between").length, 1);
    await shown.enter("#find", people[3]!.code.slice(-4));
    assert.match(shown.texts(".btn.between")[0]!, new RegExp(formatCardCode(people[3]!.code)));
    await shown.enter("#find", "nobody");
    assert.match(shown.text, /None of your cards fits/);
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
    await until(() => shown.has("svg path"));
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

  it("says so when the label seems to point to a person", async () => {
    const { shown } = await openCard();
    assert.doesNotMatch(shown.text, /seems to contain/);
    await shown.enter("#label", "John Smith 416-555-1234");
    assert.match(shown.text, /seems to contain a phone number, a name/);
  });

  it("is made, and the clock stays for whoever hides the app meanwhile", async () => {
    const { shown, app, calls } = await openScreen(<People />);
    shown.button("Create a new card").click();
    location.hash = "#/clock";
    await until(() => calls.includes("refresh"));
    assert.equal((await readCaseload(app.vault)).people.length, 1);
    assert.equal(location.hash, "#/clock");
  });

  it("makes one card of two taps", async () => {
    const { shown, app } = await openScreen(<People />);
    const button = shown.button("Create a new card");
    button.click();
    button.click();
    await until(() => location.hash !== "");
    assert.equal((await readCaseload(app.vault)).people.length, 1);
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

  it("leads to a check-in, where the form says which kind that is", async () => {
    const kind = { type: "select_one", name: "kind", label: "Kind", choices: "kinds" };
    const contact = makeForm([kind], {
      id: "contact",
      role: "encounter",
      summary: { kind: "/data/kind" },
      choices: { kinds: [{ name: "seen", label: { en: "Seen" }, data: { app_role: "check_in" } }] },
    });
    const { shown } = await openCard({ forms: [contact] });
    const link = shown.button("Log an encounter") as unknown as HTMLAnchorElement;
    const about = encodeURIComponent(`${CODE}|seen`);
    assert.equal(link.getAttribute("href"), `#/start/contact/${about}`);
  });

  it("says what is due, what they said yes to, and the last contacts", async () => {
    const kind = { type: "select_one", name: "kind", label: "Kind", choices: "kinds" };
    const tier = { type: "select_one", name: "tier", label: "Tier", choices: "tiers" };
    const contact = makeForm([kind, tier], {
      id: "contact",
      title: { en: "Contact" },
      role: "encounter",
      summary: { kind: "/data/kind", tier: "/data/tier" },
      choices: {
        kinds: [{ name: "seen", label: { en: "Check-in" } }],
        tiers: [{ name: "2", label: { en: "Counts and research" } }],
      },
    });
    const consent = { tier: 2, since: "2026-10", heads: [], doubt: false, wording: "" };
    const last = [
      { on: "2026-11-02", form: "contact", kind: "seen", own: true },
      { on: "2026-10-20", form: "other", kind: "", own: false },
    ];
    const due = { id: "r1/2026-11-01", on: "2026-11-01", code: CODE, form: "contact", from: "" };
    const { shown } = await openCard({
      forms: [contact],
      book: { people: [PERSON], due: [due], told: { [`card/${CODE}`]: { consent, last } } },
    });
    assert.equal(shown.texts("h1")[0], "red cap");
    const facts = shown.texts("dl > div");
    assert.match(facts[0]!, /^Next contactSunday, November 1 \d+ days past due$/);
    assert.match(facts[1]!, /2 · since October 2026Counts and research\?$/);
    assert.match(facts[2]!, /Nov 3 from this phone.*Nov 2 · Check-in by you/);
    assert.match(facts[2]!, /Oct 20 · other by a colleague$/);
    const link = shown.button("Sunday, November 1") as unknown as HTMLAnchorElement;
    assert.match(link.getAttribute("href")!, /^#\/start\/contact\//);
  });

  it("says honestly what this phone does not know", async () => {
    const { shown } = await openCard({ book: { people: [{ ...PERSON, seenOn: "" }] } });
    assert.match(shown.text, /Nothing is due/);
    assert.match(shown.text, /does not know it/);
    assert.match(shown.text, /None yet/);
    const asked = await openCard({ book: { people: [PERSON], unheard: { [CODE]: ["r1"] } } });
    assert.match(asked.shown.text, /has not answered yet/);
  });
});

describe("a card whose person said no, or for whom the office noted it", () => {
  it("says so in plain words, and not what is said of one conversation", async () => {
    const tier = { type: "select_one", name: "tier", label: "Tier", choices: "tiers" };
    const contact = makeForm([tier], {
      id: "contact",
      role: "encounter",
      summary: { tier: "/data/tier" },
      choices: { tiers: [{ name: "0", label: { en: "“Nothing today.” We keep only that" } }] },
    });
    const consent = { tier: 0, since: "2026-11", heads: [], doubt: false, wording: "" };
    const told = { [`card/${CODE}`]: { consent } };
    const { shown } = await openCard({ forms: [contact], book: { people: [PERSON], told } });
    assert.match(shown.text, /They allow nothing until they say yes\./);
    assert.doesNotMatch(shown.text, /Nothing today/);
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
