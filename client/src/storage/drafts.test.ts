import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { installBrowser, type Browser } from "../../test/browser";
import { makeVault, type TestVault } from "../../test/vaults";
import { deleteDatabase, getRow, putRow } from "./database";
import {
  discardDraft,
  draftCorrection,
  isDraft,
  listDrafts,
  openDraft,
  rewriteDraft,
  saveDraft,
  type Draft,
} from "./drafts";
import { seal } from "./vault";
import { OVERVIEW } from "./types";

let browser: Browser;
let vault: TestVault;

beforeEach(async () => {
  browser = installBrowser();
  await deleteDatabase();
  vault = await makeVault(null);
});

const makeDraft = (id: string, more: Partial<Draft> = {}): Draft => ({
  id,
  form: "encounter",
  version: "3",
  changedAt: 1000,
  page: 2,
  answers: { note: "said much" },
  ...more,
});

describe("a draft", () => {
  it("that was erased while it was open is not written again", async () => {
    await saveDraft(vault, makeDraft("d"));
    assert.equal(await rewriteDraft(vault, makeDraft("d", { page: 3 })), true);
    assert.equal((await openDraft(vault, "d"))!.page, 3);
    await discardDraft("d");
    assert.equal(await rewriteDraft(vault, makeDraft("d")), false);
    assert.equal(await isDraft("d"), false);
  });

  it("cannot be opened by another worker of the phone", async () => {
    await saveDraft(vault, makeDraft("d"));
    assert.equal(await openDraft(await makeVault(null, { user: 8 }), "d"), null);
  });

  it("cannot be opened with another key, though the worker is the same", async () => {
    await saveDraft(vault, makeDraft("d"));
    await assert.rejects(openDraft(await makeVault(null), "d"));
  });

  it("is null when there is none", async () => {
    assert.equal(await openDraft(vault, "nothing"), null);
  });

  it("comes back as it was saved last", async () => {
    await saveDraft(vault, makeDraft("d"));
    const changed = makeDraft("d", {
      page: 3,
      answers: { a: "1" },
      due: "r/2026-11-23",
      minted: ["x"],
    });
    await saveDraft(vault, changed);
    const draft = await openDraft(vault, "d");
    assert.deepEqual({ ...changed, ...draft }, draft);
    assert.deepEqual(draft?.answers, { a: "1" });
  });

  it("shows nothing of itself to whom the phone was taken by", async () => {
    await saveDraft(vault, makeDraft("d"));
    const row = (await getRow("drafts", "d"))!;
    assert.deepEqual(Object.keys(row).sort(), ["id", "sealed", "user"]);
    const text = Buffer.from(row.sealed.data).toString("latin1");
    for (const word of ["said", "encounter", "note"]) assert.ok(!text.includes(word), word);
  });

  it("is not half written on a phone without room", async () => {
    await saveDraft(vault, makeDraft("d"));
    browser.isFull = true;
    await assert.rejects(saveDraft(vault, makeDraft("d", { page: 9 })));
    browser.isFull = false;
    assert.equal((await openDraft(vault, "d"))?.page, 2);
  });

  it("of the first version of the app has its form and time outside the seal", async () => {
    const sealed = await seal(vault.key, { answers: { a: "1" }, page: 0 });
    const old = { id: "d", user: 7, form: "encounter", version: "1", changedAt: 5, sealed };
    await putRow("drafts", old);
    const draft = await openDraft(vault, "d");
    assert.deepEqual([draft?.form, draft?.changedAt, draft?.answers], ["encounter", 5, { a: "1" }]);
  });

  it("is gone when it is discarded, and others are not", async () => {
    await saveDraft(vault, makeDraft("d"));
    await saveDraft(vault, makeDraft("e"));
    await discardDraft("d");
    await discardDraft("nothing");
    assert.deepEqual(
      (await listDrafts(vault)).map(({ id }) => id),
      ["e"],
    );
  });
});

describe("the list of drafts", () => {
  it("has those of this worker, the one changed last first", async () => {
    await saveDraft(vault, makeDraft("old", { changedAt: 1 }));
    await saveDraft(vault, makeDraft("new", { changedAt: 3 }));
    await saveDraft(vault, makeDraft("middle", { changedAt: 2 }));
    await saveDraft(await makeVault(null, { user: 8 }), makeDraft("other's"));
    assert.deepEqual(
      (await listDrafts(vault)).map(({ id }) => id),
      ["new", "middle", "old"],
    );
  });

  it("passes over one that is damaged", async () => {
    await saveDraft(vault, makeDraft("good"));
    await saveDraft(vault, makeDraft("bad"));
    const row = (await getRow("drafts", "bad"))!;
    new Uint8Array(row.sealed.data)[3]! ^= 1;
    await putRow("drafts", row);
    assert.deepEqual(
      (await listDrafts(vault)).map(({ id }) => id),
      ["good"],
    );
  });
});

describe("a correction", () => {
  it("begins with the answers of the record, and knows which versions the worker saw", async () => {
    const record = { form: "encounter", version: "2", answers: { a: "1" }, heads: ["v1", "v2"] };
    const draft = await draftCorrection(vault, "record", record);
    const { id, changedAt, ...rest } = (await openDraft(vault, draft.id))!;
    assert.match(id, /^[0-9a-f-]{36}$/);
    assert.ok(Math.abs(changedAt - Date.now()) < 60_000);
    assert.equal(rest.root, "record");
    assert.deepEqual(rest.prev, ["v1", "v2"]);
    assert.deepEqual(rest.answers, { a: "1" });
    assert.equal(rest.page, OVERVIEW); // all is seen first, and what is wrong is one tap away
  });

  it("begins at the answer that could not be stored", async () => {
    const record = { form: "encounter", version: "2", answers: {}, heads: ["v1"] };
    const problems = [{ path: "" }, { path: "talk.risk" }];
    assert.equal((await draftCorrection(vault, "r", { ...record, problems })).at, "talk.risk");
    assert.equal((await draftCorrection(vault, "r", record)).at, undefined);
  });

  it("is another draft each time", async () => {
    const record = { form: "encounter", version: "2", answers: {}, heads: [] };
    const first = await draftCorrection(vault, "record", record);
    const second = await draftCorrection(vault, "record", record);
    assert.notEqual(first.id, second.id);
    assert.equal((await listDrafts(vault)).length, 2);
  });
});
