import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { type Browser, installBrowser } from "../../test/browser";
import { deleteDatabase, getAllRows, getRow } from "./database";
import { checkStorage, hasRoomFor, markStorage, requestPersistence, wasCleared } from "./health";

let browser: Browser;

beforeEach(async () => {
  browser = installBrowser();
  await deleteDatabase();
});

const fails = (): Promise<never> => Promise.reject(new Error("no"));

describe("the health of the store", () => {
  it("promises nothing where the browser says nothing", async () => {
    browser.storage = null;
    assert.deepEqual(await checkStorage(), { isKept: false, freeMb: null });
    browser.storage = {};
    assert.deepEqual(await checkStorage(), { isKept: false, freeMb: null });
    browser.storage = { persisted: fails, estimate: fails };
    assert.deepEqual(await checkStorage(), { isKept: false, freeMb: null });
  });

  it("is what the browser says, in whole megabytes", async () => {
    const estimate = { quota: 10 * 1_048_576, usage: 3.4 * 1_048_576 };
    browser.storage = {
      persisted: () => Promise.resolve(true),
      estimate: () => Promise.resolve(estimate),
    };
    assert.deepEqual(await checkStorage(), { isKept: true, freeMb: 7 });
  });

  it("counts nothing as used where the browser does not say", async () => {
    browser.storage = { estimate: () => Promise.resolve({ quota: 2 * 1_048_576 }) };
    assert.equal((await checkStorage()).freeMb, 2);
  });

  it("asks to be kept, and does not mind a no", async () => {
    let asked = 0;
    browser.storage = {
      persist: () => {
        asked++;
        return Promise.resolve(false);
      },
    };
    await requestPersistence();
    assert.equal(asked, 1);
    browser.storage = { persist: fails };
    await requestPersistence();
    browser.storage = null;
    await requestPersistence();
  });
});

describe("room", () => {
  it("is tried out by writing, and nothing is left of it", async () => {
    assert.equal(await hasRoomFor(100_000), true);
    assert.deepEqual(await getAllRows("marks"), []);
  });

  it("is not there on a full phone", async () => {
    browser.isFull = true;
    assert.equal(await hasRoomFor(10), false);
    browser.isFull = false;
    assert.deepEqual(await getAllRows("marks"), []);
  });
});

describe("a cleared phone", () => {
  it("is none that was never marked", async () => {
    assert.equal(await wasCleared(), false);
  });

  it("is none where both marks are there", async () => {
    await markStorage();
    assert.equal(await wasCleared(), false);
    assert.ok((await getRow("marks", "canary"))!.at > 0);
  });

  it("has lost one mark and kept the other", async () => {
    await markStorage();
    await deleteDatabase();
    assert.equal(await wasCleared(), true);
    browser.localStorage.clear();
    assert.equal(await wasCleared(), false);
  });
});
