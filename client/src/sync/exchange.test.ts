import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { type Browser, installBrowser, setGlobal } from "../../test/browser";
import { Centre } from "../../test/centre";
import { makeForm } from "../../test/forms";
import { Line, refuse, type Request } from "../../test/line";
import { makeVault, storeVault, type TestVault } from "../../test/vaults";
import { makeCardCode } from "../engine/cards";
import { sha256, toUtf8 } from "../storage/bytes";
import { changeCaseload, readCaseload } from "../storage/caseload";
import { deleteDatabase, getRow } from "../storage/database";
import { type Draft, listDrafts, saveDraft } from "../storage/drafts";
import { listAreaLists, listCurrentForms, saveForms } from "../storage/forms";
import { readMaps, readMapVersion } from "../storage/maps";
import { finishDraft } from "../storage/finishing";
import { type Account, unseal } from "../storage/vault";
import { exchange, fetchManifestContent } from "./exchange";
import type { Manifest } from "./server";

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

const FORM = makeForm([{ type: "text", name: "q" }], { id: "encounter" });
const FORM_TEXT = JSON.stringify(FORM);

async function makeManifest(more: Partial<Manifest> = {}): Promise<Manifest> {
  const hash = await sha256(toUtf8(FORM_TEXT));
  return {
    forms: [
      {
        id: "encounter",
        role: "encounter",
        version: "1",
        title: { en: "Encounter" },
        sha256: hash,
      },
    ],
    centre: "Rexdale",
    worker: "Amina",
    key: centre.key,
    receipts: centre.receipts,
    rules: { lock_minutes: 5, shred_days: 7, voice_notes: false },
    ...more,
  };
}

const formAnswer = (): Response => new Response(FORM_TEXT);
const NO_CHANGES = { items: [], more: false, cursor: 0 };

/** A centre that takes everything and has nothing new. */
async function open(more: Partial<Manifest> = {}): Promise<void> {
  const manifest = await makeManifest(more);
  line.answer("manifest", (request) => line.sign(request, manifest));
  line.answer("forms/", formAnswer);
  line.answer("pull", () => NO_CHANGES);
  line.answer("deliver", ({ body }: Request) => ({ items: centre.takeAll(body), orders: {} }));
}

async function finish(id: string): Promise<void> {
  const draft = { id, form: "encounter", version: "1", changedAt: 1, page: 0, answers: { q: "x" } };
  await finishDraft(vault, draft, FORM, new Date());
}

const asked = (): string[] => line.requests.map(({ path }) => path.split(/[/?]/)[0]!);

describe("how an exchange went", () => {
  it("is offline without a line, and nothing is lost", async () => {
    await finish("a");
    assert.deepEqual(await exchange(vault), { outcome: "offline", orders: [] });
    assert.equal((await getRow("outbox", "a"))!.state, "waiting");
  });

  it("is signed out where the centre knows this phone no more", async () => {
    await open();
    line.answer("manifest", () => refuse("sync.token", 401));
    assert.equal((await exchange(vault)).outcome, "signed-out");
  });

  it("is offline for any other refusal", async () => {
    await open();
    line.answer("manifest", () => refuse("sync.busy", 429));
    assert.equal((await exchange(vault)).outcome, "offline");
  });

  it("hides no fault of the app itself", async () => {
    await open();
    const wrong = await makeManifest();
    line.answer("manifest", (request) => line.sign(request, wrong));
    line.answer("forms/", () => new Response(`${FORM_TEXT} `));
    await assert.rejects(exchange(vault), /did not arrive whole/);
  });

  it("is online when all was said: first what is finished, then what is new", async () => {
    await open();
    await finish("a");
    assert.deepEqual(await exchange(vault), { outcome: "online", orders: [] });
    assert.deepEqual(asked(), ["deliver", "deliver", "manifest", "forms", "pull"]);
    assert.equal((await getRow("outbox", "a"))!.state, "delivered");
  });

  it("only delivers while the app is locked", async () => {
    await open();
    await finish("a");
    assert.equal((await exchange(null)).outcome, "online");
    assert.deepEqual(asked(), ["deliver", "deliver"]);
  });

  it("asks no more after an order for this worker", async () => {
    await open();
    line.answer("deliver", () => ({ items: [], orders: { "device-7": "wipe" } }));
    const { orders } = await exchange(vault);
    assert.deepEqual(orders, [{ user: 7, order: "wipe" }]);
    assert.deepEqual(asked(), ["deliver"]);
  });

  it("goes on after an order for somebody else", async () => {
    await storeVault(await makeVault(centre, { user: 8, device: "device-8" }));
    await open();
    line.answer("deliver", () => ({ items: [], orders: { "device-8": "lock" } }));
    const { outcome, orders } = await exchange(vault);
    assert.deepEqual([outcome, orders], ["online", [{ user: 8, order: "lock" }]]);
    assert.ok(asked().includes("pull"));
  });

  it("learns the centre's key first on a phone that does not know it", async () => {
    vault.account.receipts = null;
    await storeVault(vault, { receipts: null });
    await open();
    const manifest = await makeManifest();
    line.answer("manifest", () => new Response(JSON.stringify({ protocol: 1, ...manifest })));
    assert.equal((await exchange(vault)).outcome, "online");
    assert.deepEqual(vault.account.receipts, centre.receipts);
    assert.deepEqual(asked(), ["manifest", "forms", "deliver", "pull"]);
  });
});

describe("one exchange at a time", () => {
  function installLocks(isFree: boolean): { options: unknown[] } {
    const calls: { options: unknown[] } = { options: [] };
    const request = (
      _: string,
      options: unknown,
      run: (lock: object | null) => unknown,
    ): unknown => {
      calls.options.push(options);
      return run(isFree ? {} : null);
    };
    setGlobal("navigator", { language: "en", locks: { request } });
    return calls;
  }

  it("says busy while another tab is at it", async () => {
    installLocks(false);
    assert.deepEqual(await exchange(vault), { outcome: "busy", orders: [] });
    assert.deepEqual(line.requests, []);
  });

  it("waits for the other where it is patient", async () => {
    const calls = installLocks(true);
    await open();
    await exchange(vault, true);
    await exchange(vault);
    assert.deepEqual(calls.options, [{ ifAvailable: false }, { ifAvailable: true }]);
  });
});

describe("a card that ended", () => {
  const codeOf = (number: number): string => makeCardCode(new Uint8Array(8).fill(number));
  const ONE = codeOf(1);
  const TWO = codeOf(2);
  const TALK = makeForm([{ type: "text", name: "code" }], {
    id: "talk",
    summary: { person: "/data/code" },
  });
  const begin = async (id: string, code: string, more: Partial<Draft> = {}): Promise<Draft> => {
    const draft = { id, form: "talk", version: "1", changedAt: 1, page: 0, answers: { code } };
    await saveDraft(vault, { ...draft, ...more });
    return { ...draft, ...more };
  };
  const tell = (items: unknown[]): unknown =>
    line.answer("pull", () => ({ items, more: false, cursor: "1:5" }));
  const listIds = async (): Promise<string[]> =>
    (await listDrafts(vault)).map(({ id }) => id).sort();

  beforeEach(async () => {
    await open();
    const text = JSON.stringify(TALK);
    const hash = await sha256(toUtf8(text));
    const row = { id: "talk", version: "1", title: {}, sha256: hash };
    await saveForms(7, [row], new Map([[hash, text]]));
  });

  it("takes drafts about it along, and says how many", async () => {
    await begin("a", ONE);
    await begin("b", `${ONE.slice(0, 4)}-${ONE.slice(4)}`);
    await begin("c", TWO, { heads: { [ONE]: ["r1"], [TWO]: ["r2"] } });
    tell([
      [`card/${ONE}`, null],
      [`ended/${ONE}`, true],
    ]);
    await exchange(vault);
    assert.deepEqual(await listIds(), ["c"]);
    assert.deepEqual((await listDrafts(vault))[0]!.heads, { [TWO]: ["r2"] });
    const caseload = await readCaseload(vault);
    assert.deepEqual([caseload.erased, caseload.cursor], [2, "1:5"]);
    await exchange(vault); // told again, as after a restored copy
    assert.equal((await readCaseload(vault)).erased, 2);
  });

  it("is another thing than one that went to a colleague: drafts about that stay", async () => {
    await begin("a", ONE);
    tell([[`card/${ONE}`, null]]);
    await exchange(vault);
    assert.deepEqual(await listIds(), ["a"]);
    assert.equal((await readCaseload(vault)).erased, 0);
  });

  it("takes drafts whose form is not here, where they name it", async () => {
    await begin("a", "x", { form: "gone", answers: { page: { visits: [{ code: ONE }] } } });
    await begin("b", "x", { form: "gone", answers: { note: "nobody" } });
    tell([[`ended/${ONE}`, true]]);
    await exchange(vault);
    assert.deepEqual(await listIds(), ["b"]);
  });

  it("takes records that could not be sent, and counts them as before", async () => {
    await finishDraft(vault, await begin("a", ONE), TALK, new Date());
    await finishDraft(vault, await begin("b", TWO), TALK, new Date());
    line.answer("deliver", () => ({ items: [], orders: {} })); // no receipts
    tell([[`ended/${ONE}`, true]]);
    await exchange(vault);
    const { state, box, of, isEnded } = (await getRow("outbox", "a"))!;
    assert.deepEqual([state, box, of, isEnded], ["deleted", null, undefined, true]);
    const other = (await getRow("outbox", "b"))!;
    assert.deepEqual([other.state, other.box === null], ["waiting", false]);
    assert.equal(
      (await readCaseload(vault)).people.some(({ code }) => code === ONE),
      false,
    );
  });

  it("is not counted as heard before its drafts are gone", async () => {
    await begin("a", ONE);
    tell([[`ended/${ONE}`, true]]);
    browser.isFull = true;
    await exchange(vault).catch(() => undefined);
    browser.isFull = false;
    assert.deepEqual([await listIds(), (await readCaseload(vault)).cursor], [["a"], 0]);
    await exchange(vault);
    assert.deepEqual([await listIds(), (await readCaseload(vault)).cursor], [[], "1:5"]);
  });
});

describe("a card of which less stands", () => {
  it("takes the copies of what was sent about it along in the same exchange", async () => {
    const code = makeCardCode(new Uint8Array(8).fill(1));
    const summary = { person: "/data/code" };
    const talk = makeForm([{ type: "text", name: "code" }], { id: "talk", summary });
    await open();
    const stands = { since: "2026-11", heads: [], doubt: false, wording: "" };
    const tell = (tier: number, at: string): unknown => {
      const body = { code, tier: String(tier), seen: "2026-11-20", consent: { ...stands, tier } };
      return line.answer("pull", () => ({
        items: [[`card/${code}`, body]],
        more: false,
        cursor: at,
      }));
    };
    tell(3, "1:5");
    await exchange(vault);
    const draft = { id: "a", form: "talk", version: "1", changedAt: 1, page: 0, answers: { code } };
    await finishDraft(vault, draft, talk, new Date());
    await exchange(vault);
    const sent = (await getRow("outbox", "a"))!;
    assert.deepEqual([sent.state, Boolean(sent.copy)], ["delivered", true]);
    tell(0, "1:6");
    await exchange(vault);
    const { copy, of } = (await getRow("outbox", "a"))!;
    assert.deepEqual([copy, of], [undefined, undefined]);
  });
});

describe("pulling what changed", () => {
  const card = (seen: string): object => ({ tier: "1", seen });

  it("asks from where it stopped, until there is no more", async () => {
    await open();
    const pages = [
      { items: [["card/A", card("2026-11-01")]], more: true, cursor: "9:1" },
      { items: [["card/B", card("2026-11-02")]], more: true, cursor: "9:2" },
      { items: [], more: false, cursor: "9:2" },
    ];
    line.answer("pull", () => pages.shift()!);
    await exchange(vault);
    const cursors = line.to("pull").map(({ path }) => path);
    assert.deepEqual(
      cursors,
      ["0", "9:1", "9:2"].map((at) => `pull?cursor=${at}&ended=1`),
    );
    const { people, cursor } = await readCaseload(vault);
    assert.deepEqual(
      people.map(({ code }) => code),
      ["B", "A"],
    );
    assert.equal(cursor, "9:2");
  });

  it("takes the centre's version once it has heard all, on the last page only", async () => {
    await changeCaseload(vault, (caseload) => ({
      ...caseload,
      settled: ["r/2026-11-01"],
      finished: 2,
    }));
    await open();
    const pages = [
      { items: [["card/A", card("2026-11-01")]], more: true, cursor: 1 },
      { items: [], more: false, cursor: 1 },
    ];
    const settled: string[][] = [];
    line.answer("pull", () => pages.shift()!);
    const { fetch } = globalThis;
    globalThis.fetch = async (url, options) => {
      settled.push((await readCaseload(vault)).settled);
      return fetch(url, options);
    };
    await exchange(vault);
    const last = await readCaseload(vault);
    assert.deepEqual(settled.at(-1), ["r/2026-11-01"]);
    assert.deepEqual([last.settled, last.heard], [[], 2]);
  });

  it("keeps its own version while a record waits", async () => {
    await finish("a");
    await changeCaseload(vault, (caseload) => ({ ...caseload, settled: ["r/2026-11-01"] }));
    await open();
    line.answer("deliver", () => ({ items: [], orders: {} }));
    await exchange(vault);
    const { settled, heard, finished } = await readCaseload(vault);
    assert.deepEqual([settled, heard, finished], [["r/2026-11-01"], 0, 1]);
  });

  it("keeps what was finished while it asked", async () => {
    await open();
    let isFinished = false;
    line.answer("pull", () => NO_CHANGES);
    const { fetch } = globalThis;
    globalThis.fetch = async (url, options) => {
      if (String(url).includes("pull") && !isFinished) {
        isFinished = true;
        await finish("meanwhile");
      }
      return fetch(url, options);
    };
    await changeCaseload(vault, (caseload) => ({ ...caseload, finished: 1, settled: ["x/1"] }));
    await exchange(vault);
    const { settled, heard } = await readCaseload(vault);
    assert.deepEqual([settled, heard], [["x/1"], 0]);
  });

  it("does not apply a page twice when another tab was faster", async () => {
    await open();
    line.answer("pull", () => ({ items: [["clash/A", { by: "x" }]], more: false, cursor: 5 }));
    const { fetch } = globalThis;
    globalThis.fetch = async (url, options) => {
      if (String(url).includes("pull"))
        await changeCaseload(vault, (caseload) => ({ ...caseload, cursor: 7 }));
      return fetch(url, options);
    };
    await exchange(vault);
    const { cursor, clashes } = await readCaseload(vault);
    assert.deepEqual([cursor, clashes], [7, []]);
  });

  it("asks for all once more where an app of before did not erase drafts about ended cards", async () => {
    await open();
    await changeCaseload(vault, (caseload) => ({ ...caseload, cursor: "3:9" }));
    line.answer("pull", () => ({ ...NO_CHANGES, cursor: "3:9" }));
    await exchange(vault);
    await exchange(vault);
    const cursors = line.to("pull").map(({ path }) => /=([^&]+)/.exec(path)![1]);
    assert.deepEqual(cursors, ["0", "3:9"]);
  });

  it("writes nothing where nothing is new", async () => {
    await open();
    await exchange(vault);
    assert.equal(await getRow("books", 7), undefined);
    line.answer("pull", () => ({ ...NO_CHANGES, reset: true, cursor: "2:0" }));
    await exchange(vault);
    assert.equal((await readCaseload(vault)).cursor, "2:0");
  });

  it("has no follow-up that a centre knew only before it went back to a copy", async () => {
    await open();
    const due = { on: "2026-12-01", code: "", form: "encounter", from: "2026-11-01" };
    const item = (id: string): [string, object] => [`due/${id}`, due];
    line.answer("pull", () => ({ ...NO_CHANGES, items: [item("a"), item("b")], cursor: 2 }));
    await exchange(vault);
    line.answer("pull", () => ({ ...NO_CHANGES, reset: true, items: [item("a")], cursor: "2:1" }));
    await exchange(vault);
    const ids = (await readCaseload(vault)).due.map(({ id }) => id);
    assert.deepEqual(ids, ["a"]);
  });
});

describe("what the manifest names", () => {
  it("is stored in the account: centre, rules, team and what must be here", async () => {
    const manifest = await makeManifest({
      centre: "Jane and Finch",
      team: [{ user: 8, label: "Ben" }],
      rules: { lock_minutes: 1, shred_days: 2, voice_notes: true },
    });
    line.answer("forms/", formAnswer);
    await fetchManifestContent(vault, manifest);
    const row = (await getRow("vaults", 7))!;
    const account = await unseal<Account>(vault.key, row.account);
    assert.equal(account.centre, "Jane and Finch");
    assert.deepEqual(account.team, [{ user: 8, label: "Ben" }]);
    assert.equal(row.shredDays, 2);
    const { sha256: hash } = manifest.forms[0]!;
    assert.deepEqual(account.listed, [{ kind: "form", id: "encounter", sha256: hash }]);
  });

  it("never brings another key to sign with than the first", async () => {
    line.answer("forms/", formAnswer);
    await fetchManifestContent(vault, await makeManifest({ receipts: new Centre().receipts }));
    assert.deepEqual(vault.account.receipts, centre.receipts);
  });

  it("may bring another key to seal to", async () => {
    const next = new Centre("next");
    line.answer("forms/", formAnswer);
    await fetchManifestContent(vault, await makeManifest({ key: next.key }));
    assert.deepEqual(vault.account.key, next.key);
  });

  it("is fetched once: a form that is here does not travel again", async () => {
    line.answer("forms/", formAnswer);
    await fetchManifestContent(vault, await makeManifest());
    await fetchManifestContent(vault, await makeManifest());
    assert.equal(line.to("forms/").length, 1);
    assert.deepEqual(
      (await listCurrentForms(7)).map(({ id }) => id),
      ["encounter"],
    );
  });

  it("comes with the form first that workers fill most", async () => {
    const other = JSON.stringify(makeForm([], { id: "aaa" }));
    const hash = await sha256(toUtf8(other));
    const manifest = await makeManifest();
    manifest.forms.unshift({ id: "aaa", version: "1", title: {}, sha256: hash });
    line.answer("forms/encounter", formAnswer);
    line.answer("forms/aaa", () => new Response(other));
    const here: string[][] = [];
    let firstIn: Promise<void> = Promise.resolve();
    await fetchManifestContent(vault, manifest, () => {
      firstIn = listCurrentForms(7).then((forms) => void here.push(forms.map(({ id }) => id)));
    });
    await firstIn;
    assert.equal(line.requests[0]!.path, "forms/encounter/1");
    assert.deepEqual((await listCurrentForms(7)).map(({ id }) => id).sort(), ["aaa", "encounter"]);
    assert.ok(here[0]!.includes("encounter"));
  });

  it("says that the first form is in also where none is missing", async () => {
    let calls = 0;
    await fetchManifestContent(vault, await makeManifest({ forms: [] }), () => void calls++);
    assert.equal(calls, 1);
  });

  it("brings areas, and takes away those that it names no more", async () => {
    const text = '{"areas":{}}';
    const areas = [{ key: "nbhd", sha256: await sha256(toUtf8(text)) }];
    line.answer("forms/", formAnswer);
    line.answer("areas/", () => new Response(text));
    await fetchManifestContent(vault, await makeManifest({ areas }));
    await fetchManifestContent(vault, await makeManifest({ areas }));
    assert.deepEqual(await listAreaLists(7), ["nbhd"]);
    assert.equal(line.to("areas/").length, 1);
    await fetchManifestContent(vault, await makeManifest());
    assert.deepEqual(await listAreaLists(7), []);
  });

  it("brings maps when there are others, and takes them away when there are none", async () => {
    const maps = { maps: { week: { spots: [] }, month: null }, viewer: "v" };
    line.answer("forms/", formAnswer);
    line.answer("map", () => maps);
    await fetchManifestContent(vault, await makeManifest({ map: "m1" }));
    await fetchManifestContent(vault, await makeManifest({ map: "m1" }));
    assert.equal(line.to("map").length, 1);
    assert.deepEqual((await readMaps(vault))?.maps.week, { spots: [] });
    await fetchManifestContent(vault, await makeManifest());
    assert.equal(await readMapVersion(7), "");
    assert.equal(await readMaps(vault), null);
  });

  it("brings no maps from a centre whose key is not known", async () => {
    vault.account.receipts = null;
    const { receipts: _, ...manifest } = await makeManifest({ map: "m1" });
    line.answer("forms/", formAnswer);
    await fetchManifestContent(vault, manifest);
    assert.equal(line.to("map").length, 0);
  });
});
