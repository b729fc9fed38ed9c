import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { beforeEach, describe, it } from "node:test";
import { installBrowser } from "../../test/browser";
import { Centre } from "../../test/centre";
import { makeForm } from "../../test/forms";
import { Line, type Request } from "../../test/line";
import { makeVault, storeVault, type TestVault } from "../../test/vaults";
import { deliver } from "../sync/deliver";
import { deleteDatabase, getAllRows, getRow, putRow, updateRow } from "./database";
import { finishDraft } from "./finishing";
import { decideCopy, letGo, type LogState } from "./keeping";
import { listLines } from "./outbox";
import { countRecords } from "./record_counts";
import { deleteWaiting } from "./take_back";
import type { LogPlace, OutboxRow } from "./types";

const FORM = makeForm([{ type: "text", name: "q" }], { id: "encounter" });
const vectors = JSON.parse(
  readFileSync(new URL("../../../../tests/sync/keeping.json", import.meta.url), "utf8"),
) as { why: string; at: [number, number]; kept: LogState; fate: string }[];

describe("what becomes of a copy", () => {
  for (const { why, at, kept, fate } of vectors) {
    it(why, () => {
      const [epoch, position] = at;
      assert.equal(decideCopy({ epoch, position }, kept), fate);
    });
  }
});

let centre: Centre;
let line: Line;
let vault: TestVault;
let state: LogState;
let orders: Record<string, string>;

beforeEach(async () => {
  installBrowser();
  await deleteDatabase();
  centre = new Centre();
  line = new Line(centre);
  vault = await makeVault(centre);
  await storeVault(vault);
  state = { epoch: 0, lineage: [[0, 0]], safe: 0 };
  orders = {};
  line.answer("deliver", ({ body }: Request) => ({
    items: centre.takeAll(body, state.epoch),
    orders,
    kept: state,
  }));
});

async function finish(id: string): Promise<void> {
  const answers = { q: id };
  const draft = { id, form: "encounter", version: "1", changedAt: 1, page: 0, answers };
  await finishDraft(vault, draft, FORM, new Date());
}

/** Put a copy back that ends at a position. */
function restore(epoch: number, last: number): void {
  state = { epoch, lineage: [...state.lineage, [epoch, last]], safe: state.safe };
  centre.position = last;
}

const row = async (id: string): Promise<OutboxRow> => (await getRow("outbox", id))!;
const placeOf = async (id: string): Promise<LogPlace | undefined> => (await row(id)).at;

describe("a record that was sent", () => {
  it("stays in its box until the centre holds it beyond one disk", async () => {
    await finish("a");
    await finish("b");
    await deliver(letGo);
    assert.equal((await row("a")).state, "delivered");
    assert.ok((await row("a")).box);
    assert.deepEqual(await placeOf("b"), { epoch: 0, position: 2 });
    state.safe = 1;
    await deliver(letGo);
    assert.equal((await row("a")).box, null);
    assert.equal(await placeOf("a"), undefined);
    assert.ok((await row("b")).box);
  });

  it("keeps its pictures as long, without the copy that only its worker could read", async () => {
    await finish("a");
    const blob = { hash: "h", user: 7, record: "a", device: "device-7", proof: "p", sent: 1 };
    const own = (await row("a")).about!;
    await putRow("blobs", { ...blob, data: new Uint8Array(1), own });
    await deliver(letGo);
    const [stays] = await getAllRows("blobs");
    assert.equal(stays!.own, undefined);
    state.safe = 1;
    await deliver(letGo);
    assert.deepEqual(await getAllRows("blobs"), []);
  });

  it("leaves nothing that this phone can read once its days are over", async () => {
    await finish("a");
    await deliver(letGo);
    await updateRow("outbox", "a", (before) => ({ ...before, shredOn: 1 }));
    await deliver(letGo);
    const { box, about, copy } = await row("a");
    assert.ok(box);
    assert.deepEqual([about, copy], [null, undefined]);
    assert.deepEqual(await listLines(vault), []);
    state.safe = 1;
    await deliver(letGo);
    assert.equal(await getRow("outbox", "a"), undefined);
  });

  it("goes after these days where the centre copies nothing elsewhere", async () => {
    state.safe = null;
    await finish("a");
    await deliver(letGo);
    assert.ok((await row("a")).box);
    await updateRow("outbox", "a", (before) => ({ ...before, shredOn: 1 }));
    await deliver(letGo);
    assert.equal(await getRow("outbox", "a"), undefined);
  });

  it("goes at once when an older centre takes it", async () => {
    line.answer("deliver", ({ body }: Request) => ({ items: centre.takeAll(body), orders: {} }));
    await finish("a");
    await deliver(letGo);
    assert.equal((await row("a")).box, null);
  });

  it("is sent again, the same bytes, after the centre went back to a copy without it", async () => {
    for (const id of ["a", "b", "c"]) await finish(id);
    await deliver(letGo);
    const { box } = await row("c");
    restore(1000, 1);
    await deliver(letGo);
    assert.deepEqual(await placeOf("a"), { epoch: 0, position: 1 });
    assert.deepEqual(await placeOf("b"), { epoch: 1000, position: 2 });
    assert.deepEqual((await row("c")).box, box);
    const { made, delivered, waiting, lost } = await countRecords(7);
    assert.deepEqual(
      { made, delivered, waiting, lost },
      { made: 3, delivered: 3, waiting: 0, lost: 0 },
    );
  });

  it("counts as waiting meanwhile, and its worker cannot delete it", async () => {
    for (const id of ["a", "b"]) await finish(id);
    await deliver(letGo);
    restore(1000, 1);
    line.answer("deliver", () => ({ items: [], orders: {}, kept: state }));
    await deliver(letGo);
    assert.equal((await row("b")).state, "waiting");
    const { delivered, waiting, lost } = await countRecords(7);
    assert.deepEqual({ delivered, waiting, lost }, { delivered: 1, waiting: 1, lost: 0 });
    await deleteWaiting(vault, "b");
    assert.ok((await row("b")).box);
  });
});

describe("a machine from before the centre went back", () => {
  beforeEach(async () => {
    await finish("a");
    await deliver(letGo);
    restore(1000, 1);
    await deliver(letGo);
    state = { epoch: 0, lineage: [[0, 0]], safe: 99 };
  });

  it("makes the phone delete nothing and takes nothing off its queue", async () => {
    await finish("b");
    await deliver(letGo);
    assert.ok((await row("a")).box);
    assert.equal((await row("b")).state, "waiting");
  });

  it("cannot wipe the phone", async () => {
    orders = { "device-7": "wipe" };
    assert.deepEqual(await deliver(letGo), []);
    assert.ok(await getRow("vaults", 7));
  });

  it("is not believed either where it says nothing of its log", async () => {
    line.answer("deliver", ({ body }: Request) => ({
      items: centre.takeAll(body, state.epoch),
      orders: { "device-7": "wipe" },
    }));
    await finish("b");
    assert.deepEqual(await deliver(letGo), []);
    assert.equal((await row("b")).state, "waiting");
  });
});

describe("the end of the centre's audit log", () => {
  const heads = async (): Promise<string[]> =>
    ((await getRow("vaults", 7))?.heads ?? []).map(([, head]) => head);

  it("is remembered as it was first heard on a day, for ten days", async () => {
    for (let day = 1; day <= 12; day++)
      for (const hour of ["first", "later"])
        await letGo({ ...state, audit: `${day}-${hour}` }, [7], day);
    const remembered = await heads();
    assert.equal(remembered.length, 10);
    assert.equal(remembered[0], "0:12-first");
    assert.equal(remembered[9], "0:3-first");
  });

  it("is said back, the oldest, before the centre says the next one", async () => {
    await letGo({ ...state, audit: "old" }, [7], 1);
    await letGo({ ...state, audit: "new", epoch: 1 }, [7], 2);
    let phones: { audit?: string }[] = [];
    line.answer("deliver", ({ body }: Request) => {
      ({ phones } = body as { phones: { audit?: string }[] });
      return { items: centre.takeAll(body, state.epoch), orders, kept: state };
    });
    await finish("a");
    await deliver(letGo);
    assert.deepEqual(
      phones.map(({ audit }) => audit),
      ["0:old"],
    );
  });

  it("changes nothing where a centre of before does not say it", async () => {
    await letGo(state, [7], 1);
    assert.deepEqual(await heads(), []);
  });
});
