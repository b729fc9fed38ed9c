import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { type Browser, installBrowser, removeLocalStorage, setGlobal } from "../../test/browser";
import { Centre } from "../../test/centre";
import { seeded } from "../../test/chance";
import { makeForm } from "../../test/forms";
import { Line, portal, refuse, type Request } from "../../test/line";
import { makeVault, storeVault, type TestVault } from "../../test/vaults";
import { PIECE } from "../storage/attachments";
import { deleteDatabase, getAllRows, getRow, putRow } from "../storage/database";
import { finishDraft } from "../storage/finishing";
import { listLines } from "../storage/outbox";
import { deleteWaiting } from "../storage/take_back";
import { countRecords } from "../storage/record_counts";
import type { OutboxRow } from "../storage/types";
import { deliver, fitMessage } from "./deliver";
import { listOutbox, makeSealedItem } from "./sealed_items";
import { Offline } from "./requests";
import type { PhoneReport, RecordAnswer, SealedItem } from "./server";

const FORM = makeForm([{ type: "text", name: "q" }], { id: "encounter" });
const DAY = 86_400_000;

let browser: Browser;
let centre: Centre;
let line: Line;
let vault: TestVault;

beforeEach(async () => {
  browser = installBrowser();
  await deleteDatabase();
  centre = new Centre();
  line = new Line(centre);
  vault = await makeVault(centre);
  await storeVault(vault);
});

interface Message {
  items: SealedItem[];
  phones: PhoneReport[];
}

const messages = (): Message[] => line.to("deliver").map(({ body }) => body as Message);
/** The messages with records in them: before the first of them the phone asks who is there. */
const sent = (): Message[] => messages().filter(({ items }) => items.length > 0);
const idsOf = ({ items }: Message): string[] => items.map(({ id }) => id);

async function finish(id: string, worker: TestVault = vault, answers = {}): Promise<void> {
  const draft = { id, form: "encounter", version: "1", changedAt: 1, page: 0, answers };
  await finishDraft(worker, draft, FORM, new Date());
}

/** The centre's answer to one record: it has it, and says so. */
function accept({ id, box }: SealedItem, more: Partial<RecordAnswer> = {}): RecordAnswer {
  const receipt = centre.makeReceipt(id, Buffer.from(box, "base64"));
  return { id, sha256: "", status: "stored", receipt, ...more };
}

/** Let the centre take what comes, except what a test says. */
function open(
  answer: (item: SealedItem) => RecordAnswer = accept,
  orders: Record<string, string> = {},
): void {
  line.answer("deliver", ({ body }: Request) => ({
    items: (body as Message).items.map(answer),
    orders,
  }));
}

const stateOf = async (id: string): Promise<string> => (await getRow("outbox", id))!.state;

describe("filling a message", () => {
  const row = (id: string, bytes: number): OutboxRow =>
    ({ id, box: { box: new Uint8Array(bytes) } }) as OutboxRow;

  it("leaves out what does not fit any more, and all that comes after it", () => {
    const rows = [row("a", 2_000_000), row("b", 2_000_000), row("c", 10)];
    assert.deepEqual(
      fitMessage(rows, 20).map(({ id }) => id),
      ["a"],
    );
  });

  it("sends one that is too heavy alone", () => {
    const rows = [row("a", 5_000_000), row("b", 10)];
    assert.deepEqual(
      fitMessage(rows, 20).map(({ id }) => id),
      ["a"],
    );
  });

  it("takes no more than so many, in their order", () => {
    const rows = Array.from({ length: 30 }, (_, number) => row(`r${number}`, 10));
    assert.deepEqual(fitMessage(rows, 20), rows.slice(0, 20));
    assert.deepEqual(fitMessage(rows, 1), rows.slice(0, 1));
    assert.deepEqual(fitMessage([], 20), []);
  });

  it("fills to the last byte", () => {
    const rows = [row("a", 1_500_000), row("b", 1_500_000), row("c", 1)];
    assert.deepEqual(
      fitMessage(rows, 20).map(({ id }) => id),
      ["a", "b"],
    );
  });

  it("always sends something, never too much, and the first ones first", () => {
    const { below, seed } = seeded("messages");
    for (let round = 0; round < 200; round++) {
      const rows = Array.from({ length: 1 + below(30) }, (_, at) =>
        row(`r${at}`, below(1_500_000)),
      );
      const size = 1 + below(20);
      const message = fitMessage(rows, size);
      const bytes = message.reduce((sum, { box }) => sum + box!.box.length, 0);
      const label = `seed ${seed}, round ${round}`;
      assert.ok(message.length > 0 && message.length <= size, label);
      assert.ok(bytes <= 3_000_000 || message.length === 1, label);
      assert.deepEqual(message, rows.slice(0, message.length), label);
      const next = rows[message.length];
      if (next && message.length < size) assert.ok(bytes + next.box!.box.length > 3_000_000, label);
    }
  });
});

describe("the queue", () => {
  it("has what waits, the oldest first, of every worker", async () => {
    const other = await makeVault(centre, { user: 8, device: "device-8" });
    for (const id of ["z", "gone", "m", "a"]) await finish(id);
    await deleteWaiting(vault, "gone");
    assert.deepEqual(
      (await listOutbox()).map(({ id }) => id),
      ["z", "m", "a"],
    );
    await finish("other's", other);
    assert.equal((await listOutbox()).length, 4);
  });

  it("passes over a row without its content", async () => {
    await finish("a");
    await putRow("outbox", { ...(await getRow("outbox", "a"))!, box: null });
    assert.deepEqual(await listOutbox(), []);
  });
});

describe("delivering", () => {
  it("keeps everything when nobody answers", async () => {
    await finish("a");
    for (const answer of [() => new TypeError("no line"), portal]) {
      line.answer("deliver", answer);
      await assert.rejects(deliver(), Offline);
      assert.equal(await stateOf("a"), "waiting");
    }
  });

  it("keeps what it has no receipt for", async () => {
    await finish("a");
    for (const receipt of [undefined, { at: "", position: 1, kid: "x", signature: "" }]) {
      open((item) => ({ id: item.id, sha256: "", status: "stored", ...(receipt && { receipt }) }));
      await deliver();
      assert.equal(await stateOf("a"), "waiting");
    }
  });

  it("keeps a record whose receipt is for another, or for other bytes", async () => {
    await finish("a");
    open((item) => ({ ...accept({ ...item, id: "b" }), id: item.id }));
    await deliver();
    open((item) => accept({ ...item, box: "AAAA" }, { id: item.id }));
    await deliver();
    assert.equal(await stateOf("a"), "waiting");
  });

  it("keeps a record that the centre says nothing about", async () => {
    await finish("a");
    line.answer("deliver", () => ({ items: [], orders: {} }));
    await deliver();
    assert.equal(await stateOf("a"), "waiting");
  });

  it("lets go of what the centre has proved to have", async () => {
    await finish("a");
    await finish("b");
    open();
    assert.deepEqual(await deliver(), []);
    assert.deepEqual(await listOutbox(), []);
    const { delivered, waiting, lost } = await countRecords(7);
    assert.deepEqual([delivered, waiting, lost], [2, 0, 0]);
  });

  it("sends each record as it was sealed", async () => {
    await finish("a", vault, { q: "x" });
    const expected = makeSealedItem((await listOutbox())[0]!);
    open();
    await deliver();
    assert.deepEqual(sent()[0]!.items, [expected]);
    const box = Buffer.from(expected.box, "base64");
    const content = centre.openRecord("a", { ...expected, box });
    assert.equal(content["body"], '{"q":"x"}');
  });

  it("asks whether the centre is there before it sends what can still be taken back", async () => {
    await finish("a");
    line.answer("deliver", () => new TypeError("no line"));
    await assert.rejects(deliver(), Offline);
    assert.deepEqual(messages().map(idsOf), [[]]);
    assert.equal((await getRow("outbox", "a"))!.tried, undefined);
    open();
    await deliver();
    assert.deepEqual(messages().map(idsOf), [[], [], ["a"]]);
  });

  it("knows that the centre may have it when the answer was lost", async () => {
    await finish("a");
    line.answer("deliver", ({ body }) =>
      (body as Message).items.length > 0 ? new TypeError("lost") : { items: [], orders: {} },
    );
    await assert.rejects(deliver(), Offline);
    assert.equal((await getRow("outbox", "a"))!.tried, true);
    open();
    await deliver();
    assert.equal(await stateOf("a"), "delivered");
  });

  it("passes over what its worker may still take back, in any tab", async () => {
    await finish("a");
    await finish("b");
    open();
    const locks = [{ name: "fieldapp-hold-a" }, { name: "fieldapp-exchange" }, {}];
    const snapshot = Object.fromEntries([["held", locks]]);
    setGlobal("navigator", { locks: { query: () => Promise.resolve(snapshot) } });
    await deliver();
    assert.deepEqual(sent().map(idsOf), [["b"]]);
    setGlobal("navigator", { locks: { query: () => Promise.resolve({}) } });
    await deliver();
    assert.deepEqual(sent().map(idsOf), [["b"], ["a"]]);
  });

  it("knows what became of it: fine, or something to look at", async () => {
    const outcomes: [Partial<RecordAnswer>, string][] = [
      [{ status: "stored" }, "delivered"],
      [{ status: "duplicate", was: "stored" }, "delivered"],
      [{ status: "duplicate", was: "settled" }, "delivered"],
      [{ status: "duplicate", was: "rejected" }, "kept"],
      [{ status: "duplicate" }, "kept"],
      [{ status: "conflict" }, "kept"],
      [{ status: "rejected" }, "kept"],
    ];
    for (const [index, [more, state]] of outcomes.entries()) {
      await finish(`r${index}`);
      open((item) => accept(item, more));
      await deliver();
      assert.equal(await stateOf(`r${index}`), state, JSON.stringify(more));
    }
  });

  it("remembers whose person took everything back, and says it to its worker", async () => {
    await finish("a");
    await finish("b");
    const problems = [{ code: "consent.ended" }];
    open((item) => accept(item, item.id === "a" ? { problems } : {}));
    await deliver();
    const ended = (await listLines(vault)).map(({ id, isEnded }) => [id, isEnded]);
    assert.deepEqual(ended.sort(), [
      ["a", true],
      ["b", undefined],
    ]);
  });

  it("remembers whose card the centre does not know any more", async () => {
    await finish("a");
    open((item) => accept(item, { problems: [{ code: "card.unlinked" }] }));
    await deliver();
    const [line] = await listLines(vault);
    assert.deepEqual([line!.isUnlinked, line!.isEnded], [true, undefined]);
  });

  it("keeps the line for as many days as the centre's rules say", async () => {
    await storeVault(vault, { shredDays: 3 });
    await finish("a");
    open();
    await deliver();
    assert.equal((await getRow("outbox", "a"))!.shredOn, Math.floor(Date.now() / DAY) + 3);
    await putRow("outbox", { ...(await getRow("outbox", "a"))!, shredOn: 1 });
    await deliver();
    assert.deepEqual(await getAllRows("outbox"), []);
  });

  it("goes in messages of twenty, the oldest first", async () => {
    const ids = Array.from({ length: 23 }, (_, number) => `r${String(number).padStart(2, "0")}`);
    for (const id of ids) await finish(id);
    open();
    await deliver();
    assert.deepEqual(
      sent().map((message) => message.items.length),
      [20, 3],
    );
    assert.deepEqual(messages().flatMap(idsOf), ids);
  });

  it("goes on with the others when one is stuck, and asks for it once a delivery", async () => {
    for (const id of ["a", "b", "c"]) await finish(id);
    open((item) => (item.id === "b" ? { id: "b", sha256: "", status: "retry" } : accept(item)));
    await deliver();
    assert.deepEqual(
      (await listOutbox()).map(({ id }) => id),
      ["b"],
    );
    assert.equal(sent().length, 1);
  });

  it("finds the one that the centre cannot read, and delivers the others", async () => {
    for (const id of ["a", "bad", "c"]) await finish(id);
    line.answer("deliver", ({ body }) => {
      const { items } = body as Message;
      if (items.some(({ id }) => id === "bad")) return refuse("sync.message");
      return { items: items.map((item) => accept(item)), orders: {} };
    });
    await deliver();
    assert.deepEqual(
      (await listOutbox()).map(({ id }) => id),
      ["bad"],
    );
    assert.deepEqual(sent().map(idsOf), [["a", "bad", "c"], ["a"], ["bad"], ["c"]]);
  });

  it("takes a refusal of an empty message for no connection", async () => {
    line.answer("deliver", () => refuse("sync.message"));
    await assert.rejects(deliver(), Offline);
  });

  it("asks nobody where no worker has joined, and asks for orders where one has", async () => {
    open();
    await deliver();
    assert.deepEqual(messages().map(idsOf), [[]]);
    await deleteDatabase();
    assert.deepEqual(await deliver(), []);
    assert.equal(messages().length, 1);
  });

  it("works without localStorage, as in the service worker", async () => {
    await finish("a");
    open();
    removeLocalStorage();
    await deliver();
    assert.equal(await stateOf("a"), "delivered");
  });
});

describe("attachments", () => {
  const picture = (bytes: number): string =>
    `data:image/png;base64,${Buffer.alloc(bytes, 7).toString("base64")}`;

  /** A centre that takes pieces; says how much it has of each. */
  function takePieces(received = new Map<string, number>()): Map<string, number> {
    line.answer("attachments/", ({ path, bytes }) => {
      const hash = path.split("/")[1]!;
      received.set(hash, (received.get(hash) ?? 0) + bytes!.length);
      return { received: received.get(hash)! };
    });
    return received;
  }

  it("go before the record that names them, in pieces", async () => {
    await finish("a", vault, { p: picture(PIECE + 100) });
    takePieces();
    open();
    await deliver();
    const paths = line.requests.map(({ path }) => path.split("/")[0]);
    assert.deepEqual(paths, ["deliver", "attachments", "attachments", "deliver"]);
    assert.deepEqual(await getAllRows("blobs"), []);
  });

  it("are taken up again where the line broke", async () => {
    await finish("a", vault, { p: picture(PIECE + 100) });
    let isCut = false;
    const received = takePieces();
    line.answer("attachments/", ({ bytes }) => {
      if (isCut) return new TypeError("cut");
      isCut = true;
      return { received: bytes!.length };
    });
    open();
    await assert.rejects(deliver(), Offline);
    const [blob] = await getAllRows("blobs");
    assert.equal(blob!.sent, PIECE);
    received.set(blob!.hash, PIECE);
    takePieces(received);
    await deliver();
    assert.equal(received.get(blob!.hash), blob!.data.length);
    assert.equal(await stateOf("a"), "delivered");
  });

  it("are not sent for ever to a centre that does not take them", async () => {
    await finish("a", vault, { p: picture(100) });
    open();
    line.answer("attachments/", () => ({ received: 0 }));
    await assert.rejects(deliver(), Offline);
    assert.equal(line.to("attachments/").length, 1);
  });

  it("go again from their first byte when the record is stuck: one of them may be missing", async () => {
    await finish("a", vault, { p: picture(100) });
    takePieces();
    open((item) => ({ id: item.id, sha256: "", status: "retry" }));
    await deliver();
    assert.equal((await getAllRows("blobs"))[0]!.sent, 0);
  });

  it("of another record wait for theirs", async () => {
    await finish("a", vault, { p: picture(100) });
    await deleteWaiting(vault, "a");
    await finish("b");
    open();
    await deliver();
    assert.equal(line.to("attachments/").length, 0);
  });
});

describe("orders of the centre", () => {
  it("are obeyed for this phone only", async () => {
    open(accept, { "device-99": "wipe" });
    assert.deepEqual(await deliver(), []);
    assert.ok(await getRow("vaults", 7));
  });

  it("lock the vault", async () => {
    open(accept, { "device-7": "lock" });
    assert.deepEqual(await deliver(), [{ user: 7, order: "lock" }]);
    assert.equal((await getRow("vaults", 7))!.byPin, null);
    assert.deepEqual(await deliver(), [{ user: 7, order: "lock" }]);
  });

  it("wipe what this worker has here, and nobody else's", async () => {
    const other = await makeVault(centre, { user: 8, device: "device-8" });
    await storeVault(other);
    await finish("a");
    open(accept, { "device-7": "wipe" });
    assert.deepEqual(await deliver(), [{ user: 7, order: "wipe" }]);
    assert.deepEqual(
      (await getAllRows("vaults")).map(({ user }) => user),
      [8],
    );
    assert.deepEqual(await getAllRows("outbox"), []);
  });

  it("wipe nothing before all that was finished is with the centre", async () => {
    await finish("a");
    open((item) => ({ id: item.id, sha256: "", status: "retry" }), { "device-7": "wipe" });
    assert.deepEqual(await deliver(), []);
    assert.ok(await getRow("vaults", 7));
    assert.equal(await stateOf("a"), "waiting");
  });

  it("that are not known are passed over", async () => {
    open(accept, { "device-7": "dance" });
    assert.deepEqual(await deliver(), []);
  });
});

describe("what a phone says of itself", () => {
  it("is how much it has and how it is, and nothing of what is in it", async () => {
    browser.storage = {
      persisted: () => Promise.resolve(true),
      estimate: () => Promise.resolve({ quota: 50 * 1_048_576, usage: 0 }),
    };
    await finish("a", vault, { q: "secret" });
    await finish("b");
    await deleteWaiting(vault, "b");
    open();
    await deliver();
    assert.deepEqual(messages()[0]!.phones, [
      {
        device: "device-7",
        made: 2,
        unsent: 1,
        deleted: 1,
        persisted: true,
        app: "test",
        clock: 0,
        copies: 0,
        free_mb: 50,
      },
    ]);
  });

  it("counts from when this worker joined", async () => {
    for (const id of ["a", "b", "c"]) await finish(id);
    await deleteWaiting(vault, "a");
    await deleteWaiting(vault, "b");
    await storeVault(vault, { base: { made: 2, deleted: 1 } });
    open();
    await deliver();
    const [report] = messages()[0]!.phones;
    assert.deepEqual([report!.made, report!.deleted], [1, 1]);
  });

  it("does not count what an earlier sign-in on this phone has left", async () => {
    await finish("a");
    await storeVault(vault, { device: "device-new" });
    open();
    await deliver();
    assert.equal(messages()[0]!.phones[0]!.unsent, 0);
  });

  it("says nothing of room where the browser does not", async () => {
    open();
    await deliver();
    assert.equal(messages()[0]!.phones[0]!.free_mb, undefined);
  });

  it("is said for each worker, but for none of an app that never joined as a device", async () => {
    await storeVault(await makeVault(centre, { user: 8, device: "device-8" }));
    await storeVault(await makeVault(centre, { user: 9, device: "" }));
    open();
    await deliver();
    const devices = messages()[0]!.phones.map(({ device }) => device);
    assert.deepEqual(devices, ["device-7", "device-8"]);
  });
});
