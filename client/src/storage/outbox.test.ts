import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { type Browser, installBrowser } from "../../test/browser";
import { Centre, isSignedByPhone } from "../../test/centre";
import { makeForm } from "../../test/forms";
import { makeVault, type TestVault } from "../../test/vaults";
import { makeCardCode } from "../engine/cards";
import type { Json } from "../engine/types";
import { joinBytes, toUtf8 } from "./bytes";
import { type Caseload, changeCaseload, readCaseload } from "./caseload";
import { applyPulledChanges } from "./caseload_updates";
import { deleteDatabase, getAllRows, getRow, putRow } from "./database";
import { type Draft, listDrafts, saveDraft } from "./drafts";
import { closeOutboxRow, deleteOldLines, formatLocalTime, listLines, NoCentreKey } from "./outbox";
import { finishNote } from "./notes";
import { finishDraft } from "./finishing";
import { deleteWaiting } from "./take_back";
import { countRecords, getCounters } from "./record_counts";
import { unseal } from "./vault";

const CODE = makeCardCode(new Uint8Array(8).fill(3));
const NOW = new Date(2026, 10, 23, 14, 5, 9);
const FORM = makeForm(
  [
    { type: "text", name: "code" },
    { type: "select_one", name: "minutes" },
    { type: "date", name: "next" },
  ],
  {
    id: "encounter",
    summary: { person: "/data/code", minutes: "/data/minutes", due: "/data/next" },
  },
);

let browser: Browser;
let centre: Centre;
let vault: TestVault;

beforeEach(async () => {
  browser = installBrowser();
  await deleteDatabase();
  centre = new Centre();
  vault = await makeVault(centre);
});

const makeDraft = (id: string, more: Partial<Draft> = {}): Draft => ({
  id,
  form: "encounter",
  version: "1",
  changedAt: 1,
  page: 0,
  answers: { code: CODE, minutes: "5_15" },
  ...more,
});

async function finish(id: string, more: Partial<Draft> = {}, beside = {}): Promise<void> {
  const draft = makeDraft(id, more);
  await saveDraft(vault, draft);
  await finishDraft(vault, draft, FORM, NOW, beside);
}

async function openContent(id: string): Promise<Record<string, unknown>> {
  const row = (await getRow("outbox", id))!;
  return centre.openRecord(id, row.box!);
}

describe("local time", () => {
  it("is written with the offset of the place", () => {
    const text = formatLocalTime(NOW);
    assert.match(text, /^2026-11-23T14:05:09\.000[+-]\d\d:\d\d$/);
    assert.equal(new Date(text).getTime(), NOW.getTime());
  });

  it("has the right offset east and west of Greenwich, also of half an hour", () => {
    const at = (offset: number): string => {
      const date = new Date(Date.UTC(2026, 0, 2, 3, 4, 5));
      date.getTimezoneOffset = () => offset;
      return formatLocalTime(date);
    };
    assert.equal(at(300), "2026-01-01T22:04:05.000-05:00");
    assert.equal(at(210), "2026-01-01T23:34:05.000-03:30");
    assert.equal(at(0), "2026-01-02T03:04:05.000+00:00");
    assert.equal(at(-330), "2026-01-02T08:34:05.000+05:30");
  });
});

describe("finishing a draft", () => {
  it("is refused before the centre's key has come, and the draft stays", async () => {
    const early = await makeVault(null);
    await saveDraft(early, makeDraft("a"));
    await assert.rejects(finishDraft(early, makeDraft("a"), FORM, NOW), NoCentreKey);
    assert.equal((await listDrafts(early)).length, 1);
    assert.deepEqual(await getAllRows("outbox"), []);
  });

  it("leaves everything as it was on a phone without room", async () => {
    await saveDraft(vault, makeDraft("a"));
    browser.isFull = true;
    await assert.rejects(finishDraft(vault, makeDraft("a"), FORM, NOW));
    browser.isFull = false;
    assert.equal((await listDrafts(vault)).length, 1);
    assert.deepEqual(await getAllRows("outbox"), []);
    assert.equal((await countRecords(7)).made, 0);
    assert.deepEqual((await readCaseload(vault)).people, []);
  });

  it("moves it to the outbox, counts it, and changes the caseload with it", async () => {
    await finish("a");
    assert.deepEqual(await listDrafts(vault), []);
    const row = (await getRow("outbox", "a"))!;
    assert.deepEqual([row.user, row.seq, row.state, row.shredOn], [7, 1, "waiting", 0]);
    assert.equal((await getCounters(7)).made, 1);
    const caseload = await readCaseload(vault);
    assert.equal(caseload.people[0]!.code, CODE);
    assert.equal(caseload.finished, 1);
  });

  it("seals it to the centre, signed by this phone", async () => {
    await finish("a");
    const content = await openContent("a");
    assert.deepEqual(content, {
      form: "encounter",
      version: "1",
      finished_at: formatLocalTime(NOW),
      body: JSON.stringify({ code: CODE, minutes: "5_15" }),
      seq: 1,
    });
    const { box } = (await getRow("outbox", "a"))!;
    const info = toUtf8(`fieldapp sealed record 1|a|device-7|${centre.key.kid}|`);
    const isSigned = isSignedByPhone(vault.publicKey, joinBytes(info, box!.box), box!.signature);
    assert.equal(isSigned, true);
  });

  it("keeps nothing readable of it on the phone", async () => {
    await finish("a");
    const row = (await getRow("outbox", "a"))!;
    const bytes = Buffer.concat([row.box!.box, Buffer.from(row.about!.data)]).toString("latin1");
    for (const word of [CODE, "5_15", "encounter"]) assert.ok(!bytes.includes(word), word);
  });

  it("says what it corrects, which follow-up it is and who said no", async () => {
    await finish(
      "a",
      { root: "r", prev: ["v1"], due: "r/2026-11-20" },
      { refusedBy: CODE.toLowerCase() },
    );
    const content = await openContent("a");
    assert.deepEqual(
      [content["root"], content["prev"], content["due"], content["refused_by"]],
      ["r", ["v1"], "r/2026-11-20", CODE],
    );
  });

  it("says which earlier words on consent were known when it was begun", async () => {
    const heads = { [CODE]: ["f3c1", "9a2b"], OTHERCODE: ["7d00"] };
    await finish("a", { heads });
    assert.deepEqual((await openContent("a"))["consent"], {
      knew: ["f3c1", "9a2b"],
      wording: "",
      asked: true,
    });
    await finish("b", { heads, answers: {} }, { refusedBy: CODE });
    assert.deepEqual((await openContent("b"))["consent"], {
      knew: ["f3c1", "9a2b"],
      wording: "",
      asked: true,
    });
    await finish("c", { heads: {} });
    assert.equal((await openContent("c"))["consent"], undefined);
  });

  it("says in which words people were asked", async () => {
    const draft = makeDraft("a");
    await saveDraft(vault, draft);
    await finishDraft(vault, draft, { ...FORM, consent_wording: "0123456789abcdef" }, NOW);
    const asked = { knew: [], wording: "0123456789abcdef", asked: true };
    assert.deepEqual((await openContent("a"))["consent"], asked);
  });

  describe("about consent", () => {
    const ASKING = makeForm(
      [
        { type: "text", name: "code" },
        { type: "select_one", name: "asked", choices: "asked" },
        { type: "select_one", name: "tier", choices: "tier" },
      ],
      {
        id: "encounter",
        consent_wording: "0123456789abcdef",
        choices: {
          asked: ["read_out", { name: "as_before", label: {}, data: { app_role: "standing" } }],
          tier: ["0", "1"],
        },
        summary: { person: "/data/code", consent_asked: "/data/asked", tier: "/data/tier" },
      },
    );
    const finishAsked = async (id: string, answers: Json, refusedBy = ""): Promise<unknown> => {
      await finishDraft(vault, makeDraft(id, { answers }), ASKING, NOW, { refusedBy });
      return (await openContent(id))["consent"];
    };

    it("says nothing where nobody was asked again", async () => {
      const consent = await finishAsked("a", { code: CODE, asked: "as_before", tier: "1" });
      assert.deepEqual(consent, { knew: [], wording: "0123456789abcdef", asked: false });
      assert.deepEqual((await readCaseload(vault)).unheard, {});
    });

    it("is noted here until the centre has heard it: what stands is not known meanwhile", async () => {
      await finishAsked("a", { code: CODE, asked: "read_out", tier: "1" });
      await finishAsked("b", { asked: "read_out", tier: "0" }, CODE);
      assert.deepEqual((await readCaseload(vault)).unheard, { [CODE]: ["a", "b"] });
      await changeCaseload(vault, (caseload) => applyPulledChanges(caseload, [], "1:1", true));
      assert.deepEqual((await readCaseload(vault)).unheard, {});
    });

    it("is of a card that the phone can find as long as it has a copy", async () => {
      await finishAsked("a", { code: CODE, asked: "read_out", tier: "1" });
      await closeOutboxRow("a", "delivered", 1);
      const { of } = (await getRow("outbox", "a"))!;
      assert.equal(await unseal(vault.key, of!), CODE);
    });

    it("leaves nothing of who said no once that is sent", async () => {
      await finishAsked("a", { asked: "read_out", tier: "0" }, CODE);
      const waiting = (await getRow("outbox", "a"))!;
      assert.equal(await unseal(vault.key, waiting.of!), CODE);
      await closeOutboxRow("a", "delivered", 1);
      const { of, copy, undo } = (await getRow("outbox", "a"))!;
      assert.deepEqual([of, copy, undo], [undefined, undefined, undefined]);
    });
  });

  it("sends a slip beside the answers, and keeps it nowhere", async () => {
    const slip = "K7QM3RXDQ2FA";
    await finish("a", {}, { slip });
    const content = await openContent("a");
    assert.equal(content["slip"], slip);
    assert.ok(!String(content["body"]).includes(slip));
    await finish("b");
    assert.equal((await openContent("b"))["slip"], undefined);
  });

  it("tells of a card that was made for it, and only of that", async () => {
    const other = makeCardCode(new Uint8Array(8).fill(9));
    await changeCaseload(vault, (caseload) => ({ ...caseload, made: [CODE, other] }));
    await finish("a");
    assert.deepEqual((await openContent("a"))["cards"], [CODE]);
    assert.deepEqual((await readCaseload(vault)).made, [other]);
    await finish("b", { minted: [other] });
    assert.equal((await openContent("b"))["cards"], undefined);
    await finish("c", { minted: [other], answers: { code: other } });
    assert.deepEqual((await openContent("c"))["cards"], [other]);
  });

  it("twice leaves one record: a second tap", async () => {
    const draft = makeDraft("a");
    await saveDraft(vault, draft);
    await Promise.all([
      finishDraft(vault, draft, FORM, NOW),
      finishDraft(vault, draft, FORM, NOW).catch(() => undefined),
    ]);
    await finishDraft(vault, draft, FORM, NOW);
    assert.equal((await getAllRows("outbox")).length, 1);
    assert.equal((await countRecords(7)).made, 1);
    assert.equal((await readCaseload(vault)).finished, 1);
  });

  it("gives each record a number of its own, also in tabs at once", async () => {
    const ids = ["a", "b", "c", "d", "e", "f"];
    await Promise.all(ids.map((id) => finish(id)));
    const rows = await getAllRows("outbox");
    assert.deepEqual(rows.map(({ seq }) => seq).sort(), [1, 2, 3, 4, 5, 6]);
    for (const { id, seq } of rows) assert.equal((await openContent(id))["seq"], seq);
    assert.equal((await readCaseload(vault)).finished, 6);
  });

  it("goes on counting where the phone lost its rows", async () => {
    await finish("a");
    await finish("b");
    await deleteDatabase();
    await finish("c");
    assert.equal((await getRow("outbox", "c"))!.seq, 3);
    const { made, waiting, lost } = await countRecords(7);
    assert.deepEqual([made, waiting, lost], [3, 1, 2]);
  });

  it("keeps pictures apart, named by the record", async () => {
    const picture = `data:image/png;base64,${Buffer.from("picture").toString("base64")}`;
    await finish("a", { answers: { code: CODE, photo: picture } });
    const [blob] = await getAllRows("blobs");
    assert.equal(blob!.record, "a");
    const body = JSON.parse((await openContent("a"))["body"] as string) as { photo: string };
    assert.equal(body.photo, `attachment:image/png:${blob!.hash}`);
  });
});

describe("finishing a note", () => {
  const unchanged = (caseload: Caseload): Caseload => caseload;

  it("is refused before the centre's key has come", async () => {
    const early = await makeVault(null);
    await assert.rejects(finishNote(early, "settle", { due: "x" }, unchanged), NoCentreKey);
  });

  it("travels as a record does, and changes the caseload with it", async () => {
    await finishNote(vault, "handover", { code: CODE, to: 8 }, (caseload) => ({
      ...caseload,
      clashes: [CODE],
    }));
    const [row] = await getAllRows("outbox");
    const content = await openContent(row!.id);
    assert.equal(content["form"], "fieldapp.handover");
    assert.equal(content["version"], "1");
    assert.deepEqual(JSON.parse(content["body"] as string), { code: CODE, to: 8 });
    const caseload = await readCaseload(vault);
    assert.deepEqual([caseload.clashes, caseload.finished], [[CODE], 1]);
    assert.equal((await countRecords(7)).made, 1);
  });
});

describe("the worker's own list", () => {
  it("shows form, time and length of each, the newest first", async () => {
    await finish("a");
    await finish("b", { root: "r" });
    const [second, first] = await listLines(vault);
    assert.deepEqual(first, {
      id: "a",
      seq: 1,
      state: "waiting",
      form: "encounter",
      finishedAt: formatLocalTime(NOW),
      minutes: "5_15",
      code: CODE,
      hasCopy: true,
    });
    assert.equal(second!.root, "r");
  });

  it("shows a line without words where they cannot be read", async () => {
    await finish("a");
    const lines = await listLines(await makeVault(centre));
    assert.deepEqual(lines, [
      { id: "a", seq: 1, state: "waiting", form: "", finishedAt: "", minutes: "", hasCopy: true },
    ]);
  });

  it("is not another worker's", async () => {
    await finish("a");
    assert.deepEqual(await listLines(await makeVault(centre, { user: 8 })), []);
  });
});

describe("a record that leaves the outbox", () => {
  it("does nothing where there is none, or it left before", async () => {
    await closeOutboxRow("nothing", "delivered", 1);
    await finish("a");
    await closeOutboxRow("a", "delivered", 100);
    await closeOutboxRow("a", "deleted", 1);
    const row = (await getRow("outbox", "a"))!;
    assert.deepEqual([row.state, row.shredOn], ["delivered", 100]);
    const { delivered, deleted } = await getCounters(7);
    assert.deepEqual([delivered, deleted], [1, 0]);
  });

  it("loses its content at once, and keeps its line for its worker", async () => {
    await finish("a");
    await closeOutboxRow("a", "delivered", 100);
    assert.equal((await getRow("outbox", "a"))!.box, null);
    assert.equal((await listLines(vault))[0]!.form, "encounter");
  });

  it("takes its pictures with it, and no others", async () => {
    const picture = (text: string): string =>
      `data:image/png;base64,${Buffer.from(text).toString("base64")}`;
    await finish("a", { answers: { photo: picture("one") } });
    await finish("b", { answers: { photo: picture("two") } });
    await closeOutboxRow("a", "kept", 100);
    assert.deepEqual(
      (await getAllRows("blobs")).map(({ record }) => record),
      ["b"],
    );
    assert.equal((await getCounters(7)).kept, 1);
  });

  it("is counted also where nothing was counted yet", async () => {
    await finish("a");
    const row = (await getRow("outbox", "a"))!;
    await deleteDatabase();
    await putRow("outbox", { ...row, seq: 4 });
    await closeOutboxRow("a", "delivered", 1);
    const { made, delivered } = await getCounters(7);
    assert.deepEqual([made, delivered], [4, 1]);
  });

  it("can be deleted by its worker while it waits, and still counts", async () => {
    await finish("a");
    await deleteWaiting(vault, "a");
    const { made, deleted, waiting, lost } = await countRecords(7);
    assert.deepEqual([made, deleted, waiting, lost], [1, 1, 0, 0]);
    assert.equal((await getRow("outbox", "a"))!.box, null);
    assert.ok(browser.localStorage.get("fieldapp.made.7")!.includes('"deleted":1'));
  });
});

describe("old lines", () => {
  it("stay while they wait, and until their day", async () => {
    await finish("waiting");
    await finish("young");
    await closeOutboxRow("young", "delivered", 101);
    await deleteOldLines(100);
    assert.equal((await getAllRows("outbox")).length, 2);
  });

  it("go on their day, and the counters stay", async () => {
    await finish("a");
    await closeOutboxRow("a", "delivered", 100);
    await deleteOldLines(100);
    assert.deepEqual(await getAllRows("outbox"), []);
    const { made, delivered, lost } = await countRecords(7);
    assert.deepEqual([made, delivered, lost], [1, 1, 0]);
  });
});
