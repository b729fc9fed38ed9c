import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { makeForm } from "../../../test/forms";
import { until } from "../../../test/page";
import { openScreen, type ScreenOptions } from "../../../test/screen";
import { type Assignment, type Caseload, readCaseload } from "../../storage/caseload";
import { listLines } from "../../storage/outbox";
import { Call } from "./call";
import { Ask, formatAgo, listStates, NEEDS, News } from "./team_later";

const ROOT = "11111111-1111-4111-8111-111111111111";
const rows = [
  { type: "select_one", name: "what", choices: "kinds" },
  { type: "select_one", name: "where", choices: "areas" },
];
const about = {
  summary: { kind: "/data/what", area: "/data/where" },
  choices: { kinds: ["shooting"], areas: ["mount_olive"] },
};
const incident = makeForm(rows, { id: "alert", role: "incident", ...about });
const followUp = makeForm(rows, { id: "what_is_new", role: "incident_follow_up", ...about });
const forms = [incident, followUp];

const assignment: Assignment = {
  id: "22222222-2222-4222-8222-222222222222",
  assigned: new Date(Date.now() - 60_000).toISOString(),
  since: new Date(Date.now() - 40 * 60_000).toISOString(),
  form: "alert",
  from: "2026-11-30",
  kind: "shooting",
  area: "mount_olive",
};
const key = `asked/${ROOT}`;
const open = (options: ScreenOptions["book"] = { told: { [key]: assignment } }) =>
  openScreen(<News />, { forms, book: options });

describe("what the crisis team assigned to a worker", () => {
  it("says what, where and how long ago, and leads to its follow-up", async () => {
    const { shown } = await open();
    assert.match(shown.text, /You were asked to go/);
    assert.match(shown.text, /SHOOTING · MOUNT_OLIVE/);
    assert.match(shown.text, /40 minutes ago/);
    const link = shown.find<HTMLAnchorElement>("a.btn");
    assert.equal(
      link.getAttribute("href"),
      `#/start/what_is_new/${encodeURIComponent("|")}/${ROOT}`,
    );
    assert.ok(shown.has("[role=alert]"));
  });

  it("is seen with one tap, without signal, and then says that the team does not know yet", async () => {
    const screen = await open();
    await screen.shown.click("I have seen it");
    await until(() => screen.calls.includes("exchange"));
    const [line] = await listLines(screen.app.vault);
    assert.equal(line!.form, "fieldapp.seen");
    const book = await readCaseload(screen.app.vault);
    assert.equal(book.seen[ROOT]?.assigned, assignment.assigned);
    const { shown } = await open({ told: { [key]: assignment }, seen: book.seen });
    assert.match(shown.text, /does not know yet/);
    assert.ok(!shown.has("button"));
  });

  it("says once the team knows, and asks again where it was assigned once more", async () => {
    const seen = { [ROOT]: assignment };
    const answered = { ...assignment, seen: new Date().toISOString() };
    assert.match(
      (await open({ told: { [key]: answered } })).shown.text,
      /knows that you have seen it/,
    );
    const again = { ...assignment, assigned: new Date().toISOString() };
    assert.match((await open({ told: { [key]: again }, seen })).shown.text, /You were asked to go/);
  });

  it("tells who had seen it that it is not theirs any more, until they have read that", async () => {
    const screen = await open({ seen: { [ROOT]: assignment } });
    assert.match(screen.shown.text, /No longer yours/);
    await screen.shown.click("OK");
    await until(() => screen.calls.includes("refresh"));
    assert.deepEqual((await readCaseload(screen.app.vault)).seen, {});
  });

  it("names what a colleague asked for in the board's words", async () => {
    const request = { ...assignment, need: "escort", form: undefined, kind: undefined };
    const { shown } = await open({ told: { [`asked/${request.id}`]: request } });
    assert.match(shown.text, /Somebody to go along · MOUNT_OLIVE/);
    assert.ok(!shown.has("a.btn"));
  });
});

describe("the call above other screens", () => {
  const call = (route: string, book: Partial<Caseload>) =>
    openScreen(<Call route={route} />, { book });

  it("leads to Today from wherever the worker is, until they have seen it", async () => {
    const told = { [key]: assignment };
    const { shown } = await call("#/fill/d", { told });
    assert.equal(shown.find("[role=alert] a").getAttribute("href"), "#/today");
    assert.equal((await call("#/today", { told })).shown.text, "");
    assert.equal((await call("#/mine", { told, seen: { [ROOT]: assignment } })).shown.text, "");
    assert.equal((await call("#/mine", {})).shown.text, "");
  });
});

describe("asking the crisis team", () => {
  it("takes a need of the list and a place, and keeps them until the centre has them", async () => {
    const screen = await openScreen(<Ask />, { forms });
    const { shown } = screen;
    shown.find<HTMLSelectElement>("#team-need").value = "escort";
    shown.find<HTMLSelectElement>("#team-area").value = "mount_olive";
    await shown.submit();
    await until(() => screen.calls.includes("exchange"));
    const [line] = await listLines(screen.app.vault);
    const { requests } = await readCaseload(screen.app.vault);
    assert.deepEqual(Object.keys(requests), [line!.id]);
    assert.equal(requests[line!.id]?.need, "escort");
    const lines = await listLines(screen.app.vault);
    const waiting = await openScreen(<News />, { forms, lines, book: { requests } });
    assert.match(waiting.shown.text, /On this phone only/);
    const heard = { need: "escort", area: "", heard: new Date().toISOString() };
    const told = { [`request/${line!.id}`]: heard };
    const after = await openScreen(<News />, { forms, book: { requests, told } });
    assert.match(after.shown.text, /The centre has it/);
    assert.doesNotMatch(after.shown.text, /On this phone only/);
  });

  it("says to call where it was sent and the centre has not got it", async () => {
    const requests = { a: { need: "visit", area: "" } };
    const { shown } = await open({ requests });
    assert.match(shown.text, /Call them/);
    const sent = await open({ requests, finished: 2, heard: 1 });
    assert.match(sent.shown.text, /It was sent/);
  });

  it("says what became of it in order, and forgets what was done long ago", async () => {
    const heard = "2026-11-30T02:10:00Z";
    const states = listStates({ need: "visit", area: "", heard, seen: heard, done: heard });
    assert.deepEqual(
      states.map((state) => state.replace(/:.*/, "")),
      ["The centre has it", "Seen by the crisis team", "Done"],
    );
    const { shown } = await open({
      told: { "request/a": { need: "visit", area: "", heard, done: heard } },
    });
    assert.equal(shown.text, "");
  });
});

describe("how long ago something was", () => {
  it("is said in minutes, then hours, then days", () => {
    const now = Date.parse("2026-11-30T12:00:00Z");
    assert.equal(formatAgo("2026-11-30T11:20:00Z", now), "40 minutes ago");
    assert.equal(formatAgo("2026-11-30T07:00:00Z", now), "5 hours ago");
    assert.equal(formatAgo("2026-11-27T12:00:00Z", now), "3 days ago");
    assert.equal(formatAgo("2026-11-30T12:30:00Z", now), "0 minutes ago");
  });
});

describe("what can be asked for", () => {
  it("has words for each need", () => {
    for (const label of Object.values(NEEDS)) assert.ok(label());
  });
});
