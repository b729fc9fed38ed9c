import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { installBrowser, type Browser } from "../../test/browser";
import { makeVault, type TestVault } from "../../test/vaults";
import { changeCaseload, findStanding, listHeads, readCaseload, type Caseload } from "./caseload";
import { deleteDatabase, getRow, putRow } from "./database";
import { seal } from "./vault";

let browser: Browser;
let vault: TestVault;

beforeEach(async () => {
  browser = installBrowser();
  await deleteDatabase();
  vault = await makeVault(null);
});

const addClash =
  (code: string) =>
  (caseload: Caseload): Caseload => ({ ...caseload, clashes: [...caseload.clashes, code] });

describe("reading the caseload", () => {
  it("gives an empty one on a new phone", async () => {
    const caseload = await readCaseload(vault);
    assert.deepEqual(caseload.people, []);
    assert.equal(caseload.cursor, 0);
  });

  it("gives an empty one where its row is damaged, or another's", async () => {
    await changeCaseload(vault, addClash("A"));
    const other = await makeVault(null);
    assert.deepEqual((await readCaseload(other)).clashes, []);
    const row = (await getRow("books", 7))!;
    new Uint8Array(row.sealed.data)[0]! ^= 1;
    await putRow("books", row);
    assert.deepEqual((await readCaseload(vault)).clashes, []);
  });

  it("fills in what an earlier version of the app did not keep", async () => {
    await putRow("books", { user: 7, sealed: await seal(vault.key, { people: [], cursor: 5 }) });
    const caseload = await readCaseload(vault);
    assert.deepEqual([caseload.cursor, caseload.settled, caseload.told], [5, [], {}]);
  });

  it("lists what the centre heard people with cards say about consent", async () => {
    const people = ["A", "B", "C"].map((code) => ({ code, label: "", seenOn: "", tier: "" }));
    const told = {
      "card/A": { code: "A", consent: { heads: ["1", "2"] } },
      "card/B": { code: "B" },
    };
    const caseload = await readCaseload(vault);
    assert.deepEqual(listHeads({ ...caseload, people, told }), { A: ["1", "2"] });
    const unheard = { A: ["3"], D: ["4"] }; // said here since: who is asked next knows of it
    const heads = listHeads({ ...caseload, people, told, unheard });
    assert.deepEqual(heads, { A: ["1", "2", "3"], D: ["4"] });
    const many = { A: Array.from({ length: 20 }, (_, at) => `${at}`) };
    assert.equal(listHeads({ ...caseload, people, told, unheard: many })["A"]!.length, 16);
  });

  it("knows what stands for a card, until somebody is asked again here", async () => {
    const consent = { tier: 2, since: "2026-10", heads: ["1"], doubt: false, wording: "w" };
    const told = { "card/A": { code: "A", consent }, "card/B": { code: "B" } };
    const caseload = { ...(await readCaseload(vault)), told };
    assert.deepEqual(findStanding(caseload, "A"), consent);
    assert.deepEqual([findStanding(caseload, "B"), findStanding(caseload, "C")], [null, null]);
    assert.equal(findStanding({ ...caseload, unheard: { A: ["2"] } }, "A"), null);
  });

  it("keeps the caseloads of two workers apart", async () => {
    const other = await makeVault(null, { user: 8 });
    await changeCaseload(vault, addClash("A"));
    await changeCaseload(other, addClash("B"));
    assert.deepEqual((await readCaseload(vault)).clashes, ["A"]);
    assert.deepEqual((await readCaseload(other)).clashes, ["B"]);
  });
});

describe("changing the caseload", () => {
  it("stores nothing that can be read without the worker's key", async () => {
    await changeCaseload(vault, addClash("K7QM3RXDQ"));
    const { sealed } = (await getRow("books", 7))!;
    const text = Buffer.from(sealed.data).toString("latin1");
    assert.ok(!text.includes("K7QM3RXDQ"));
    assert.ok(!text.includes("clashes"));
  });

  it("changes nothing on a phone without room, and says so", async () => {
    await changeCaseload(vault, addClash("A"));
    browser.isFull = true;
    await assert.rejects(changeCaseload(vault, addClash("B")));
    browser.isFull = false;
    assert.deepEqual((await readCaseload(vault)).clashes, ["A"]);
  });

  it("loses no change of another tab, however many there are at once", async () => {
    const codes = Array.from({ length: 12 }, (_, number) => `c${number}`);
    await Promise.all(codes.map((code) => changeCaseload(vault, addClash(code))));
    assert.deepEqual([...(await readCaseload(vault)).clashes].sort(), [...codes].sort());
  });

  it("is done again on what another tab wrote meanwhile", async () => {
    const seen: string[][] = [];
    let other: Promise<void> | null = null;
    const slow = changeCaseload(vault, (caseload) => {
      seen.push(caseload.clashes);
      other ??= changeCaseload(vault, addClash("other"));
      return addClash("mine")(caseload);
    });
    await slow;
    const { clashes } = await readCaseload(vault);
    assert.ok(clashes.includes("mine"));
    await other;
    assert.deepEqual([...(await readCaseload(vault)).clashes].sort(), ["mine", "other"]);
    assert.ok(seen.length >= 1);
  });
});

describe("what is written alongside", () => {
  const draft = async (id: string): Promise<{ id: string; user: number; sealed: never }> => ({
    id,
    user: 7,
    sealed: (await seal(vault.key, {})) as never,
  });

  it("is written with the caseload or not at all", async () => {
    const row = await draft("d1");
    await changeCaseload(vault, addClash("A"), (tx, write) => {
      tx.objectStore("drafts").put(row);
      write();
    });
    assert.ok(await getRow("drafts", "d1"));
    assert.deepEqual((await readCaseload(vault)).clashes, ["A"]);
    const second = await draft("d2");
    const failing = changeCaseload(vault, addClash("B"), (tx) => {
      tx.objectStore("drafts").put(second);
      throw new Error("in the middle");
    });
    await assert.rejects(failing);
    assert.equal(await getRow("drafts", "d2"), undefined);
    assert.deepEqual((await readCaseload(vault)).clashes, ["A"]);
  });

  it("may leave the caseload as it was", async () => {
    await changeCaseload(vault, addClash("A"), () => undefined);
    assert.deepEqual((await readCaseload(vault)).clashes, []);
  });
});
