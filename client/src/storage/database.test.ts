import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { installBrowser, type Browser } from "../../test/browser";
import {
  deleteDatabase,
  deleteRow,
  deleteUserData,
  getAllRows,
  getRow,
  putRow,
  runTransaction,
  updateRow,
} from "./database";
import type { AreasRow, CountersRow } from "./types";

let browser: Browser;

beforeEach(async () => {
  browser = installBrowser();
  await deleteDatabase();
});

const counters = (user: number, made = 1): CountersRow => ({
  user,
  made,
  delivered: 0,
  kept: 0,
  deleted: 0,
});

const areas = (user: number, name: string): AreasRow => ({
  key: `${user}/${name}`,
  user,
  name,
  sha256: "",
  text: "",
});

describe("rows", () => {
  it("are undefined where there are none", async () => {
    assert.equal(await getRow("counters", 7), undefined);
    assert.deepEqual(await getAllRows("counters"), []);
    assert.deepEqual(await getAllRows("areas", 7), []);
  });

  it("are written, read, replaced and deleted by their key", async () => {
    await putRow("counters", counters(7));
    await putRow("counters", counters(7, 2));
    assert.equal((await getRow("counters", 7))?.made, 2);
    await deleteRow("counters", 7);
    await deleteRow("counters", 7);
    assert.equal(await getRow("counters", 7), undefined);
  });

  it("are found by their worker", async () => {
    for (const row of [areas(7, "a"), areas(8, "a"), areas(7, "b")]) await putRow("areas", row);
    const keys = (await getAllRows("areas", 7)).map(({ key }) => key);
    assert.deepEqual(keys, ["7/a", "7/b"]);
    assert.equal((await getAllRows("areas")).length, 3);
  });

  it("keep bytes as bytes", async () => {
    const filler = new Uint8Array([0, 255, 7]);
    await putRow("marks", { name: "room", at: 1, filler });
    assert.deepEqual((await getRow("marks", "room"))?.filler, filler);
  });
});

describe("changing a row", () => {
  it("makes none where there is none, and none where it is left alone", async () => {
    await updateRow("counters", 7, () => counters(7));
    assert.equal(await getRow("counters", 7), undefined);
    await putRow("counters", counters(7));
    await updateRow("counters", 7, () => null);
    assert.equal((await getRow("counters", 7))?.made, 1);
  });

  it("loses no change, however many come at once", async () => {
    await putRow("counters", counters(7, 0));
    const add = (row: CountersRow): CountersRow => ({ ...row, made: row.made + 1 });
    await Promise.all(Array.from({ length: 20 }, () => updateRow("counters", 7, add)));
    assert.equal((await getRow("counters", 7))?.made, 20);
  });
});

describe("a transaction", () => {
  it("writes all of it or nothing", async () => {
    const failing = runTransaction(["counters", "areas"], "readwrite", (tx) => {
      tx.objectStore("counters").put(counters(7));
      tx.objectStore("areas").put(areas(7, "a"));
      tx.abort();
      return null;
    });
    await assert.rejects(failing, { name: "AbortError" });
    assert.equal(await getRow("counters", 7), undefined);
    assert.deepEqual(await getAllRows("areas"), []);
  });

  it("says so when the phone has no room", async () => {
    browser.isFull = true;
    await assert.rejects(putRow("counters", counters(7)), { name: "QuotaExceededError" });
    browser.isFull = false;
    await putRow("counters", counters(7));
    assert.equal((await getRow("counters", 7))?.made, 1);
  });

  it("gives what was asked for once all is written", async () => {
    const key = await runTransaction(["counters"], "readwrite", (tx) =>
      tx.objectStore("counters").put(counters(7)),
    );
    assert.equal(key, 7);
  });

  it("opens the store anew when the handle died, once", async () => {
    await putRow("counters", counters(7));
    let handle: IDBDatabase | null = null;
    await runTransaction(["counters"], "readonly", (tx) => {
      handle = tx.db;
      return null;
    });
    handle!.close(); // as iPhones do in the background
    assert.equal((await getRow("counters", 7))?.made, 1);
  });

  it("does not hide another error behind a second attempt", async () => {
    let attempts = 0;
    const failing = runTransaction(["counters"], "readonly", () => {
      attempts++;
      throw new TypeError("a fault of the app");
    });
    await assert.rejects(failing, TypeError);
    assert.equal(attempts, 1);
  });
});

describe("taking a worker off the phone", () => {
  it("takes all of theirs, and nothing of others", async () => {
    for (const user of [7, 8]) {
      await putRow("counters", counters(user));
      await putRow("areas", areas(user, "a"));
      await putRow("drafts", { id: `d${user}`, user, sealed: {} as never });
      await putRow("maps", { user, mark: "m", sealed: {} as never });
      await putRow("books", { user, sealed: {} as never });
    }
    await putRow("marks", { name: "canary", at: 1 });
    await deleteUserData(7);
    for (const store of ["counters", "areas", "drafts", "maps", "books"] as const) {
      const users = (await getAllRows(store)).map(({ user }) => user);
      assert.deepEqual(users, [8], store);
    }
    assert.equal((await getAllRows("marks")).length, 1);
  });
});

describe("throwing the store away", () => {
  it("leaves an empty one", async () => {
    await putRow("counters", counters(7));
    await deleteDatabase();
    assert.deepEqual(await getAllRows("counters"), []);
  });

  it("is refused while another tab holds it", async () => {
    await putRow("counters", counters(7));
    const other = await new Promise<IDBDatabase>((resolve) => {
      const request = indexedDB.open("fieldapp");
      request.onsuccess = () => resolve(request.result);
    });
    await assert.rejects(deleteDatabase(), /open in another tab/);
    other.close();
  });
});
