import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { installBrowser, setGlobal } from "../../test/browser";
import { Centre } from "../../test/centre";
import { makeForm } from "../../test/forms";
import { makeVault, type TestVault } from "../../test/vaults";
import { makeCardCode } from "../engine/cards";
import { addCard, removeCard } from "../screens/people/caseload_changes";
import { changeCaseload, readCaseload } from "./caseload";
import { deleteDatabase, getAllRows, getRow, updateRow } from "./database";
import { discardDraft, type Draft, listDrafts, saveDraft } from "./drafts";
import { eraseUnsent } from "./ended_cards";
import { finishDraft } from "./finishing";
import { hold, release } from "./hold";
import { finishNote } from "./notes";
import { closeOutboxRow, findClock, formatLocalTime, listLines } from "./outbox";
import { countRecords } from "./record_counts";
import { OVERVIEW } from "./types";
import { deleteWaiting, readCopy, readOwnVersion, takeBack } from "./take_back";

const CODE = makeCardCode(new Uint8Array(8).fill(3));
const NOW = new Date(2026, 10, 23, 14, 5, 9);
const FORM = makeForm(
  [
    { type: "text", name: "code" },
    { type: "select_one", name: "kind" },
    { type: "date", name: "next" },
    { type: "image", name: "photo" },
    { type: "integer", name: "tier" },
  ],
  {
    id: "encounter",
    summary: { person: "/data/code", kind: "/data/kind", due: "/data/next", tier: "/data/tier" },
  },
);
const ANSWERS = { code: CODE, kind: "visit", next: "2026-11-30" };

let centre: Centre;
let vault: TestVault;

beforeEach(async () => {
  installBrowser();
  await deleteDatabase();
  centre = new Centre();
  vault = await makeVault(centre);
});

async function finish(
  id: string,
  more: Partial<Draft> = {},
  beside = {},
  now = NOW,
): Promise<void> {
  const start = { id, form: "encounter", version: "1", changedAt: 1, page: 2, answers: ANSWERS };
  const draft = { ...start, ...more };
  await saveDraft(vault, draft);
  await finishDraft(vault, draft, FORM, now, beside);
}

async function openContent(id: string): Promise<Record<string, unknown>> {
  return centre.openRecord(id, (await getRow("outbox", id))!.box!);
}

/** A lock of a browser that is free. */
const useLock = (_: string, __: object, use: (lock: object) => Promise<void>): Promise<void> =>
  use({});

const countOf = async (): Promise<number[]> => {
  const { made, waiting, delivered, deleted, lost } = await countRecords(7);
  return [made, waiting, delivered, deleted, lost];
};

describe("taking a finished record back", () => {
  it("makes it a draft again, and the same record under its number once it is finished", async () => {
    await finish("a");
    await finish("b", { answers: {} });
    const draft = (await takeBack(vault, "a"))!;
    assert.deepEqual([draft.id, draft.page, draft.answers], ["a", OVERVIEW, ANSWERS]);
    assert.deepEqual(
      (await listDrafts(vault)).map(({ id }) => id),
      ["a"],
    );
    assert.deepEqual(
      (await listLines(vault)).map(({ id }) => id),
      ["b"],
    );
    assert.equal((await getRow("outbox", "a"))!.box, null);
    assert.deepEqual(await countOf(), [1, 1, 0, 0, 0]);
    await finishDraft(vault, { ...draft, answers: { kind: "call" } }, FORM, NOW);
    const { seq, body } = await openContent("a");
    assert.deepEqual([seq, body], [1, '{"kind":"call"}']);
    assert.deepEqual(await countOf(), [2, 2, 0, 0, 0]);
    assert.deepEqual(await listDrafts(vault), []);
  });

  it("brings back what it did to the caseload, and does it once", async () => {
    const due = {
      id: "old/2026-11-20",
      on: "2026-11-20",
      code: CODE,
      form: "f",
      from: "2026-11-13",
    };
    await changeCaseload(vault, (book) => ({
      ...addCard(book, CODE, "red cap", "2026-11-01"),
      due: [due],
    }));
    const before = await readCaseload(vault);
    await finish("a", { answers: { ...ANSWERS, tier: "1" }, due: due.id });
    const after = await readCaseload(vault);
    assert.deepEqual(
      after.due.map(({ id }) => id),
      ["a/2026-11-30"],
    );
    assert.deepEqual(Object.keys(after.unheard), [CODE]);
    const draft = (await takeBack(vault, "a"))!;
    const { finished, ...restored } = await readCaseload(vault);
    assert.deepEqual({ ...restored, finished: 0 }, before);
    assert.equal(finished, 1);
    await finishDraft(vault, draft, FORM, NOW);
    const again = await readCaseload(vault);
    assert.deepEqual({ ...again, finished: 1 }, after);
    assert.deepEqual((await openContent("a"))["cards"], [CODE]);
  });

  it("puts back an intake, an open incident and a shift, as they were before", async () => {
    const CHOICES = {
      kinds: ["intake", { name: "review", label: {}, data: { app_role: "review" } }],
      states: ["open", { name: "closed", label: {}, data: { app_role: "ends_incident" } }],
    };
    const chain = makeForm(
      [
        { type: "text", name: "code" },
        { type: "select_one", name: "kind", choices: "kinds" },
        { type: "select_one", name: "status", choices: "states" },
        { type: "text", name: "of" },
        { type: "text", name: "start" },
      ],
      {
        id: "encounter",
        role: "participant",
        choices: CHOICES,
        summary: {
          person: "/data/code",
          kind: "/data/kind",
          incident_status: "/data/status",
          follows: "/data/of",
          shift_start: "/data/start",
        },
      },
    );
    const incident = { form: "incident", from: "2026-11-20", kind: "fight", area: "" };
    await changeCaseload(vault, (book) => ({ ...book, shift: "today", open: { old: incident } }));
    const before = await readCaseload(vault);
    const answers = { code: CODE, kind: "intake", status: "closed", of: "old", start: "today" };
    const draft = { id: "a", form: "encounter", version: "1", changedAt: 1, page: 2, answers };
    await finishDraft(vault, draft, chain, NOW);
    const after = await readCaseload(vault);
    assert.deepEqual([after.shift, after.open, Object.keys(after.intakes)], ["", {}, [CODE]]);
    await takeBack(vault, "a");
    assert.deepEqual({ ...(await readCaseload(vault)), finished: 0 }, before);
  });

  it("leaves alone what came on top of it", async () => {
    await finish("a", { answers: { code: CODE } });
    await changeCaseload(vault, (book) => ({
      ...book,
      people: book.people.map((person) => ({ ...person, seenOn: "2026-11-29", label: "tall" })),
    }));
    await takeBack(vault, "a");
    const { people } = await readCaseload(vault);
    assert.deepEqual(
      people.map(({ label, seenOn }) => [label, seenOn]),
      [["tall", "2026-11-29"]],
    );
  });

  it("brings pictures back, and sends them anew", async () => {
    const photo = `data:image/png;base64,${Buffer.from("picture").toString("base64")}`;
    await finish("a", { answers: { photo } });
    assert.equal((await getAllRows("blobs")).length, 1);
    const draft = (await takeBack(vault, "a"))!;
    assert.deepEqual(draft.answers, { photo });
    assert.deepEqual(await getAllRows("blobs"), []);
    await finishDraft(vault, draft, FORM, NOW);
    const [blob] = await getAllRows("blobs");
    assert.equal(
      (await openContent("a"))["body"],
      `{"photo":"attachment:image/png:${blob!.hash}"}`,
    );
  });

  it("knows again who said no, which is in no answer of the record", async () => {
    await finish("a", { answers: { kind: "visit" } }, { refusedBy: CODE });
    const draft = (await takeBack(vault, "a"))!;
    assert.deepEqual(draft.answers, { kind: "visit", code: CODE });
  });

  it("comes too late where the centre may have it", async () => {
    await finish("a");
    await updateRow("outbox", "a", (row) => ({ ...row, tried: true }));
    assert.equal(await takeBack(vault, "a"), null);
    await closeOutboxRow("a", "delivered", 9);
    assert.equal(await takeBack(vault, "a"), null);
    assert.deepEqual(await listDrafts(vault), []);
    assert.deepEqual(await countOf(), [1, 0, 1, 0, 0]);
  });

  it("is not done where somebody holds its slip, which would work no more", async () => {
    await finish("a", {}, { slip: "K7QM3RXDQ2FA" });
    assert.equal(await takeBack(vault, "a"), null);
    assert.ok(!JSON.stringify(await getAllRows("outbox")).includes("K7QM"));
  });

  it("is not done where a newer version builds on it: the last word would be lost", async () => {
    await finish("a");
    await closeOutboxRow("a", "delivered", 9);
    await finish("six", { root: "a", prev: ["a"], answers: { kind: "6" } });
    await finish("seven", { root: "a", prev: ["six"], answers: { kind: "7" } });
    assert.deepEqual(
      (await listLines(vault)).map(({ id, isReplaced }) => [id, isReplaced === true]),
      [
        ["seven", false],
        ["six", true],
        ["a", true],
      ],
    );
    assert.equal(await takeBack(vault, "six"), null);
    await deleteWaiting(vault, "six");
    assert.equal((await getRow("outbox", "six"))!.state, "waiting");
    const draft = await takeBack(vault, "seven");
    assert.equal(draft!.answers["kind"], "7");
    assert.equal(await takeBack(vault, "six"), null);
    await discardDraft("seven");
    assert.equal((await takeBack(vault, "six"))!.answers["kind"], "6");
  });

  it("is not done where a correction of it was begun", async () => {
    await finish("a");
    await saveDraft(vault, {
      id: "b",
      form: "encounter",
      version: "1",
      changedAt: 1,
      page: 0,
      answers: ANSWERS,
      root: "a",
      prev: ["a"],
    });
    await deleteWaiting(vault, "a");
    assert.equal((await getRow("outbox", "a"))!.state, "waiting");
    assert.equal(await takeBack(vault, "a"), null);
  });

  it("has what a no cut out again while it is held, and nothing of it is stored", async () => {
    const locks = { query: () => Promise.resolve({}), request: useLock };
    setGlobal("navigator", { language: "en", userAgent: "test", locks });
    await finish("a", { answers: { kind: "visit" } }, { refusedBy: CODE });
    await hold("a", { ...ANSWERS, tier: "1" });
    assert.deepEqual((await readCopy(vault, "a"))!.answers, { kind: "visit" });
    assert.deepEqual((await takeBack(vault, "a"))!.answers, { ...ANSWERS, tier: "1" });
    release("a");
    await finish("b", { answers: { kind: "visit" } }, { refusedBy: CODE });
    await hold("b", { ...ANSWERS, tier: "1" });
    release("b");
    assert.deepEqual((await takeBack(vault, "b"))!.answers, { kind: "visit", code: CODE });
  });

  it("is for its own worker", async () => {
    await finish("a");
    const other = await makeVault(centre, { user: 8 });
    assert.equal(await takeBack(other, "a"), null);
    assert.equal(await readCopy(other, "a"), null);
  });

  it("happens once, however often it is asked for", async () => {
    await finish("a");
    const drafts = await Promise.all([takeBack(vault, "a"), takeBack(vault, "a")]);
    assert.equal(new Set(drafts).size, 1);
    assert.equal(drafts[0]?.id, "a");
    assert.equal((await listDrafts(vault)).length, 1);
    assert.equal(await takeBack(vault, "a"), null);
  });

  it("counts as deleted when its draft is thrown away", async () => {
    await finish("a");
    await takeBack(vault, "a");
    await discardDraft("a");
    assert.deepEqual(await countOf(), [1, 0, 0, 1, 0]);
    assert.equal((await getRow("outbox", "a"))!.state, "deleted");
  });
});

describe("deleting a record that was not sent", () => {
  it("takes what was due because of it off the list at once", async () => {
    await finish("a");
    assert.equal((await readCaseload(vault)).due.length, 1);
    await deleteWaiting(vault, "a");
    assert.deepEqual((await readCaseload(vault)).due, []);
    assert.deepEqual(await countOf(), [1, 0, 0, 1, 0]);
    assert.equal(await readCopy(vault, "a"), null);
  });

  it("is refused where somebody holds its slip", async () => {
    await finish("a", {}, { slip: "K7QM3RXDQ2FA" });
    await deleteWaiting(vault, "a");
    assert.equal((await getRow("outbox", "a"))!.state, "waiting");
    assert.equal((await readCaseload(vault)).due.length, 1);
    assert.equal((await listLines(vault))[0]!.hasSlip, true);
  });

  it("brings a card back that was given to somebody else", async () => {
    await changeCaseload(vault, (book) => addCard(book, CODE, "red cap", "2026-11-01"));
    await finish("a");
    const before = await readCaseload(vault);
    await finishNote(vault, "handover", { code: CODE, to: 8 }, (book) => removeCard(book, CODE));
    const [note] = await listLines(vault);
    assert.deepEqual([note!.hasCopy, (await readCaseload(vault)).people], [undefined, []]);
    await deleteWaiting(vault, note!.id);
    assert.deepEqual({ ...(await readCaseload(vault)), finished: 1 }, before);
  });

  it("changes nothing where it was sent meanwhile", async () => {
    await finish("a");
    await closeOutboxRow("a", "delivered", 9);
    await deleteWaiting(vault, "a");
    assert.equal((await readCaseload(vault)).due.length, 1);
    assert.deepEqual(await countOf(), [1, 0, 1, 0, 0]);
  });
});

describe("a copy for the worker's own eyes", () => {
  it("is there until the line leaves, to correct the record without signal", async () => {
    await finish("a");
    await closeOutboxRow("a", "delivered", 9);
    const { undo, copy } = (await getRow("outbox", "a"))!;
    assert.deepEqual([undo, typeof copy], [undefined, "object"]);
    assert.deepEqual(await readOwnVersion(vault, "a"), {
      form: "encounter",
      version: "1",
      answers: ANSWERS,
      heads: ["a"],
      clock: formatLocalTime(NOW),
    });
    assert.equal(await readOwnVersion(vault, "b"), null);
  });

  it("is of the newest version: a correction of a correction builds on the first one", async () => {
    await finish("a");
    await closeOutboxRow("a", "delivered", 9);
    await finish("c", { root: "a", prev: ["a"], answers: { kind: "call" } });
    const version = (await readOwnVersion(vault, "a"))!;
    assert.deepEqual([version.heads, version.answers], [["c"], { kind: "call" }]);
    await updateRow("outbox", "c", ({ copy: _, ...row }) => row);
    assert.equal(await readOwnVersion(vault, "a"), null);
  });

  it("is corrected by its own clock on a later day, and by today's on the same", async () => {
    const later = new Date(2026, 11, 14, 9);
    await finish("a");
    const { clock } = (await readOwnVersion(vault, "a"))!;
    assert.equal(findClock(formatLocalTime(new Date(2026, 10, 23, 23)), clock).slice(11, 13), "23");
    await finish("c", { root: "a", prev: ["a"], clock: clock! }, {}, later);
    assert.equal((await openContent("c"))["clock"], clock);
    assert.equal((await openContent("c"))["finished_at"], formatLocalTime(later));
    // A correction of the correction stays with it.
    assert.equal((await readOwnVersion(vault, "a"))!.clock, clock);
    assert.equal("clock" in (await openContent("a")), false);
  });

  it("stays with it also where it is taken back before it was sent", async () => {
    await finish("a");
    const draft = (await takeBack(vault, "a"))!;
    assert.equal(draft.clock, formatLocalTime(NOW));
  });

  it("is sealed: nothing of the answers is in clear", async () => {
    await finish("a", { answers: { ...ANSWERS, kind: "secret" } });
    const rows = (await getAllRows("outbox")).map(({ copy, undo, about, of }) =>
      [copy, undo, about, of].map((sealed) => Buffer.from(sealed!.data).toString("latin1")),
    );
    assert.ok(!JSON.stringify(rows).includes("secret"));
  });

  it("goes with its card, as the draft of what was taken back does", async () => {
    await finish("sent");
    await closeOutboxRow("sent", "delivered", 9);
    await finish("back", { answers: { code: CODE } });
    await takeBack(vault, "back");
    await finish("waits", { answers: { code: CODE } });
    assert.deepEqual(await eraseUnsent(vault, [CODE]), ["back"]);
    const sent = (await getRow("outbox", "sent"))!;
    assert.deepEqual([sent.copy, sent.of, sent.state], [undefined, undefined, "delivered"]);
    assert.deepEqual(
      (await listLines(vault)).map(({ id, kind, code, state, isEnded }) => [
        id,
        kind,
        code,
        state,
        isEnded,
      ]),
      [
        ["waits", undefined, undefined, "deleted", true],
        ["back", undefined, undefined, "deleted", true],
        ["sent", undefined, undefined, "delivered", undefined],
      ],
    );
  });
});
