import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { makeForm } from "../../../test/forms";
import { until } from "../../../test/page";
import { formCalled, openScreen } from "../../../test/screen";
import { formatCardCode, makeCardCode } from "../../engine/cards";
import type { OutboxLine } from "../../storage/outbox";
import { readLook } from "../look";
import { LatestRecords } from "./latest_records";
import { Mine } from "./mine";
import { ThisPhone } from "./this_phone";

const CODE = makeCardCode(new Uint8Array(8).fill(3));
const line = (state: OutboxLine["state"], more: Partial<OutboxLine> = {}): OutboxLine => ({
  id: `r-${state}`,
  seq: 1,
  state,
  form: "encounter",
  finishedAt: "2026-11-20T15:30:00Z",
  minutes: "lt5",
  ...more,
});
const forms = [formCalled("encounter", "Encounter")];

describe("where the worker's records are", () => {
  it("adds up to what was made", async () => {
    const ledger = { made: 7, delivered: 3, kept: 1, waiting: 1, deleted: 1, lost: 1 };
    const { shown } = await openScreen(<Mine />, { ledger });
    assert.deepEqual(shown.texts(".ledger dd"), ["7", "4", "1", "1", "1"]);
    assert.equal(shown.find(".ledger .danger").textContent, "Lost1");
  });

  it("is no alarm while nothing is lost", async () => {
    const { shown } = await openScreen(<Mine />, { ledger: { made: 1, delivered: 1 } });
    assert.equal(shown.has(".ledger .danger"), false);
  });

  it("sends and fetches when the worker asks for it", async () => {
    const { shown, calls } = await openScreen(<Mine />);
    await shown.click("Sync now");
    assert.deepEqual(calls, ["exchange"]);
  });

  it("offers a sealed copy only while something waits", async () => {
    const waiting = await openScreen(<Mine />, { ledger: { made: 1, waiting: 1 } });
    assert.match(waiting.shown.text, /Cannot send\?/);
    assert.doesNotMatch((await openScreen(<Mine />)).shown.text, /Cannot send\?/);
  });

  it("says that the centre cannot be reached, and that nothing is lost", async () => {
    const { shown } = await openScreen(<Mine />, { outcome: "offline" });
    assert.match(shown.text, /No connection to the centre just now\. Nothing is lost\./);
  });
});

describe("the phone's storage", () => {
  it("is protected, or may be cleared by the browser", async () => {
    const kept = await openScreen(<Mine />, { health: { isKept: true, freeMb: 800 } });
    assert.match(kept.shown.text, /Protected/);
    assert.match(kept.shown.text, /About 800 MB free/);
    assert.equal(kept.shown.has("p.error"), false);
    const open = await openScreen(<Mine />, { health: { isKept: false, freeMb: 20 } });
    assert.match(open.shown.text, /may clear it/);
    assert.equal(open.shown.find("p.error").textContent, "About 20 MB free for the app.");
  });

  it("says nothing about room where the browser does not tell", async () => {
    const { shown } = await openScreen(<Mine />, { health: { isKept: true, freeMb: null } });
    assert.doesNotMatch(shown.text, /MB free/);
  });
});

describe("the latest records", () => {
  it("say where each is", async () => {
    const lines = [line("waiting"), line("delivered"), line("kept"), line("deleted")];
    const { shown } = await openScreen(<LatestRecords />, { lines, forms });
    const states = shown.texts(".item").map((text) => text.replace(/^.*· /, ""));
    assert.match(states[0]!, /^waits on this phone/);
    assert.match(states[1]!, /^at the centre/);
    assert.equal(states[2], "with the centre, to be reviewed");
    assert.equal(states[3], "deleted by you");
  });

  it("say which are safe beyond one disk, and which are sent again", async () => {
    const lines = [
      line("delivered", { isSafe: true }),
      line("delivered", { id: "b", isBoxed: true }),
      line("waiting", { isAgain: true }),
    ];
    const { shown } = await openScreen(<LatestRecords />, { lines, forms });
    const items = shown.texts(".item");
    assert.match(items[0]!, /· safe: the centre has it in two places/);
    assert.match(items[1]!, /· at the centre; a locked copy stays on this phone until/);
    assert.match(shown.text, /This phone is sending 1 record again. You need do nothing./);
  });

  it("call a correction by its name, and offer only the newest version to be changed", async () => {
    const newest = line("waiting", { id: "seven", root: "a" });
    const older = line("waiting", { id: "six", root: "a", isReplaced: true });
    const { shown } = await openScreen(<LatestRecords />, { lines: [newest, older], forms });
    const items = shown.texts(".item");
    assert.match(items[0]!, /correction · waits on this phone.*Delete/);
    assert.match(items[1]!, /correction · waits on this phone$/);
  });

  it("offer a correction, and no Delete, of what somebody has a slip for", async () => {
    const lines = [line("waiting", { hasSlip: true })];
    const { shown } = await openScreen(<LatestRecords />, { lines, forms });
    assert.deepEqual(shown.texts(".item button"), ["Correct"]);
  });

  it("say in words that a person took everything back, and offer nothing to correct", async () => {
    const lines = [line("delivered", { isEnded: true })];
    const { shown } = await openScreen(<LatestRecords />, { lines, forms });
    assert.match(shown.text, /took everything back, so nothing of this was stored/);
    assert.equal(shown.has("a.btn"), false);
  });

  it("say that the centre does not know a card any more, and what to do", async () => {
    const lines = [line("delivered", { isUnlinked: true })];
    const { shown } = await openScreen(<LatestRecords />, { lines, forms });
    assert.match(shown.text, /does not know it any more. Give the person a new card/);
  });

  it("are at most twenty, and none at first", async () => {
    const many = Array.from({ length: 30 }, (_, at) => line("delivered", { id: `r${at}` }));
    const { shown } = await openScreen(<LatestRecords />, { lines: many, forms });
    assert.equal(shown.all(".item").length, 20);
    assert.equal((await openScreen(<LatestRecords />)).shown.text, "");
  });

  it("can be corrected once they are with the centre, under the record that they correct", async () => {
    const lines = [line("delivered", { root: "r1" }), line("delivered", { id: "r2" })];
    const { shown } = await openScreen(<LatestRecords />, { lines, forms });
    for (const [at, address] of ["#/correct/r1", "#/correct/r2"].entries()) {
      await shown.click(shown.all("button")[at]!);
      await until(() => location.hash === address);
    }
    const gone = await openScreen(<LatestRecords />, { lines, forms: [] });
    assert.equal(gone.shown.has("button"), false);
  });

  it("say what tells them apart: what kind, whose card, where", async () => {
    const asking = makeForm(
      [
        { type: "select_one", name: "what", choices: "kinds" },
        { type: "select_one", name: "where", choices: "areas" },
      ],
      {
        id: "encounter",
        title: { en: "Encounter" },
        choices: { kinds: [{ name: "visit", label: { en: "Check-in" } }], areas: ["east"] },
        summary: { kind: "/data/what", area: "/data/where" },
      },
    );
    const person = { code: CODE, label: "red cap", seenOn: "2026-11-01", tier: "" };
    const about = { kind: "visit", area: "east", code: CODE, hasCopy: true };
    const lines = [line("waiting", about)];
    const options = { lines, forms: [asking], book: { people: [person] } };
    const { shown } = await openScreen(<LatestRecords />, options);
    assert.ok(shown.text.includes(`Check-in · ${formatCardCode(CODE)} red cap · EAST`));
    assert.equal(shown.find("a").getAttribute("href"), "#/record/r-waiting");
  });

  it("can be deleted before they are sent, when the worker is sure", async () => {
    const options = { lines: [line("waiting")], forms };
    const unsure = await openScreen(<LatestRecords />, { ...options, isSure: false });
    await unsure.shown.click("Delete: Encounter");
    assert.deepEqual(unsure.calls, []);
    const sure = await openScreen(<LatestRecords />, options);
    await sure.shown.click("Delete: Encounter");
    await until(() => sure.calls.includes("refresh"));
    assert.match(sure.questions[0]!, /cannot be undone/);
  });

  it("are forgotten after the days that the centre sets", async () => {
    const options = { lines: [line("kept")], forms, rules: { shred_days: 1 } };
    const { shown } = await openScreen(<LatestRecords />, options);
    assert.match(shown.text, /only you can open them here, until 1 day after they were sent\./);
  });
});

describe("this phone", () => {
  it("says whose it is and the version, and locks now or by itself", async () => {
    const { shown, calls } = await openScreen(<ThisPhone />, { rules: { lock_minutes: 3 } });
    assert.match(shown.text, /Amina · Rexdale/);
    assert.match(shown.text, /locks automatically after 3 minutes/);
    assert.match(shown.text, /fieldapp 1\.2\.3/);
    await shown.click("Lock now");
    assert.deepEqual(calls, ["lock"]);
  });

  it("wears another look at once, and next time", async () => {
    const { shown } = await openScreen(<ThisPhone />);
    await shown.click(shown.all(".choices input")[3]!);
    assert.equal(document.documentElement.dataset["look"], "outdoor");
    assert.equal(readLook(), "outdoor");
  });

  it("speaks another language", async () => {
    const { shown, calls } = await openScreen(<ThisPhone />);
    await shown.click("Français");
    assert.deepEqual(calls, ["language fr"]);
  });

  it("offers finger or face only where the phone has it", async () => {
    assert.equal((await openScreen(<ThisPhone />)).shown.has("#passkey-pin"), false);
  });
});
