import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { installBrowser } from "../../test/browser";
import { Centre } from "../../test/centre";
import { makeForm } from "../../test/forms";
import { makeVault, type TestVault } from "../../test/vaults";
import { makeCardCode } from "../engine/cards";
import { changeCaseload } from "./caseload";
import { deleteDatabase } from "./database";
import { type Draft, saveDraft } from "./drafts";
import { finishDraft } from "./finishing";
import { forgetOldCopies } from "./old_copies";
import { closeOutboxRow, listLines } from "./outbox";
import { readCopy, readOwnVersion } from "./take_back";

const CODE = makeCardCode(new Uint8Array(8).fill(3));
const OTHER = makeCardCode(new Uint8Array(8).fill(4));
const NOW = new Date(2026, 10, 23, 14, 5, 9);
const FORM = makeForm(
  [
    { type: "text", name: "code" },
    { type: "select_one", name: "kind" },
    { type: "select_one", name: "place" },
    { type: "integer", name: "tier" },
  ],
  {
    id: "encounter",
    summary: { person: "/data/code", kind: "/data/kind", area: "/data/place", tier: "/data/tier" },
  },
);

let vault: TestVault;

beforeEach(async () => {
  installBrowser();
  await deleteDatabase();
  vault = await makeVault(new Centre());
});

async function finish(
  id: string,
  answers: Draft["answers"],
  more = {},
  beside = {},
): Promise<void> {
  const start = { id, form: "encounter", version: "1", changedAt: 1, page: 2 };
  const draft = { ...start, answers: { kind: "visit", place: "rexdale", ...answers }, ...more };
  await saveDraft(vault, draft);
  await finishDraft(vault, draft, FORM, NOW, beside);
}

async function send(id: string, answers: Draft["answers"], more = {}, beside = {}): Promise<void> {
  await finish(id, answers, more, beside);
  await closeOutboxRow(id, "delivered", 9);
}

/** What the centre says of a card once it has heard everything. */
const tell = (code: string, tier: number): Promise<void> =>
  changeCaseload(vault, (caseload) => {
    const consent = { tier, since: "2026-11", heads: [], doubt: false, wording: "" };
    const told = { ...caseload.told, [`card/${code}`]: { consent } };
    return { ...caseload, told, unheard: {} };
  });

const listCopies = async (): Promise<string[]> => {
  const lines = await listLines(vault);
  return lines.filter(({ hasCopy }) => hasCopy).map(({ id }) => id);
};

describe("what stays of records about somebody who allows less now", () => {
  it("is the form and the time after a no, and records of others stay whole", async () => {
    await send("a", { code: CODE, tier: "3" });
    await send("referral", { code: CODE });
    await send("other", { code: OTHER, tier: "3" });
    await tell(CODE, 0);
    await forgetOldCopies(vault);
    assert.deepEqual(await listCopies(), ["other"]);
    assert.equal(await readCopy(vault, "a"), null);
    const line = (await listLines(vault)).find(({ id }) => id === "a")!;
    const { form, code, kind, area, stood } = line;
    assert.deepEqual([form, code, kind, area, stood], ["encounter", ...Array(4).fill(undefined)]);
  });

  it("is what was made under no more than what stands", async () => {
    await send("high", { code: CODE, tier: "3" });
    await send("low", { code: CODE, tier: "1" });
    await tell(CODE, 3);
    await forgetOldCopies(vault);
    assert.deepEqual(await listCopies(), ["low", "high"]);
    await send("unasked", { code: CODE });
    await tell(CODE, 1);
    await forgetOldCopies(vault);
    assert.deepEqual(await listCopies(), ["low"]);
  });

  it("is measured by what stood first where nobody knew when it was made", async () => {
    await send("a", { code: CODE });
    for (const [tier, copies] of [
      [2, ["a"]],
      [3, ["a"]],
      [1, []],
    ] as const) {
      await tell(CODE, tier);
      await forgetOldCopies(vault);
      assert.deepEqual(await listCopies(), copies);
    }
  });

  it("is all of what was not sent yet, so that it can still be put right", async () => {
    await finish("a", { code: CODE, tier: "3" });
    await tell(CODE, 0);
    await forgetOldCopies(vault);
    assert.deepEqual(await listCopies(), ["a"]);
  });
});

describe("what stays of a record that was corrected", () => {
  it("is the newest version, once the centre has it", async () => {
    await send("a", { code: CODE });
    await finish("b", { kind: "call" }, { root: "a", prev: ["a"] });
    await forgetOldCopies(vault);
    assert.deepEqual(await listCopies(), ["b", "a"]);
    await closeOutboxRow("b", "delivered", 9);
    await forgetOldCopies(vault);
    assert.deepEqual(await listCopies(), ["b"]);
    assert.deepEqual((await readOwnVersion(vault, "a"))!.heads, ["b"]);
    const first = (await listLines(vault)).find(({ id }) => id === "a")!;
    assert.deepEqual([first.code, first.kind, first.area], [undefined, undefined, undefined]);
  });

  it("is nothing of what it said where its correction is a no", async () => {
    await send("a", { code: CODE, tier: "3" });
    await send("b", {}, { root: "a", prev: ["a"] }, { refusedBy: CODE });
    await forgetOldCopies(vault);
    assert.deepEqual(await listCopies(), []);
    assert.equal(await readOwnVersion(vault, "a"), null);
  });
});
