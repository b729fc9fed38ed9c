import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { installBrowser, removeLocalStorage, type Browser } from "../../test/browser";
import { seeded } from "../../test/chance";
import { deleteDatabase, putRow } from "./database";
import {
  countRecords,
  countRows,
  getCounters,
  NO_RECORDS,
  raiseHighWater,
  readHighWater,
} from "./record_counts";
import type { OutboxRow } from "./types";

let browser: Browser;

beforeEach(async () => {
  browser = installBrowser();
  await deleteDatabase();
});

const BOX = { device: "d", kid: "k", box: new Uint8Array(1), signature: new Uint8Array(1) };

function makeRow(seq: number, state: OutboxRow["state"], more: Partial<OutboxRow> = {}): OutboxRow {
  const box = state === "waiting" ? BOX : null;
  return { id: `r${seq}`, user: 7, seq, state, box, about: null, shredOn: 0, ...more };
}

describe("the counters", () => {
  it("are none on a new phone", async () => {
    assert.deepEqual(await getCounters(7), { user: 7, ...NO_RECORDS });
    const counts = await countRecords(7);
    assert.deepEqual(counts, { ...NO_RECORDS, waiting: 0, lost: 0 });
  });

  it("say where each record is", async () => {
    await putRow("counters", { user: 7, made: 5, delivered: 2, kept: 1, deleted: 1 });
    await putRow("outbox", makeRow(5, "waiting"));
    assert.deepEqual(await countRecords(7), {
      made: 5,
      delivered: 2,
      kept: 1,
      deleted: 1,
      waiting: 1,
      lost: 0,
    });
  });

  it("show what is nowhere as lost", async () => {
    await putRow("counters", { user: 7, made: 5, delivered: 2, kept: 0, deleted: 0 });
    await putRow("outbox", makeRow(5, "waiting"));
    assert.equal((await countRecords(7)).lost, 2);
  });

  it("take a record that waits without its content for lost", async () => {
    await putRow("counters", { user: 7, made: 1, delivered: 0, kept: 0, deleted: 0 });
    await putRow("outbox", makeRow(1, "waiting", { box: null }));
    const { waiting, lost } = await countRecords(7);
    assert.deepEqual([waiting, lost], [0, 1]);
  });

  it("count what the first version of the app sealed", async () => {
    const sealed = { iv: new Uint8Array(12), data: new ArrayBuffer(1) };
    await putRow("outbox", { ...makeRow(1, "waiting", { box: null }), sealed } as OutboxRow);
    const { waiting, lost } = await countRecords(7);
    assert.deepEqual([waiting, lost], [1, 0]);
  });

  it("are counted from the rows where they are missing", () => {
    const rows = [
      makeRow(1, "delivered"),
      makeRow(2, "kept"),
      makeRow(4, "waiting"),
      makeRow(3, "deleted"),
    ];
    assert.deepEqual(countRows(7, rows), { user: 7, made: 4, delivered: 1, kept: 1, deleted: 1 });
    assert.deepEqual(countRows(7, []), { user: 7, ...NO_RECORDS });
  });

  it("are not those of another worker", async () => {
    await putRow("counters", { user: 8, made: 9, delivered: 9, kept: 0, deleted: 0 });
    await putRow("outbox", makeRow(3, "waiting", { user: 8 }));
    assert.equal((await countRecords(7)).made, 0);
  });
});

describe("the high water", () => {
  it("is none where nothing, or nothing readable, is there", () => {
    assert.deepEqual(readHighWater(7), NO_RECORDS);
    browser.localStorage.set("fieldapp.made.7", "{");
    assert.deepEqual(readHighWater(7), NO_RECORDS);
    removeLocalStorage();
    assert.deepEqual(readHighWater(7), NO_RECORDS);
  });

  it("reads the one number of the first version", () => {
    browser.localStorage.set("fieldapp.made.7", "12");
    assert.deepEqual(readHighWater(7), { ...NO_RECORDS, made: 12 });
  });

  it("rises and never falls", () => {
    raiseHighWater({ user: 7, made: 5, delivered: 3, kept: 0, deleted: 1 });
    raiseHighWater({ user: 7, made: 4, delivered: 4, kept: 0, deleted: 0 });
    assert.deepEqual(readHighWater(7), { made: 5, delivered: 4, kept: 0, deleted: 1 });
  });

  it("shows what was lost when the phone's store was cleared", async () => {
    raiseHighWater({ user: 7, made: 5, delivered: 3, kept: 0, deleted: 0 });
    const { made, delivered, waiting, lost } = await countRecords(7);
    assert.deepEqual([made, delivered, waiting, lost], [5, 3, 0, 2]);
  });

  it("is of one worker", () => {
    raiseHighWater({ user: 7, made: 5, delivered: 0, kept: 0, deleted: 0 });
    assert.deepEqual(readHighWater(8), NO_RECORDS);
  });
});

describe("records of all kinds", () => {
  it("are each counted in one place: made is the sum of the others", async () => {
    const { below, pick, seed } = seeded("counts");
    for (let round = 0; round < 40; round++) {
      await deleteDatabase();
      const made = below(12);
      const states = Array.from({ length: made }, () =>
        pick(["waiting", "delivered", "kept", "deleted", "lost"] as const),
      );
      const count = (state: string): number => states.filter((other) => other === state).length;
      const counters = {
        delivered: count("delivered"),
        kept: count("kept"),
        deleted: count("deleted"),
      };
      await putRow("counters", { user: 7, made, ...counters });
      for (const [index, state] of states.entries())
        if (state !== "lost") await putRow("outbox", makeRow(index + 1, state));
      const counts = await countRecords(7);
      assert.equal(counts.lost, count("lost"), `seed ${seed}, round ${round}`);
      const { delivered, kept, deleted, waiting, lost } = counts;
      assert.equal(counts.made, delivered + kept + deleted + waiting + lost);
    }
  });
});
