import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { makeForm } from "../../../test/forms";
import { installPage, setConfirm, show, until, type Shown } from "../../../test/page";
import { openScreen, type Screen } from "../../../test/screen";
import { makeCardCode } from "../../engine/cards";
import type { FormDefinition } from "../../engine/definition";
import type { Json } from "../../engine/types";
import { sha256, toUtf8 } from "../../storage/bytes";
import { readCaseload } from "../../storage/caseload";
import { getAllRows, getRow } from "../../storage/database";
import { discardDraft, listDrafts, saveDraft, type Draft } from "../../storage/drafts";
import { saveForms } from "../../storage/forms";
import { listLines } from "../../storage/outbox";
import type { Vault } from "../../storage/vault";
import { Fill } from "./fill";
import { Saved } from "./saved";

const form = (version: string, ...names: string[]): FormDefinition =>
  makeForm(
    names.map((name) => ({ type: "text", name, label: name })),
    { id: "encounter", version, title: { en: "Encounter" } },
  );
const OLD = form("1", "area", "note");
const FITTING = form("2", "area", "note", "more");
const OTHER = form("3", "area");

const DRAFT: Draft = {
  id: "d1",
  form: "encounter",
  version: "1",
  changedAt: 0,
  page: 0,
  answers: { area: "west", note: "talked" },
};

async function storeForm(vault: Vault, definition: FormDefinition): Promise<void> {
  const text = JSON.stringify(definition);
  const hash = await sha256(toUtf8(text));
  const { id, version, title } = definition;
  const listed = { id, version, title, sha256: hash } as Parameters<typeof saveForms>[1][number];
  await saveForms(vault.account.user, [listed], new Map([[hash, text]]));
}

const open = (newest: FormDefinition, draft: Draft | null = DRAFT) =>
  openScreen(<Fill id="d1" />, {
    forms: [newest],
    arrange: async (vault) => {
      await storeForm(vault, OLD);
      if (newest !== OLD) await storeForm(vault, newest);
      if (draft) await saveDraft(vault, draft);
    },
  });

describe("going on with a draft", () => {
  it("shows what was answered", async () => {
    const { shown } = await open(OLD);
    await until(() => shown.has("#q-note"));
    assert.equal(shown.find<HTMLInputElement>("#q-note").value, "talked");
    assert.doesNotMatch(shown.text, /has changed/);
  });

  it("goes on under a newer version where every answer has its place", async () => {
    const { shown } = await open(FITTING);
    await until(() => shown.has("#q-more"));
    assert.match(shown.text, /Your answers came along/);
  });

  it("is finished as it was begun where the newer version has no place for an answer", async () => {
    const { shown } = await open(OTHER);
    await until(() => shown.has("#q-note"));
    assert.match(shown.text, /as it was when you began it/);
  });

  it("says so when it is not on the phone", async () => {
    const { shown } = await open(OLD, null);
    await until(() => shown.text !== "");
    assert.match(shown.text, /This is not on the phone/);
  });

  it("opens a record from before this phone had the form under the newest", async () => {
    const { shown } = await open(FITTING, { ...DRAFT, version: "0", root: "r1" });
    await until(() => shown.has("#q-more"));
    const none = await open(FITTING, { ...DRAFT, version: "0" });
    await until(() => none.shown.text !== "");
    assert.match(none.shown.text, /This is not on the phone/);
  });

  it("is written while it is answered, and gone when it is thrown away", async () => {
    const { shown, app } = await open(OLD);
    await until(() => shown.has("#q-note"));
    await shown.enter("#q-note", "talked again");
    await until(async () => (await listDrafts(app.vault))[0]?.answers["note"] === "talked again");
    setConfirm(true);
    await shown.click("Delete the draft");
    await until(() => location.hash === "#/today");
    assert.deepEqual(await listDrafts(app.vault), []);
  });

  it("is finished, and the clock stays, when the app is hidden meanwhile", async () => {
    const { shown, app, calls } = await open(OLD);
    await until(() => shown.has("#q-note"));
    shown.button("Finish").click();
    location.hash = "#/clock";
    await until(() => calls.includes("refresh"));
    await new Promise((done) => setTimeout(done)); // where it would be led away
    assert.equal((await listLines(app.vault)).length, 1);
    assert.equal(location.hash, "#/clock");
  });

  it("is for one tab at a time", async () => {
    const isFree = (free: boolean) => ({
      locks: {
        request: (_: string, __: object, use: (lock: object | null) => unknown) =>
          Promise.resolve(use(free ? {} : null)),
      },
    });
    const arrange = async (vault: Vault) => {
      installPage(isFree(false));
      await storeForm(vault, OLD);
      await saveDraft(vault, DRAFT);
    };
    const { shown } = await openScreen(<Fill id="d1" />, { forms: [OLD], arrange });
    await until(() => shown.text !== "");
    assert.match(shown.text, /This is open in another tab/);
  });
});

const CARD = makeCardCode(new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]));
const ASKING = makeForm(
  [
    { type: "text", name: "code", label: "Card" },
    { type: "select_one", name: "asked", label: "Asked", choices: "asked" },
    { type: "select_one", name: "understood", label: "Understood", choices: "yes_no" },
    { type: "select_one", name: "tier", label: "Yes to", choices: "tier" },
  ],
  {
    id: "encounter",
    version: "1",
    title: { en: "Encounter" },
    choices: {
      asked: [{ name: "read_out", label: { en: "Out" }, data: { app_role: "conversation" } }],
      yes_no: [{ name: "yes", label: { en: "Yes" }, data: { app_role: "yes" } }],
      tier: ["0", "1"],
    },
    summary: {
      person: "/data/code",
      consent_asked: "/data/asked",
      consent_understood: "/data/understood",
      tier: "/data/tier",
    },
  },
);
const YES = { code: CARD, asked: "read_out", understood: "yes", tier: "1" };

/** Finish a record of somebody who said yes; return the screen and the slip that it shows. */
async function finishAsked(more: Partial<Draft> = {}) {
  const screen = await open(ASKING, { ...DRAFT, answers: YES, ...more });
  await until(() => screen.shown.has("#q-code"));
  await screen.shown.click("Finish");
  await until(() => screen.shown.has(".qr") || location.hash.startsWith("#/saved"));
  return screen;
}

const readSlip = (shown: Shown): string => shown.find(".big").textContent!.replaceAll(" ", "");

async function readSent(screen: Screen): Promise<Record<string, unknown>> {
  return screen.centre.openRecord("d1", (await getRow("outbox", "d1"))!.box!);
}

/** All that the phone stores outside its sealed rows, and inside those that it can read. */
async function readPhone(vault: Vault): Promise<string> {
  const rows = await Promise.all(
    (["drafts", "outbox", "books"] as const).map((s) => getAllRows(s)),
  );
  const stored = Object.values(localStorage);
  const drafts = await listDrafts(vault);
  return JSON.stringify([rows, stored, drafts, await listLines(vault), await readCaseload(vault)]);
}

describe("a draft that was erased while it was open", () => {
  it("is not written again: the worker is led to Today, which says why", async () => {
    const { shown, app, calls } = await open(OLD);
    await until(() => shown.has("#q-note"));
    await discardDraft("d1");
    await shown.enter("#q-note", "more about them");
    await until(() => location.hash === "#/today");
    assert.deepEqual(await listDrafts(app.vault), []);
    assert.ok(calls.includes("refresh"));
  });

  it("is not finished either", async () => {
    const { shown, app } = await open(OLD);
    await until(() => shown.has("#q-note"));
    await discardDraft("d1");
    await shown.click("Finish");
    await until(() => location.hash === "#/today");
    assert.deepEqual([await listDrafts(app.vault), await listLines(app.vault)], [[], []]);
  });
});

const STANDING_CONSENT = makeForm(
  [
    {
      type: "group",
      name: "people",
      label: "People",
      rows: [{ type: "text", name: "code", label: "Card" }],
    },
    {
      type: "group",
      name: "consent",
      label: "Consent",
      rows: [
        { type: "hidden", name: "standing" },
        { type: "select_one", name: "how", label: "How?", choices: "how", required: true },
        { type: "select_one", name: "tier", label: "To what?", choices: "tier" },
      ],
    },
    {
      type: "group",
      name: "next",
      label: "Next",
      rows: [{ type: "text", name: "note", label: "Note" }],
    },
  ],
  {
    id: "encounter",
    version: "1",
    style: "pages",
    title: { en: "Encounter" },
    consent_wording: "w1",
    choices: {
      how: [
        "read_out",
        { name: "standing", label: { en: "Before" }, data: { app_role: "standing" } },
      ],
      tier: ["0", "1", "2"],
    },
    summary: {
      person: "/data/people/code",
      consent_asked: "/data/consent/how",
      consent_standing: "/data/consent/standing",
      tier: "/data/consent/tier",
    },
  },
);
const SAID_BEFORE = { tier: 2, since: "2026-10", heads: ["r1"], doubt: false, wording: "w1" };

describe("a form about somebody who was asked before", () => {
  const openAbout = (consent: object, answers: Json = { people: { code: CARD } }) =>
    openScreen(<Fill id="d1" />, {
      forms: [STANDING_CONSENT],
      book: { told: { [`card/${CARD}`]: { code: CARD, consent } } },
      arrange: async (vault) => {
        await storeForm(vault, STANDING_CONSENT);
        await saveDraft(vault, { ...DRAFT, answers });
      },
    });

  it("shows what stands in a line, and passes the questions over without a tap", async () => {
    const screen = await openAbout(SAID_BEFORE);
    const { shown } = screen;
    await until(() => shown.text.includes("1 of 2"));
    assert.equal(shown.has(".standing"), false);
    await shown.click("Next");
    assert.equal(shown.texts("h1")[0], "Next");
    assert.match(shown.text, /Consent 2 · since Oct 2026/);
    await shown.click("Look it over");
    assert.match(shown.text, /Consent 2 · since Oct 2026/);
    await shown.click("Finish");
    await until(() => location.hash.startsWith("#/saved"));
    const sent = await readSent(screen);
    const { consent } = JSON.parse(String(sent["body"])) as { consent: Json };
    assert.deepEqual(consent, { standing: "2", how: "standing", tier: "2" });
    assert.equal((sent["consent"] as { asked: boolean }).asked, false);
  });

  it("asks once the worker wants to change it, and can leave it as it was", async () => {
    const { shown } = await openAbout(SAID_BEFORE);
    await until(() => shown.text.includes("1 of 2"));
    await shown.click("Next");
    await shown.click("Change consent");
    assert.equal(shown.texts("h1")[0], "Consent");
    assert.match(shown.text, /2 of 3/);
    await shown.click("Leave it as it was");
    assert.equal(shown.texts("h1")[0], "Next");
    assert.match(shown.text, /2 of 2/);
  });

  it("says so and asks where two answers differ", async () => {
    const { shown } = await openAbout({ ...SAID_BEFORE, doubt: true });
    await until(() => shown.has("#main"));
    assert.equal(shown.has(".standing"), false);
    await shown.click("Next");
    assert.equal(shown.texts("h1")[0], "Consent");
    assert.match(shown.text, /Two of their answers about consent differ\. Ask them again\./);
  });
});

describe("a slip for whose consent it is", () => {
  it("is shown before the record is sealed, and sent once they have it", async () => {
    const screen = await finishAsked();
    const { shown } = screen;
    assert.equal(shown.texts("h1")[0], "A slip for them");
    const slip = readSlip(shown);
    assert.match(slip, /^[0-9A-HJKMNP-TV-Z]{12}$/);
    assert.match(shown.text, new RegExp(`${location.origin}/r`));
    assert.equal(await getRow("outbox", "d1"), undefined);
    await shown.click("They have it");
    await until(() => location.hash === "#/saved/encounter/done/d1");
    assert.equal((await readSent(screen))["slip"], slip);
    assert.doesNotMatch(shown.text, new RegExp(slip.slice(0, 4)));
  });

  it("is not sent when they do not want it, and the record is", async () => {
    const screen = await finishAsked();
    await screen.shown.click("They do not want it");
    await until(() => location.hash === "#/saved/encounter/done/d1");
    const sent = await readSent(screen);
    assert.equal(sent["slip"], undefined);
    assert.equal(sent["body"], JSON.stringify(YES));
  });

  it("loses nothing when the phone dies on its screen: a draft is there, and a new slip", async () => {
    const dying = await finishAsked();
    const slip = readSlip(dying.shown);
    await show(null);
    const [draft] = await listDrafts(dying.app.vault);
    assert.deepEqual(draft?.answers, YES);
    assert.equal(await getRow("outbox", "d1"), undefined);
    assert.ok(!(await readPhone(dying.app.vault)).includes(slip));
  });

  it("is nowhere on the phone, while it is shown nor after", async () => {
    const screen = await finishAsked();
    const slip = readSlip(screen.shown);
    assert.ok(!(await readPhone(screen.app.vault)).includes(slip));
    assert.ok(!location.href.includes(slip));
    await screen.shown.click("They have it");
    await until(() => location.hash === "#/saved/encounter/done/d1");
    assert.ok(!(await readPhone(screen.app.vault)).includes(slip));
  });

  it("brings the form back when the record could not be stored", async () => {
    const screen = await finishAsked();
    screen.app.vault.account.key = null;
    await screen.shown.click("They have it");
    await until(() => screen.shown.has("#q-code"));
    assert.match(screen.shown.text, /Not saved/);
    assert.equal((await listDrafts(screen.app.vault)).length, 1);
  });

  it("is not made for a correction: the person is not there", async () => {
    await finishAsked({ root: "r1", prev: ["r1"] });
    assert.equal(location.hash, "#/saved/encounter/done/d1");
  });

  it("can be hidden at once", async () => {
    const screen = await finishAsked();
    await screen.shown.click("Hide");
    assert.deepEqual(screen.calls, ["hide"]);
  });
});

describe("after a record was finished", () => {
  const referral = makeForm([], { id: "sent", role: "referral", title: { en: "Referral" } });

  const line = { id: "d1", seq: 1, form: "encounter", finishedAt: "", minutes: "" };
  const lines = [{ ...line, state: "waiting" as const }];

  it("says where this record is, whatever became of others", async () => {
    const waiting = await openScreen(<Saved form="encounter" then="done" id="d1" />, {
      lines,
      ledger: { made: 1, delivered: 1 }, // as counted before another tab finished it
    });
    assert.equal(waiting.shown.texts("h1")[0], "Saved on this phone");
    const sent = await openScreen(<Saved form="encounter" then="done" id="d1" />, {
      lines: [{ ...line, state: "delivered" }],
      ledger: { made: 2, delivered: 1, waiting: 1 },
    });
    assert.equal(sent.shown.texts("h1")[0], "At the centre");
  });

  it("leads to the draft that it is again, as after Undo and Back", async () => {
    const draft = { ...DRAFT, page: 0 };
    const saved = <Saved form="encounter" then="done" id="d1" />;
    const { shown } = await openScreen(saved, { drafts: [draft] });
    assert.equal(location.hash, "#/fill/d1");
    assert.equal(shown.text, "");
    const gone = await openScreen(saved, { lines: [{ ...line, state: "deleted" }] });
    assert.match(gone.shown.text, /This is not on the phone/);
  });

  it("leads from where it was filled in to the record, as after Back and Forward", async () => {
    const sent = { ...line, state: "delivered" as const, hasCopy: true };
    await openScreen(<Fill id="d1" />, { lines: [sent] });
    await until(() => location.hash === "#/record/d1");
  });

  it("asks for the referral that the record speaks of, where that form is there", async () => {
    const asked = <Saved form="encounter" then="refer" id="d1" />;
    assert.match(
      (await openScreen(asked, { lines, forms: [referral] })).shown.text,
      /Log the referral/,
    );
    assert.doesNotMatch((await openScreen(asked, { lines })).shown.text, /Log the referral/);
    const other = <Saved form="encounter" then="done" id="d1" />;
    const { shown } = await openScreen(other, { lines, forms: [referral] });
    assert.doesNotMatch(shown.text, /Log the referral/);
    assert.equal(shown.find(".foot .main").textContent, "Log another");
  });
});
