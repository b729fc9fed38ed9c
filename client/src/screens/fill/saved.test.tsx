import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { makeForm } from "../../../test/forms";
import { dispatch, installPage, show, until } from "../../../test/page";
import { openScreen, type ScreenOptions } from "../../../test/screen";
import { setGlobal } from "../../../test/browser";
import { getRow, updateRow } from "../../storage/database";
import { listDrafts } from "../../storage/drafts";
import { finishDraft } from "../../storage/finishing";
import { listHeld } from "../../storage/held";
import { hold, isHeld } from "../../storage/hold";
import { closeOutboxRow, listLines, type OutboxLine } from "../../storage/outbox";
import type { Vault } from "../../storage/vault";
import { changeFinished } from "./change_finished";
import { FinishedRecord } from "./finished_record";
import { Saved } from "./saved";

const FORM = makeForm(
  [
    { type: "group", name: "a", label: "A", rows: [{ type: "text", name: "q", label: "What" }] },
    { type: "group", name: "b", label: "B", rows: [{ type: "text", name: "r", label: "Else" }] },
  ],
  { id: "encounter", style: "pages", title: { en: "Encounter" } },
);
const DRAFT = { id: "d1", form: "encounter", version: "1", changedAt: 1, page: 0 };
const UNCUT = { a: { q: "talked" }, b: { r: "before the no" } };
const LINE: OutboxLine = {
  id: "d1",
  seq: 1,
  state: "waiting",
  form: "encounter",
  finishedAt: "2026-11-20T15:30:00Z",
  minutes: "",
  hasCopy: true,
};

/** Locks of a browser, as far as holds use them. */
function installLocks(): Set<string> {
  const taken = new Set<string>();
  const request = async (
    name: string,
    _: object,
    use: (lock: object | null) => Promise<void> | void,
  ): Promise<void> => {
    const isFree = !taken.has(name);
    taken.add(name);
    await use(isFree ? {} : null);
    if (isFree) taken.delete(name);
  };
  const query = () =>
    Promise.resolve(Object.fromEntries([["held", [...taken].map((name) => ({ name }))]]));
  setGlobal("navigator", { language: "en", userAgent: "test", locks: { request, query } });
  return taken;
}

beforeEach(async () => {
  await show(null); // what the screen before held back goes with it
  installPage();
});

const finish = (vault: Vault, beside = {}): Promise<void> =>
  finishDraft(vault, { ...DRAFT, answers: { a: { q: "talked" } } }, FORM, new Date(), beside);

async function openSaved(
  state: OutboxLine["state"] = "waiting",
  isHolding = false,
  beside: { slip?: string } = {},
) {
  location.hash = "#/saved/encounter/done/d1";
  const screen = await openScreen(<Saved form="encounter" then="done" id="d1" />, {
    forms: [FORM],
    lines: [{ ...LINE, state, ...(beside.slip && { hasSlip: true }) }],
    ledger: { made: 1, waiting: 1 },
    arrange: async (vault) => {
      if (isHolding) {
        installLocks();
        await hold("d1", UNCUT);
      }
      await finish(vault, beside);
      if (state === "delivered") await closeOutboxRow("d1", state, 9);
    },
  });
  return screen;
}

describe("right after Finish", () => {
  it("holds the record back, and says for how long", async () => {
    const { shown, calls } = await openSaved("waiting", true);
    assert.match(shown.text, /You can undo this for a minute/);
    assert.deepEqual([...(await listHeld())], ["d1"]);
    assert.deepEqual(calls, []);
    await shown.click("Send now");
    assert.deepEqual([...(await listHeld())], []);
    assert.deepEqual(calls, ["exchange"]);
    assert.doesNotMatch(shown.text, /Undo/);
  });

  it("offers no Undo of what somebody has a slip for, and says why", async () => {
    const { shown, app } = await openSaved("waiting", false, { slip: "K7QM3RXDQ2FA" });
    assert.match(shown.text, /has a slip for this record/);
    assert.doesNotMatch(shown.text, /Undo|Change the record/);
    await shown.click("Correct the record");
    await until(() => location.hash.startsWith("#/fill/"));
    const [draft] = await listDrafts(app.vault);
    assert.deepEqual([draft!.root, draft!.prev], ["d1", ["d1"]]);
  });

  it("does not wait for a hold of another tab", async () => {
    installLocks().add("fieldapp-hold-d2");
    await hold("d2");
    assert.equal(isHeld("d2"), false);
  });

  it("makes it a draft again, once however often Undo is tapped", async () => {
    const { shown, app } = await openSaved("waiting", true);
    const undo = shown.button("Undo");
    undo.click();
    undo.click();
    await until(() => location.hash === "#/fill/d1");
    assert.deepEqual(
      (await listDrafts(app.vault)).map(({ id }) => id),
      ["d1"],
    );
    assert.deepEqual(await listLines(app.vault), []);
  });

  it("keeps every answer and takes nobody away who goes back right after Undo", async () => {
    const { shown, app, calls } = await openSaved("waiting", true);
    shown.button("Undo").click();
    location.hash = "#/new";
    await show(null); // the screen lets the record go as it closes
    await until(() => calls.includes("refresh"));
    const [draft] = await listDrafts(app.vault);
    assert.deepEqual(draft!.answers, UNCUT);
    assert.equal(location.hash, "#/new");
    await until(() => !isHeld("d1"));
    assert.equal((await getRow("outbox", "d1"))!.state, "open");
  });

  it("does one Undo, also where somebody goes back, forward and taps it again", async () => {
    const { app } = await openSaved("waiting", true);
    await Promise.all([changeFinished(app, LINE), changeFinished(app, LINE)]);
    assert.equal(location.hash, "#/fill/d1");
    const drafts = await listDrafts(app.vault);
    assert.deepEqual(
      drafts.map(({ id, answers }) => [id, answers]),
      [["d1", UNCUT]],
    );
  });

  it("lets the record go when the app goes into the background", async () => {
    const { shown } = await openSaved("waiting", true);
    Object.defineProperty(document, "visibilityState", { value: "hidden", configurable: true });
    dispatch(document, "visibilitychange");
    Object.defineProperty(document, "visibilityState", { value: "visible", configurable: true });
    await until(() => !shown.text.includes("Undo"));
    assert.deepEqual([...(await listHeld())], []);
    assert.match(shown.text, /Change the record/);
  });

  it("sends at once where the browser cannot hold back, and it can be changed until it is sent", async () => {
    const { shown, calls } = await openSaved();
    assert.deepEqual(calls, ["exchange"]);
    await shown.click("Change the record");
    await until(() => location.hash === "#/fill/d1");
  });

  it("offers a correction of what was sent, which needs no signal", async () => {
    const { shown, app } = await openSaved("delivered");
    await shown.click("Correct the record");
    await until(() => location.hash.startsWith("#/fill/"));
    const [draft] = await listDrafts(app.vault);
    assert.deepEqual(
      [draft!.root, draft!.prev, draft!.answers],
      ["d1", ["d1"], { a: { q: "talked" } }],
    );
  });
});

const openRecord = (more: Partial<OutboxLine> = {}, options: ScreenOptions = {}) => {
  location.hash = "#/record/d1";
  return openScreen(<FinishedRecord id="d1" />, {
    forms: [FORM],
    lines: [{ ...LINE, ...more }],
    arrange: (vault) => finish(vault),
    ...options,
  });
};

describe("a finished record", () => {
  it("is shown as it was finished, and can be changed", async () => {
    const { shown } = await openRecord();
    await until(() => shown.text.includes("talked"));
    assert.equal(shown.has("[id='line-a.q'] button"), false);
    await shown.click("Change the record");
    await until(() => location.hash === "#/fill/d1");
  });

  it("becomes a correction where the centre may have it: the first version is still sent", async () => {
    const { shown, app } = await openRecord();
    await updateRow("outbox", "d1", (row) => ({ ...row, tried: true }));
    await until(() => shown.text.includes("talked"));
    await shown.click("Change the record");
    await until(() => location.hash.startsWith("#/fill/"));
    const [draft] = await listDrafts(app.vault);
    assert.equal(draft!.root, "d1");
    assert.equal((await getRow("outbox", "d1"))!.state, "waiting");
  });

  it("is deleted when its worker is sure", async () => {
    const { shown, questions } = await openRecord({}, { isSure: true });
    await until(() => shown.text.includes("talked"));
    await shown.click("Delete");
    await until(() => location.hash === "#/mine");
    assert.match(questions[0]!, /cannot be undone/);
    assert.equal((await getRow("outbox", "d1"))!.state, "deleted");
  });

  it("is corrected and not deleted where somebody has its slip", async () => {
    const { shown } = await openRecord({ hasSlip: true });
    await until(() => shown.text.includes("talked"));
    assert.deepEqual(shown.texts(".foot button"), ["Correct the record"]);
    assert.match(shown.text, /has a slip for this record/);
  });

  it("is left to its newest version, where there is one", async () => {
    const { shown } = await openRecord({ isReplaced: true });
    await until(() => shown.text.includes("talked"));
    assert.deepEqual(shown.texts(".foot button"), []);
    assert.match(shown.text, /There is a newer version/);
  });

  it("that waits for the office's review can be looked at only", async () => {
    const { shown } = await openRecord({ state: "kept" });
    await until(() => shown.text.includes("talked"));
    assert.deepEqual(shown.texts(".foot button"), []);
  });

  it("is not on the phone any more, in words", async () => {
    const { shown } = await openRecord({}, { arrange: () => Promise.resolve() });
    await until(() => shown.text !== "");
    assert.match(shown.text, /This is not on the phone/);
  });
});

describe("what comes after a record", () => {
  const followUpForm = makeForm([{ type: "hidden", name: "of" }], {
    id: "mediation_follow_up",
    summary: { follows: "/data/of" },
  });
  const referral = { ...makeForm([], { id: "referral", role: "referral" }) };

  it("is no other follow-up, which would belong to no record", async () => {
    const lines = [{ ...LINE, form: "mediation_follow_up" }];
    const { shown } = await openScreen(<Saved form="mediation_follow_up" then="done" id="d1" />, {
      forms: [FORM, followUpForm],
      lines,
      ledger: { made: 1, waiting: 1 },
    });
    assert.ok(!shown.text.includes("Log another"));
    assert.ok(shown.text.includes("Done"));
  });

  it("is a referral of the same person", async () => {
    const lines = [{ ...LINE, code: "K7QM3RXA*" }];
    const { shown } = await openScreen(<Saved form="encounter" then="refer" id="d1" />, {
      forms: [FORM, referral],
      lines,
      ledger: { made: 1, waiting: 1 },
    });
    const link = shown.button("Log the referral") as unknown as HTMLAnchorElement;
    assert.equal(link.getAttribute("href"), `#/start/referral/${encodeURIComponent("K7QM3RXA*|")}`);
  });
});
