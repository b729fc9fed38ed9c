import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { makeForm, type Row } from "../../../test/forms";
import { until } from "../../../test/page";
import { formCalled, openScreen } from "../../../test/screen";
import { makeCardCode } from "../../engine/cards";
import { listDrafts, saveDraft } from "../../storage/drafts";
import { formatLocalTime } from "../../storage/outbox";
import type { Vault } from "../../storage/vault";
import { ChooseForm, sortByUse } from "./choose";
import { Start } from "./start";

const CODE = makeCardCode(new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]));

describe("what happened?", () => {
  it("offers what happens most first, and forms of the centre's own after that", () => {
    const forms = ["", "shift", "encounter", ""].map((role, at) => ({ id: `f${at}`, role }));
    assert.deepEqual(
      sortByUse(forms).map(({ id }) => id),
      ["f2", "f1", "f0", "f3"],
    );
  });

  it("says what happened in words, and calls other forms by their titles", async () => {
    const forms = [
      formCalled("own", "Street survey"),
      { ...formCalled("contact", "Contact"), role: "encounter" },
    ];
    const { shown } = await openScreen(<ChooseForm />, { forms });
    assert.deepEqual(shown.texts("main a").slice(0, 2), [
      "I met or talked with someone",
      "Street survey",
    ]);
  });

  const KINDS = ["a", "b", "c", "d", "e", "f"];
  const contact = makeForm([{ type: "select_one", name: "kind", choices: "kinds" }], {
    id: "contact",
    role: "encounter",
    summary: { kind: "/data/kind" },
    choices: { kinds: KINDS.map((name) => ({ name, label: { en: `Kind ${name}` } })) },
  });

  it("begins with the kind that is tapped, the usual ones first, and folds the others", async () => {
    const account = { usual: { contact: { "/data/kind": { e: 3, b: 1 } } } };
    const { shown } = await openScreen(<ChooseForm />, { forms: [contact], account });
    assert.deepEqual(shown.texts(".kinds a"), ["Kind e", "Kind b", "Kind a", "Kind c"]);
    assert.equal(shown.find(".kinds a").getAttribute("href"), "#/start/contact/%7Ce");
    await shown.click("2 more");
    assert.equal(shown.all(".kinds a").length, 6);
  });

  it("offers the cards with whom something is due, then the others, and finds one by its name", async () => {
    const codes = [1, 2, 3, 4, 5, 6].map((n) => makeCardCode(new Uint8Array(8).fill(n)));
    const people = codes.map((code, at) => ({ code, label: `L${at}`, seenOn: "", tier: "2" }));
    const due = [
      { id: "r/1", on: "2026-01-02", code: codes[5]!, form: "contact", from: "2026-01-01" },
    ];
    const book = { people, due };
    const { shown } = await openScreen(<ChooseForm />, { forms: [contact], book });
    const listed = () => shown.all(".between").map((link) => link.getAttribute("href"));
    assert.equal(listed().length, 4);
    assert.equal(listed()[0], `#/start/contact/${codes[5]}%7C`);
    await shown.enter("input[type=search]", "l3");
    assert.deepEqual(listed(), [`#/start/contact/${codes[3]}%7C`]);
    await shown.enter("input[type=search]", "nobody");
    assert.match(shown.text, /None of your cards fits/);
  });

  it("does not offer a follow-up, which begins from what is due", async () => {
    const rows = [{ type: "hidden", name: "about" }];
    const later = makeForm(rows, { id: "later", summary: { follows: "/data/about" } });
    const { shown } = await openScreen(<ChooseForm />, { forms: [later] });
    assert.equal(shown.all("main a").length, 2);
  });

  it("leads to cards and maps even before the forms have come", async () => {
    const { shown } = await openScreen(<ChooseForm />);
    assert.deepEqual(
      shown.all("main a").map((link) => link.getAttribute("href")),
      ["#/people", "#/where"],
    );
    assert.match(shown.text, /No forms on this phone yet/);
  });
});

const ENCOUNTER = makeForm(
  [
    { type: "text", name: "card", label: "Card" },
    { type: "text", name: "area", label: "Area", appearance: "last-used" },
  ],
  { id: "encounter", title: { en: "Encounter" }, summary: { person: "/data/card" } },
);

describe("a new record", () => {
  const start = (about = "", due = "") => <Start id="encounter" about={about} due={due} />;

  it("says so when its form is not on the phone", async () => {
    const { shown } = await openScreen(start());
    assert.match(shown.text, /This form is not on the phone/);
  });

  it("is no draft until something is answered, and has an address then", async () => {
    const { shown, app } = await openScreen(start(), { forms: [ENCOUNTER] });
    location.hash = "#/start/encounter";
    assert.deepEqual(await listDrafts(app.vault), []);
    await shown.enter("#q-area", "west");
    await until(async () => (await listDrafts(app.vault)).length === 1);
    const [draft] = await listDrafts(app.vault);
    assert.deepEqual(draft!.answers, { area: "west" });
    await until(() => location.hash === `#/fill/${draft!.id}`);
  });

  it("begins with the card that was tapped, and with last answers", async () => {
    const account = { remembered: { encounter: { "/data/area": "east" } } };
    const { shown } = await openScreen(start(`${CODE}|`), { forms: [ENCOUNTER], account });
    assert.equal(shown.find<HTMLInputElement>("#q-card").value, CODE);
    assert.equal(shown.find<HTMLInputElement>("#q-area").value, "east");
  });

  it("is finished for good: no draft stays, and its last answers are remembered", async () => {
    const { shown, app } = await openScreen(start("", "r1/2026-11-23"), {
      forms: [ENCOUNTER],
    });
    await shown.enter("#q-area", "west");
    await shown.click("Finish");
    await until(() => location.hash.startsWith("#/saved/encounter/done/"));
    assert.deepEqual(await listDrafts(app.vault), []);
    assert.equal(app.vault.account.remembered["encounter"]!["/data/area"], "west");
  });
});

describe("what is new of an open incident", () => {
  const rows: Row[] = [
    { type: "hidden", name: "of" },
    { type: "hidden", name: "began" },
    { type: "text", name: "what", label: "What" },
  ];
  const summary = { follows: "/data/of", followed_day: "/data/began" };
  const form = makeForm(rows, { id: "later", role: "incident_follow_up", summary });
  const book = { open: { a: { form: "incident", from: "2026-11-02", kind: "", area: "" } } };
  const start = () => <Start id="later" about="|" due="a" />;

  it("says of which and since when, and completes no day by itself", async () => {
    const { shown, app } = await openScreen(start(), { forms: [form], book });
    await shown.enter("#q-what", "x");
    await until(async () => (await listDrafts(app.vault)).length === 1);
    const [draft] = await listDrafts(app.vault);
    assert.deepEqual(draft!.answers, { of: "a", began: "2026-11-02", what: "x" });
    assert.equal(draft!.due, undefined);
  });

  it("goes on with what was begun of it", async () => {
    const draft = {
      id: "11111111-1111-4111-8111-111111111111",
      form: "later",
      version: form.version,
      changedAt: Date.now(),
      page: 0,
      answers: { of: "a", what: "half" },
    };
    const arrange = (vault: Vault) => saveDraft(vault, draft);
    const { shown } = await openScreen(start(), { forms: [form], book, drafts: [draft], arrange });
    await until(() => !shown.has("#q-what"));
    assert.match(shown.text, /not on the phone/);
  });

  it("begins anew while a correction of one that was sent is open", async () => {
    const correction = {
      id: "22222222-2222-4222-8222-222222222222",
      form: "later",
      version: form.version,
      changedAt: Date.now(),
      page: 0,
      answers: { of: "a", what: "yesterday" },
      root: "33333333-3333-4333-8333-333333333333",
    };
    const arrange = (vault: Vault) => saveDraft(vault, correction);
    const options = { forms: [form], book, drafts: [correction], arrange };
    const { shown, app } = await openScreen(start(), options);
    assert.equal(shown.find<HTMLInputElement>("#q-what").value, "");
    await shown.enter("#q-what", "today");
    await until(async () => (await listDrafts(app.vault)).length === 2);
    const drafts = await listDrafts(app.vault);
    const before = drafts.find(({ root }) => root !== undefined)!;
    assert.deepEqual(before.answers, { of: "a", what: "yesterday" });
    const now = drafts.find(({ root }) => root === undefined)!;
    assert.deepEqual(now.answers, { of: "a", began: "2026-11-02", what: "today" });
  });
});

describe("a shift's form", () => {
  const rows: Row[] = [
    { type: "dateTime", name: "from", label: "From" },
    { type: "dateTime", name: "to", label: "To", default: "2026-11-23T02:00:00.000-05:00" },
  ];
  const summary = { shift_start: "/data/from", shift_end: "/data/to" };
  const form = makeForm(rows, { id: "shift", role: "shift", summary });
  const read = async (hoursAgo: number): Promise<string[]> => {
    const shift = hoursAgo ? formatLocalTime(new Date(Date.now() - hoursAgo * 3_600_000)) : "";
    const start = <Start id="shift" about="" due="" />;
    const { shown } = await openScreen(start, { forms: [form], book: { shift } });
    return ["#q-from", "#q-to"].map((id) => shown.find<HTMLInputElement>(id).value);
  };

  it("begins with when it was started, and says that it ends now", async () => {
    const [from, to] = await read(8);
    assert.notEqual(from, "");
    assert.notEqual(to, "");
  });

  it("asks when it ended where that was forgotten, and when it began where nobody said", async () => {
    assert.equal((await read(17))[1], "");
    assert.equal((await read(0))[0], "");
  });
});
