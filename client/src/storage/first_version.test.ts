import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { installBrowser } from "../../test/browser";
import { Centre } from "../../test/centre";
import { makeVault, type TestVault } from "../../test/vaults";
import { deleteDatabase, getRow, putRow } from "./database";
import { migrateFirstVersion } from "./first_version";
import { listLines } from "./outbox";
import { countRecords, getCounters } from "./record_counts";
import type { OutboxRow } from "./types";
import { seal } from "./vault";

let centre: Centre;
let vault: TestVault;

beforeEach(async () => {
  installBrowser();
  await deleteDatabase();
  centre = new Centre();
  vault = await makeVault(centre);
});

const RECORD = {
  id: "a",
  form: "encounter",
  version: "1",
  finished_at: "2026-01-02T03:04:05.000-05:00",
  body: '{"note":"x"}',
};

async function storeOldRow(more: object = {}): Promise<void> {
  const sealed = await seal(vault.key, RECORD);
  const row = { id: "a", user: 7, seq: 3, state: "waiting", shredOn: 0, sealed, ...more };
  await putRow("outbox", row as unknown as OutboxRow);
}

describe("a record that the first version of the app left", () => {
  it("waits until the centre's key has come", async () => {
    await storeOldRow();
    await migrateFirstVersion(await makeVault(null));
    assert.equal((await getRow("outbox", "a"))!.box, undefined);
    assert.equal((await countRecords(7)).waiting, 1);
  });

  it("is sealed to the centre then, under its number", async () => {
    await storeOldRow();
    await migrateFirstVersion(vault);
    const row = (await getRow("outbox", "a"))!;
    const { id: _, ...content } = RECORD;
    assert.deepEqual(centre.openRecord("a", row.box!), { ...content, seq: 3 });
    assert.equal((row as OutboxRow & { sealed?: object }).sealed, undefined);
    const [line] = await listLines(vault);
    assert.deepEqual([line!.form, line!.finishedAt], ["encounter", RECORD.finished_at]);
  });

  it("is counted, where nothing was counted yet", async () => {
    await storeOldRow();
    await migrateFirstVersion(vault);
    assert.deepEqual(await getCounters(7), { user: 7, made: 3, delivered: 0, kept: 0, deleted: 0 });
  });

  it("is left alone where it was delivered, or sealed to the centre before", async () => {
    await storeOldRow({ state: "delivered" });
    await migrateFirstVersion(vault);
    assert.equal((await getRow("outbox", "a"))!.box, undefined);
    await storeOldRow();
    await migrateFirstVersion(vault);
    const first = (await getRow("outbox", "a"))!.box!;
    await migrateFirstVersion(vault);
    assert.deepEqual((await getRow("outbox", "a"))!.box, first);
  });

  it("is passed over where nothing of it is left: it is lost, and counted so", async () => {
    await storeOldRow({ sealed: undefined, box: null });
    await migrateFirstVersion(vault);
    assert.equal((await getRow("outbox", "a"))!.box, null);
    assert.equal((await countRecords(7)).lost, 3);
  });

  it("changes nothing where there is none", async () => {
    await migrateFirstVersion(vault);
    assert.equal(await getRow("counters", 7), undefined);
  });
});
