import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { installBrowser } from "../../test/browser";
import { Centre } from "../../test/centre";
import { Line, type Request } from "../../test/line";
import { makeVault, storeVault, type TestVault } from "../../test/vaults";
import { makeCardCode } from "../engine/cards";
import { changeCaseload, EMPTY_CASELOAD, readCaseload } from "../storage/caseload";
import { deleteDatabase } from "../storage/database";
import { openLabel, sealLabel } from "../storage/label_seal";
import { exchangeLabels, forgetSealedLabels, learnPassword, openWithPassword } from "./labels";

const ONE = makeCardCode(new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]));
const TWO = makeCardCode(new Uint8Array([8, 7, 6, 5, 4, 3, 2, 1]));
const KEY = Buffer.alloc(32, 1).toString("base64");
const OTHER_KEY = Buffer.alloc(32, 2).toString("base64");

let line: Line;
let vault: TestVault;
let sent: Record<string, string>[];

beforeEach(async () => {
  installBrowser();
  await deleteDatabase();
  const centre = new Centre();
  line = new Line(centre);
  vault = await makeVault(centre, { labelKey: KEY, labelSalt: "salt" });
  await storeVault(vault);
  sent = [];
  line.answer("labels", ({ body }: Request) => {
    const { labels } = body as { labels: Record<string, string> };
    sent.push(labels);
    return { kept: Object.keys(labels) };
  });
});

const person = (code: string, label: string) => ({ code, label, seenOn: "2026-11-01", tier: "1" });

async function store(labels: Record<string, string>, more: object = {}): Promise<void> {
  const people = Object.entries(labels).map(([code, label]) => person(code, label));
  const told = Object.fromEntries(people.map(({ code }) => [`card/${code}`, {}]));
  await changeCaseload(vault, () => ({ ...EMPTY_CASELOAD, people, told, ...more }));
}

const labelOf = async (code: string): Promise<string | undefined> =>
  (await readCaseload(vault)).people.find((each) => each.code === code)?.label;

describe("a sealed label", () => {
  it("opens with its key alone, for its worker and card alone, and tells no length", async () => {
    const of = { user: 7, code: ONE };
    const sealed = await sealLabel(KEY, of, "red cap");
    assert.equal(await openLabel(KEY, of, sealed), "red cap");
    assert.equal(await openLabel(OTHER_KEY, of, sealed), null);
    assert.equal(await openLabel(KEY, { user: 8, code: ONE }, sealed), null);
    assert.equal(await openLabel(KEY, { user: 7, code: TWO }, sealed), null);
    const longest = await sealLabel(KEY, of, "🧢".repeat(60));
    assert.equal(longest.length, sealed.length);
    assert.match(longest, /^[A-Za-z0-9+/]{379}=$/); // what the centre keeps
  });
});

describe("own labels at the centre", () => {
  it("are sent once, sealed, and only of cards that the centre knows", async () => {
    await store({ [ONE]: "red cap", [TWO]: "" });
    await changeCaseload(vault, (caseload) => ({
      ...caseload,
      people: [...caseload.people, person("new", "not there yet")],
    }));
    await exchangeLabels(vault);
    assert.deepEqual(Object.keys(sent[0]!), [ONE]);
    assert.doesNotMatch(JSON.stringify(sent), /red cap/);
    assert.equal(await openLabel(KEY, { user: 7, code: ONE }, sent[0]![ONE]!), "red cap");
    await exchangeLabels(vault);
    assert.equal(sent.length, 1);
  });

  it("come back on a new phone", async () => {
    const sealed = await sealLabel(KEY, { user: 7, code: ONE }, "red cap");
    await store({ [ONE]: "" }, { sealedLabels: { [ONE]: sealed } });
    await exchangeLabels(vault);
    assert.equal(await labelOf(ONE), "red cap");
    assert.deepEqual(sent, []);
  });

  it("do not write over what was changed here", async () => {
    const sealed = await sealLabel(KEY, { user: 7, code: ONE }, "red cap");
    await store({ [ONE]: "blue cap" }, { sealedLabels: { [ONE]: sealed } });
    await exchangeLabels(vault);
    assert.equal(await labelOf(ONE), "blue cap");
    assert.equal(await openLabel(KEY, { user: 7, code: ONE }, sent[0]![ONE]!), "blue cap");
  });

  it("stay sealed after another password, until that of before is typed", async () => {
    await learnPassword(vault, "before");
    const before = vault.account.labelKey!;
    const sealed = await sealLabel(before, { user: 7, code: ONE }, "red cap");
    await learnPassword(vault, "after the reset");
    await store({ [ONE]: "" }, { sealedLabels: { [ONE]: sealed } });
    await exchangeLabels(vault);
    assert.equal(await labelOf(ONE), "");
    assert.equal(await openWithPassword(vault, "a guess"), false);
    assert.equal(await openWithPassword(vault, "before"), true);
    assert.equal(await labelOf(ONE), "red cap");
  });

  it("can be done without", async () => {
    await store({ [ONE]: "" }, { sealedLabels: { [ONE]: "sealed" } });
    await forgetSealedLabels(vault);
    assert.deepEqual(sent, [{ [ONE]: "" }]);
    assert.deepEqual((await readCaseload(vault)).sealedLabels, {});
  });

  it("are sealed anew with a new password", async () => {
    await store({ [ONE]: "red cap" }, { keptLabels: { [ONE]: "red cap" } });
    await learnPassword(vault, "after the reset");
    await exchangeLabels(vault);
    const key = vault.account.labelKey!;
    assert.equal(await openLabel(key, { user: 7, code: ONE }, sent[0]![ONE]!), "red cap");
  });
});
