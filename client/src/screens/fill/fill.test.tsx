import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { makeForm } from "../../../test/forms";
import { installPage, setConfirm, until } from "../../../test/page";
import { openScreen } from "../../../test/screen";
import type { FormDefinition } from "../../engine/definition";
import { sha256, toUtf8 } from "../../storage/bytes";
import { listDrafts, saveDraft, type Draft } from "../../storage/drafts";
import { saveForms } from "../../storage/forms";
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

describe("after a record was finished", () => {
  const referral = makeForm([], { id: "sent", role: "referral", title: { en: "Referral" } });

  it("says where it is", async () => {
    const waiting = await openScreen(<Saved form="encounter" then="done" />, {
      ledger: { made: 1, waiting: 1 },
    });
    assert.equal(waiting.shown.texts("h1")[0], "Saved on this phone");
    const sent = await openScreen(<Saved form="encounter" then="done" />, {
      ledger: { made: 1, delivered: 1 },
    });
    assert.equal(sent.shown.texts("h1")[0], "At the centre");
  });

  it("asks for the referral that the record speaks of, where that form is there", async () => {
    const asked = <Saved form="encounter" then="refer" />;
    assert.match((await openScreen(asked, { forms: [referral] })).shown.text, /Log the referral/);
    assert.doesNotMatch((await openScreen(asked)).shown.text, /Log the referral/);
    const other = <Saved form="encounter" then="done" />;
    const { shown } = await openScreen(other, { forms: [referral] });
    assert.doesNotMatch(shown.text, /Log the referral/);
    assert.equal(shown.find(".foot .main").textContent, "Log another");
  });
});
