import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { makeForm, type Row } from "../../../test/forms";
import { setGlobal } from "../../../test/browser";
import { until } from "../../../test/page";
import { formCalled, openScreen } from "../../../test/screen";
import { formatCardCode, makeCardCode } from "../../engine/cards";
import { changeCaseload, readCaseload, type ReturnedRecord } from "../../storage/caseload";
import { listDrafts } from "../../storage/drafts";
import { sha256, toUtf8 } from "../../storage/bytes";
import { OVERVIEW } from "../../storage/types";
import { Offline, Refused } from "../../sync/requests";
import { describeFetchProblem, FetchRecord } from "./fetch_record";
import { findChoiceLabel } from "../../engine/roles";
import { Referrals } from "./referrals";
import { SentBack } from "./sent_back";
import { ToCorrect } from "./to_correct";

const CODE = makeCardCode(new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]));
const RECORD: ReturnedRecord = {
  form: "encounter",
  version: "1",
  answers: { q: "before" },
  heads: ["h1"],
  state: "returned",
  day: "2026-11-20",
  comment: "Which park?",
};
const forms = [formCalled("encounter", "Encounter")];

describe("what the centre asks of the worker", () => {
  it("takes no room while there is nothing", async () => {
    const { shown } = await openScreen(<ToCorrect />);
    assert.equal(shown.text, "");
  });

  it("says which record came back, of which day, and why", async () => {
    const { shown } = await openScreen(<ToCorrect />, { forms, book: { todo: { r1: RECORD } } });
    assert.match(shown.text, /Encounter · Friday, November 20/);
    assert.match(shown.text, /sent it back: “Which park\?”/);
  });

  it("says what to do with one that could not be taken in", async () => {
    const todo = { r1: { ...RECORD, state: "rejected" as const } };
    const { shown } = await openScreen(<ToCorrect />, { forms, book: { todo } });
    assert.match(shown.text, /could not store it as it is/);
  });

  it("says why nothing was stored of somebody who was not asked", async () => {
    const problems = [
      { code: "answers.other", path: "q" },
      { code: "consent.stands_at_no", path: "" },
    ];
    const todo = {
      r1: { ...RECORD, state: "rejected" as const, problems },
      r2: {
        ...RECORD,
        state: "rejected" as const,
        problems: [{ code: "consent.nothing_stands", path: "" }],
      },
    };
    const { shown } = await openScreen(<ToCorrect />, { forms, book: { todo } });
    assert.match(shown.text, /This person said no before, so nothing of this was stored/);
    assert.match(shown.text, /The centre has no answer of this person, so nothing of this/);
    assert.doesNotMatch(shown.text, /could not store it as it is/);
  });

  it("names in a correction that asks what the phone knows that people said", async () => {
    const problems = [{ code: "consent.stands_at_no", path: "" }];
    const card = { tier: "0", consent: { tier: 0, since: "2026-11", heads: ["no1"] } };
    const book = {
      todo: { r1: { ...RECORD, state: "rejected" as const, problems }, r2: RECORD },
      people: [{ code: CODE, label: "red cap", seenOn: "2026-11-01", tier: "" }],
      told: { [`card/${CODE}`]: card },
    };
    const { shown, app } = await openScreen(<ToCorrect />, { forms, book });
    const buttons = shown.all<HTMLButtonElement>("button");
    for (const button of buttons) button.click();
    await until(async () => (await listDrafts(app.vault)).length === 2);
    const drafts = await listDrafts(app.vault);
    const headsOf = (root: string): unknown => drafts.find((draft) => draft.root === root)!.heads;
    assert.deepEqual(headsOf("r1"), { [CODE]: ["no1"] });
    assert.equal(headsOf("r2"), undefined); // it says again what was said then
  });

  it("begins a correction with the answers that the centre has", async () => {
    const { shown, app } = await openScreen(<ToCorrect />, {
      forms,
      book: { todo: { r1: RECORD } },
    });
    await shown.click("Correct the record: Encounter");
    await until(() => location.hash.startsWith("#/fill/"));
    const [draft] = await listDrafts(app.vault);
    assert.equal(location.hash, `#/fill/${draft!.id}`);
    assert.equal(draft!.root, "r1");
    assert.deepEqual(draft!.answers, { q: "before" });
    assert.deepEqual(draft!.prev, ["h1"]);
  });

  it("begins where all is looked over, or at the question that the centre named", async () => {
    const problems = [{ code: "answers.required", path: "q" }];
    const todo = { r1: RECORD, r2: { ...RECORD, state: "rejected" as const, problems } };
    const { shown, app } = await openScreen(<ToCorrect />, { forms, book: { todo } });
    for (const button of shown.all<HTMLButtonElement>("button")) button.click();
    await until(async () => (await listDrafts(app.vault)).length === 2);
    const drafts = await listDrafts(app.vault);
    const findDraft = (root: string) => drafts.find((draft) => draft.root === root)!;
    assert.equal(findDraft("r1").page, OVERVIEW);
    assert.equal(findDraft("r1").at, undefined);
    assert.equal(findDraft("r2").at, "q");
  });

  it("goes on with a correction that was begun", async () => {
    const begun = {
      id: "d1",
      form: "encounter",
      version: "1",
      changedAt: 0,
      page: 0,
      answers: {},
      root: "r1",
    };
    const options = { forms, drafts: [begun], book: { todo: { r1: RECORD } } };
    const { shown, app } = await openScreen(<ToCorrect />, options);
    await shown.click("Correct the record: Encounter");
    await until(() => location.hash === "#/fill/d1");
    assert.deepEqual(await listDrafts(app.vault), []);
  });

  it("says in a correction why the record came back, the whole of it when asked", async () => {
    const short = await openScreen(
      <SentBack record={{ ...RECORD, state: "returned", comment: "Alone?" }} />,
    );
    assert.match(short.shown.text, /sent it back: “Alone\?”/);
    assert.equal(short.shown.has("details"), false);
    const comment = "Were you alone? ".repeat(10).trim();
    const { shown } = await openScreen(
      <SentBack record={{ ...RECORD, state: "returned", comment }} />,
    );
    assert.ok(shown.find("summary").textContent!.length < 100);
    assert.ok(shown.find("details p").textContent!.includes(comment));
  });

  it("gives a person a new card when their code clashed", async () => {
    const person = { code: CODE, label: "red cap", seenOn: "2026-11-01", tier: "" };
    const book = { people: [person], clashes: [CODE] };
    const { shown, app, calls } = await openScreen(<ToCorrect />, { book });
    await changeCaseload(app.vault, (caseload) => ({ ...caseload, ...book }));
    assert.ok(shown.text.includes(formatCardCode(CODE)));
    await shown.click("Create the new card");
    await until(() => calls.includes("exchange"));
    const { people, clashes } = await readCaseload(app.vault);
    assert.equal(people.length, 1);
    assert.notEqual(people[0]!.code, CODE);
    assert.equal(people[0]!.label, "red cap");
    assert.deepEqual(clashes, []);
    assert.equal(location.hash, `#/card/${people[0]!.code}`);
  });
});

const REFERRALS = makeForm(
  [
    { type: "select_one", name: "service", choices: "services" },
    { type: "select_one", name: "state", choices: "states" },
  ],
  {
    id: "referral",
    role: "referral",
    choices: {
      services: [{ name: "housing", label: { en: "Housing", fr: "Logement" } }],
      states: [{ name: "open", label: { en: "Waiting for an answer" } }],
    },
    summary: { kind: "/data/service", status: "/data/state" },
  },
);

describe("open referrals", () => {
  const referral = { ...RECORD, form: "referral", kind: "housing", status: "open", code: CODE };

  it("are named in the words of their form", async () => {
    const options = { forms: [REFERRALS], book: { referrals: { r2: referral } } };
    const { shown } = await openScreen(<Referrals />, options);
    assert.match(shown.text, /Housing/);
    assert.match(shown.text, /Waiting for an answer · Friday, November 20/);
    assert.ok(shown.text.includes(formatCardCode(CODE)));
    assert.equal(shown.button("Update: Housing").textContent, "Update");
  });

  it("are gone on with where they ask how it is going", async () => {
    const question = { type: "select_one", name: "state", choices: "states" } as const;
    const rows: Row[] = [
      { type: "group", name: "need", rows: [{ type: "text", name: "what" }] },
      { type: "group", name: "going", rows: [question] },
    ];
    const form = {
      ...makeForm(rows, { id: "referral" }),
      summary: { status: "/data/going/state" },
    };
    const options = { forms: [form], book: { referrals: { r2: referral } } };
    const { shown, app } = await openScreen(<Referrals />, options);
    await shown.click(shown.all(".item button")[0]!);
    await until(async () => (await listDrafts(app.vault)).length === 1);
    assert.equal((await listDrafts(app.vault))[0]!.page, 1);
  });

  it("are named plainly while their form is not on the phone", () => {
    assert.equal(findChoiceLabel(undefined, "kind", "housing", "en"), "housing");
    assert.equal(findChoiceLabel(REFERRALS, "kind", "gone", "en"), "gone");
    assert.equal(findChoiceLabel(REFERRALS, "nothing", "housing", "en"), "housing");
    assert.equal(findChoiceLabel(REFERRALS, "kind", "housing", "fr"), "Logement");
  });
});

describe("a record that was sent", () => {
  it("comes back from the centre alone: without it, nothing is lost", async () => {
    globalThis.fetch = () => Promise.reject(new TypeError("no network"));
    const { shown } = await openScreen(<FetchRecord id="r1" />);
    await shown.click("Get the record from the centre");
    await until(() => shown.has("[role=status]"));
    await until(() => !shown.text.includes("One moment"));
    assert.match(shown.text, /No connection to the centre just now/);
  });

  it("begins nothing for whoever went into another form while it was fetched", async () => {
    const { shown, app, centre } = await openScreen(<FetchRecord id="r1" />, { forms });
    app.vault.account.receipts = centre.receipts;
    const askCentre = (goElsewhere: () => void): void => {
      setGlobal("fetch", async (_: string, { headers }: { headers: Record<string, string> }) => {
        goElsewhere();
        const text = JSON.stringify({ ...RECORD, protocol: 1 });
        const signed = `fieldapp answer 1|${headers["X-Nonce"]}|${await sha256(toUtf8(text))}`;
        return new Response(text, { headers: { "X-Signature": centre.sign(signed) } });
      });
    };
    askCentre(() => (location.hash = "#/start/encounter"));
    await shown.click("Get the record from the centre");
    await until(() => !shown.button("Get the record from the centre").disabled);
    assert.equal(location.hash, "#/start/encounter");
    assert.deepEqual(await listDrafts(app.vault), []);
    askCentre(() => undefined);
    await shown.click("Get the record from the centre");
    await until(() => location.hash.startsWith("#/fill/"));
  });

  it("is too old, or refused, in the centre's words", () => {
    assert.match(describeFetchProblem(new Refused("access.not_found", "")), /older than two weeks/);
    assert.equal(describeFetchProblem(new Refused("other", "Sign in again.")), "Sign in again.");
    assert.match(describeFetchProblem(new Offline()), /No connection/);
  });
});
