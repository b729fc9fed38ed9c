import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { until } from "../../../test/page";
import { formCalled, NO_CASELOAD, openScreen } from "../../../test/screen";
import { makeCardCode, formatCardCode } from "../../engine/cards";
import { changeCaseload, readCaseload, type FollowUp } from "../../storage/caseload";
import { DAY, getLocalDay } from "../day";
import { makeForm, type Row } from "../../../test/forms";
import { type Draft, openDraft, saveDraft } from "../../storage/drafts";
import type { Vault } from "../../storage/vault";
import { formatLocalTime, type OutboxLine } from "../../storage/outbox";
import { readMinutes } from "../../engine/roles";
import { findLogAddress, FollowUps, splitByDay } from "./follow_ups";
import { Today } from "./today";
import { listOpen, OpenIncidents } from "./open_incidents";
import { ShiftLine } from "./shift_line";
import { formatAbout, summarizeWeek, Week } from "./week";

const CODE = makeCardCode(new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]));
const dayFromNow = (days: number): string => getLocalDay(new Date(Date.now() + days * DAY));
const dueIn = (days: number, code = CODE): FollowUp => ({
  id: `r1/${dayFromNow(days)}`,
  on: dayFromNow(days),
  code,
  form: "mediation",
  from: dayFromNow(days - 7),
});

const visit = { name: "visit_again", label: {}, data: { app_role: "follow_up_visit" } };
const contact = makeForm([{ type: "select_one", name: "what", choices: "kinds" }], {
  id: "contact",
  role: "encounter",
  summary: { kind: "/data/what" },
  choices: { kinds: ["talk", visit] },
});

describe("follow-ups", () => {
  const forms = [formCalled("own", "Street survey"), contact];

  it("are due from their day on; the others come later", () => {
    const all = [dueIn(-2), dueIn(0), dueIn(3), dueIn(5)];
    const { due, later } = splitByDay(all, dayFromNow(0));
    assert.deepEqual(due, all.slice(0, 2));
    assert.deepEqual(later, all.slice(2));
    assert.deepEqual(splitByDay([], dayFromNow(0)), { due: [], later: [] });
  });

  it("that come later can be opened before their day", async () => {
    const book = { due: [dueIn(0), dueIn(3), dueIn(5, "")] };
    const { shown } = await openScreen(<FollowUps />, { book, forms: [contact] });
    assert.equal(shown.find("summary").textContent, "Coming up (2)");
    assert.equal(shown.all("details .item a").length, 2);
  });

  it("lead to an encounter about their card, or to a mediation's follow-up", () => {
    const id = encodeURIComponent(dueIn(0).id);
    const card = encodeURIComponent(`${CODE}|`);
    assert.equal(findLogAddress(forms, dueIn(0)), `#/start/contact/${card}/${id}`);
    const mediation = encodeURIComponent("|visit_again");
    assert.equal(findLogAddress(forms, dueIn(0, "")), `#/start/contact/${mediation}/${id}`);
  });

  it("lead to the form that follows up such records, where the centre has one", () => {
    const mediation = makeForm([], { id: "mediation", role: "mediation" });
    const later = makeForm([], { id: "later", role: "mediation_follow_up" });
    const address = findLogAddress([contact, mediation, later], dueIn(0, ""));
    assert.match(address, /^#\/start\/later\/.*\/r1/);
    assert.match(findLogAddress([contact, later], dueIn(0, "")), /^#\/start\/contact\//);
  });

  it("lead to the participant's form where a review is due, and say so", async () => {
    const review = { name: "again", label: { en: "Review" }, data: { app_role: "review" } };
    const participant = makeForm([{ type: "select_one", name: "what", choices: "kinds" }], {
      id: "participant",
      role: "participant",
      summary: { kind: "/data/what" },
      choices: { kinds: ["intake", review] },
    });
    const due = { ...dueIn(0), form: "participant", own: true };
    const address = findLogAddress([contact, participant], due);
    assert.match(address, new RegExp(`^#/start/participant/${CODE}%7Cagain/r1`));
    const forms = [contact, participant];
    const { shown } = await openScreen(<FollowUps />, { book: { due: [due] }, forms });
    assert.match(shown.find(".item").textContent, / · Review day 7/);
  });

  it("without a card are told apart by what it was about, and where", async () => {
    const mediation = makeForm(
      [
        { type: "select_one", name: "why", choices: "whys" },
        { type: "select_one", name: "where", choices: "places" },
      ],
      {
        id: "mediation",
        role: "mediation",
        summary: { kind: "/data/why", area: "/data/where" },
        choices: {
          whys: [{ name: "debt", label: { en: "Money owed" } }],
          places: [{ name: "002", label: { en: "Rexdale" } }],
        },
      },
    );
    const due = [{ ...dueIn(0, ""), kind: "debt", area: "002" }];
    const { shown } = await openScreen(<FollowUps />, { book: { due }, forms: [mediation] });
    assert.match(shown.texts(".item")[0]!, /Money owed · Rexdale day 7/);
    assert.match(shown.find("button").getAttribute("aria-label")!, /Money owed · Rexdale/);
  });

  it("say how late they are, whose card it is, and how long ago it was", async () => {
    const people = [{ code: CODE, label: "red cap", seenOn: "", tier: "" }];
    const book = { people, due: [dueIn(-2), dueIn(0, "")] };
    const forms = [formCalled("mediation", "Mediation")];
    const { shown } = await openScreen(<FollowUps />, { book, forms });
    const [late, today] = shown.texts(".item");
    assert.ok(late!.startsWith(`${formatCardCode(CODE)} · red cap day 7`));
    assert.match(late!, /2 days past due/);
    assert.match(today!, /^Mediation day 7 ?today/);
  });

  it("name the next one when none is due, and nothing when there is none", async () => {
    const next = await openScreen(<FollowUps />, { book: { due: [dueIn(3)] } });
    assert.match(next.shown.text, /Nothing is due today\. Next: \w+day/);
    assert.equal((await openScreen(<FollowUps />)).shown.text, "");
  });

  it("stay while the worker is not sure that they are not needed", async () => {
    const options = { book: { due: [dueIn(0)] }, isSure: false };
    const { shown, calls, questions } = await openScreen(<FollowUps />, options);
    await shown.click(shown.all("button")[0]!);
    assert.match(questions[0]!, /off your list\?/);
    assert.deepEqual(calls, []);
  });

  it("are set aside as a sealed note, with earlier ones of the same record", async () => {
    const book = { due: [dueIn(-2), dueIn(-1)] };
    const { shown, app, calls } = await openScreen(<FollowUps />, { book });
    await changeCaseload(app.vault, (caseload) => ({ ...caseload, ...book }));
    const buttons = shown.all("button");
    await shown.click(buttons[1]!);
    await until(() => calls.includes("exchange"));
    const { due, settled } = await readCaseload(app.vault);
    assert.deepEqual(due, []);
    assert.deepEqual(settled, [book.due[1]!.id]);
  });
});

describe("the worker's week", () => {
  const end = new Date(2026, 10, 23, 18, 0).getTime();
  const line = (day: number, minutes: string, more: Partial<OutboxLine> = {}) => ({
    id: `${day}/${minutes}`,
    state: "delivered" as const,
    form: "encounter",
    ...more,
    finishedAt: new Date(2026, 10, day, 9, 0).toISOString(),
    minutes,
  });

  const choices = Object.entries({ lt5: "3", "15_30": "22", gt60: "75" }).map(([name, number]) => ({
    name,
    label: {},
    data: { app_minutes: number },
  }));
  const form = makeForm([{ type: "select_one", name: "long", choices: "spans" }], {
    summary: { minutes: "/data/long" },
    choices: { spans: choices },
  });
  const minutes = readMinutes([form]);

  it("counts each of the past seven days and nothing before", () => {
    const lines = [line(23, "lt5"), line(23, "gt60"), line(17, "15_30"), line(16, "15_30")];
    const week = summarizeWeek(lines, minutes, end);
    assert.deepEqual(
      week.map(({ count }) => count),
      [1, 0, 0, 0, 0, 0, 2],
    );
    assert.equal(week[0]!.date.getDate(), 17);
    assert.equal(week[0]!.minutes, 22);
    assert.equal(week[6]!.minutes, 78);
  });

  it("takes no time for an answer that it does not know, nor a record that is not finished", () => {
    const week = summarizeWeek(
      [line(23, "ages"), { ...line(23, "gt60"), finishedAt: "" }],
      minutes,
      end,
    );
    assert.equal(week[6]!.count, 1);
    assert.equal(week[6]!.minutes, 0);
  });

  it("counts what stands: each record once, and nothing that was taken back", () => {
    const correction = line(23, "gt60", { id: "c", root: "17/lt5", state: "waiting" });
    const lines = [
      correction,
      line(22, "gt60", { root: "gone" }), // of a record from before
      line(21, "gt60", { state: "deleted" }),
      line(20, "gt60", { state: "kept", isEnded: true }),
      line(19, "", { form: "fieldapp.handover" }),
      line(18, "15_30", { state: "kept" }), // the centre has it, and looks at it
      line(17, "lt5"),
    ];
    const week = summarizeWeek(lines, minutes, end);
    assert.deepEqual(week.map(({ count, minutes: long }) => [count, long]).slice(0, 2), [
      [1, 75],
      [1, 22],
    ]);
    assert.equal(
      week.reduce((sum, { count }) => sum + count, 0),
      2,
    );
  });

  it("says nothing of days of which the phone has forgotten records", () => {
    const week = summarizeWeek([line(23, "lt5"), line(22, "lt5")], minutes, end, 1);
    assert.deepEqual(
      week.map(({ count }) => count),
      [1],
    );
  });

  it("is said in round words", () => {
    assert.equal(formatAbout(0), "");
    assert.equal(formatAbout(59), "about 59 min");
    assert.equal(formatAbout(60), "about 1 h");
    assert.equal(formatAbout(100), "about 2 h");
  });

  it("is for the worker alone, and has no bars while there is nothing", async () => {
    const { shown } = await openScreen(<Week />);
    assert.match(shown.text, /Only you see this\. 0 records\./);
    assert.equal(shown.has(".week"), false);
    const finishedAt = new Date().toISOString();
    const lines = [
      { id: "1", seq: 1, state: "waiting" as const, form: "f", finishedAt, minutes: "lt5" },
    ];
    const busy = (await openScreen(<Week />, { lines, forms: [form] })).shown;
    assert.match(busy.text, /1 record, about 3 min\./);
    assert.equal(busy.all(".week li").length, 7);
  });
});

describe("today", () => {
  const draft = {
    id: "d1",
    form: "encounter",
    version: "1",
    changedAt: Date.now(),
    page: 0,
    answers: {},
  };

  it("says that no forms have come yet", async () => {
    const { shown } = await openScreen(<Today />);
    assert.match(shown.text, /No forms on this phone yet/);
  });

  it("leads to what is not finished, and to a new record", async () => {
    const forms = [{ ...formCalled("encounter", "Encounter"), role: "encounter" }];
    const { shown } = await openScreen(<Today />, { forms, drafts: [draft] });
    const links = shown.all("a").map((link) => link.getAttribute("href"));
    assert.ok(links.includes("#/fill/d1"));
    assert.ok(links.includes("#/new"));
    assert.match(shown.text, /\+ Log an encounter/);
  });

  it("shows what was sent back in one list only, begun or not", async () => {
    const forms = [formCalled("encounter", "Encounter")];
    const corrections = ["r1", "r2"].map((root) => ({ ...draft, id: root, root }));
    const record = { form: "encounter", version: "1", answers: {}, heads: [], day: "2026-11-20" };
    const todo = { r1: { ...record, state: "returned" as const, comment: "Alone?" } };
    const back = await openScreen(<Today />, { forms, drafts: corrections, book: { todo } });
    const links = back.shown.all("section[aria-labelledby=drafts] a");
    assert.deepEqual(
      links.map((link) => link.getAttribute("href")),
      ["#/fill/r2"], // the other stands under what was sent back
    );
  });

  it("is where the tabs say that one is", async () => {
    const { shown } = await openScreen(<Today />);
    assert.equal(shown.find("[aria-current=page]").textContent, "Today");
  });
});

describe("a record that was erased", () => {
  it("is told in one sentence, until the worker has read it", async () => {
    const { shown, app } = await openScreen(<Today />, { book: { erased: 2 } });
    await until(() => shown.text.includes("2 records that you had begun were erased"));
    await changeCaseload(app.vault, (caseload) => ({ ...caseload, erased: 2 }));
    await shown.click("OK");
    await until(async () => (await readCaseload(app.vault)).erased === 0);
    const none = await openScreen(<Today />);
    assert.doesNotMatch(none.shown.text, /erased/);
  });
});

describe("a phone that joined in the worker's name", () => {
  const joined = [
    { device: "d1", label: "Firefox, Android", at: "2026-11-30T12:00:00+00:00" },
    { device: "d2", label: "iPhone", at: "2026-11-30T13:00:00+00:00" },
  ];

  it("is told until the worker has read it, each by itself", async () => {
    const { shown, app } = await openScreen(<Today />, { account: { joined } });
    await until(() => shown.all(".state.danger").length === 2);
    assert.match(shown.find(".state.danger").textContent, /in your name: Firefox, Android/);
    await shown.click("It was me");
    await until(() => app.vault.account.seenPhones?.join() === "d1");
    const again = await openScreen(<Today />, { account: { joined, seenPhones: ["d1"] } });
    await until(() => again.shown.all(".state.danger").length === 1);
    assert.match(again.shown.find(".state.danger").textContent, /iPhone/);
  });

  it("is not told where there is none", async () => {
    const { shown } = await openScreen(<Today />, { account: { seenPhones: ["d1"] } });
    assert.doesNotMatch(shown.text, /joined in your name/);
  });
});

describe("open incidents", () => {
  const rows: Row[] = [{ type: "select_one", name: "what", choices: "kinds" }];
  const incident = makeForm(rows, {
    id: "incident",
    role: "incident",
    summary: { kind: "/data/what" },
    choices: { kinds: [{ name: "shots", label: { en: "Shots" } }] },
  });
  const later = makeForm([], { id: "later", role: "incident_follow_up" });
  const about = { form: "incident", from: "2026-11-02", kind: "shots", area: "" };

  it("stay in sight with what they were, and lead to what is new", async () => {
    const book = { open: { a: about } };
    const { shown } = await openScreen(<OpenIncidents />, { book, forms: [incident, later] });
    assert.match(shown.find(".item").textContent, /^Shots Nov 2$/);
    assert.equal(shown.find(".item a").getAttribute("href"), "#/start/later/%7C/a");
  });

  it("are not shown where the centre has no form for what is new", async () => {
    const book = { open: { a: about } };
    assert.equal((await openScreen(<OpenIncidents />, { book, forms: [incident] })).shown.text, "");
  });

  it("stand among what is due while something of them is", () => {
    const open = { a: about, b: { ...about, from: "2026-11-05" }, c: about };
    const due = [
      { ...dueIn(0, ""), id: "a/2026-11-23" },
      { ...dueIn(3, ""), id: "c/2026-11-26" },
    ];
    const listed = listOpen({ ...NO_CASELOAD, open, due }, dayFromNow(0));
    assert.deepEqual(
      listed.map(([root]) => root),
      ["b", "c"],
    );
  });
});

describe("a shift", () => {
  const rows: Row[] = [
    { type: "dateTime", name: "from" },
    { type: "dateTime", name: "to" },
  ];
  const summary = { shift_start: "/data/from", shift_end: "/data/to" };
  const form = makeForm(rows, { id: "shift", role: "shift", summary });

  const makeDraft = (from: string, to: string): Draft => {
    const answers = { from: from.slice(0, 23), to };
    return { id: "d", form: "shift", version: "1", changedAt: 1, page: 0, answers };
  };

  it("is not offered where the centre has no form for it", async () => {
    assert.equal((await openScreen(<ShiftLine />)).shown.text, "");
    const without = makeForm(rows, { id: "shift", role: "shift" });
    assert.equal((await openScreen(<ShiftLine />, { forms: [without] })).shown.text, "");
  });

  it("begins with one tap, is kept on the phone and sends nothing", async () => {
    const { shown, app, calls } = await openScreen(<ShiftLine />, { forms: [form] });
    await shown.click("Start shift");
    await until(() => calls.includes("refresh"));
    const { shift } = await readCaseload(app.vault);
    assert.ok(Math.abs(Date.parse(shift) - Date.now()) < 60_000);
    assert.ok(!calls.includes("exchange"));
  });

  it("says since when it is on, and ends in its form, or in the draft that was begun", async () => {
    const book = { shift: formatLocalTime(new Date(Date.now() - 60_000)) };
    const { shown } = await openScreen(<ShiftLine />, { forms: [form], book });
    assert.match(shown.text, /On shift since \d/);
    await shown.click("Stop");
    await until(() => location.hash === "#/start/shift");
    const draft = makeDraft(book.shift, "");
    const again = await openScreen(<ShiftLine />, { forms: [form], book, drafts: [draft] });
    await again.shown.click("Stop");
    await until(() => location.hash === "#/fill/d");
  });

  it("does not end in a draft of another shift", async () => {
    const book = { shift: formatLocalTime(new Date(Date.now() - 60_000)) };
    const draft = makeDraft(formatLocalTime(new Date(Date.now() - 3_600_000)), "");
    const { shown } = await openScreen(<ShiftLine />, { forms: [form], book, drafts: [draft] });
    await shown.click("Stop");
    await until(() => location.hash === "#/start/shift");
  });

  const stopAgain = async (presets: string[], hours = 4): Promise<string> => {
    const shift = formatLocalTime(new Date(Date.now() - hours * 3_600_000));
    const draft = { ...makeDraft(shift, "2026-11-23T22:18:00.000"), presets };
    const options = {
      forms: [form],
      book: { shift },
      drafts: [draft],
      arrange: (vault: Vault) => saveDraft(vault, draft),
    };
    const { shown, app } = await openScreen(<ShiftLine />, options);
    await shown.click("Stop");
    await until(() => location.hash === "#/fill/d");
    return (await openDraft(app.vault, "d"))!.answers["to"] as string;
  };

  it("ends now again when it is stopped later, unless the worker said when", async () => {
    const end = Date.parse(await stopAgain(["from", "to"]));
    assert.ok(Math.abs(end - Date.now()) < 60_000);
    assert.equal(await stopAgain(["from"]), "2026-11-23T22:18:00.000");
    assert.equal(await stopAgain(["from", "to"], 17), "");
  });

  it("can be undone, when somebody is sure", async () => {
    const book = { shift: formatLocalTime(new Date()) };
    const { shown, app, calls } = await openScreen(<ShiftLine />, { forms: [form], book });
    await changeCaseload(app.vault, (caseload) => ({ ...caseload, ...book }));
    await shown.click("Undo the start of the shift");
    await until(() => calls.includes("refresh"));
    assert.equal((await readCaseload(app.vault)).shift, "");
  });
});
