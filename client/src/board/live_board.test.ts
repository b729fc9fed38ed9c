import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { dispatch, installPage, showHtml, until, type Shown } from "../../test/page";
import { setGlobal } from "../../test/browser";
import { LiveBoard } from "./live_board";
import { redraw } from "./redraw";
import { StatusLine } from "./status_line";

const OPTIONS = "<option value=''>-</option><option value=a>A</option><option value=b>B</option>";

const incident = (id: string, options = OPTIONS, revision = 1): string => `
  <article id="incident-${id}"><h2>Incident ${id}</h2>
    <form id="form-${id}">
      <input type="hidden" name="revision" value="${revision}"><select id="to-${id}">${options}</select>
    </form>
    <details id="more-${id}"><summary>More</summary>Details</details>
  </article>`;

const contentOf = (...incidents: string[]): string =>
  `<section id="board-incidents">${incidents.join("")}</section>`;

const PAGE = `
  <div id="board-state" data-fresh="Shows all up to, {time}" data-asking="Asking, {age} old"
    data-waiting="There is a new version" data-lost="No connection" data-ended="Signed out">
    <p id="board-words">Read when opened</p><button id="board-show" hidden>Show it now</button>
    <a id="board-sign-in" hidden>Sign in again</a><p id="board-said"></p>
  </div>
  <p id="board-news" data-words="New: {what}"></p><div id="board-refusals"></div>
  <p id="board-undone" data-words="Not saved" hidden></p>
  <div id="board" tabindex="-1" data-now="/board/now">${contentOf(incident("1"))}</div>`;

let tick: () => void; // what the board does each second
let answer: () => Response;
let asked: Record<string, string>[];

const fresh = (html: string, version = '"2"'): Response =>
  new Response(html, { status: 200, headers: { ETag: version } });
const unchanged = (): Response => new Response(null, { status: 304 });

async function open(): Promise<Shown> {
  const shown = showHtml(PAGE);
  const line = new StatusLine(document.getElementById("board-state")!);
  new LiveBoard(document.getElementById("board")!, line);
  await until(() => shown.find("#board-words").textContent !== "Read when opened");
  return shown;
}

/** Ask the centre now, as when the network comes back. */
async function askNow(shown: Shown): Promise<void> {
  const before = asked.length;
  await until(() => {
    dispatch(document, "visibilitychange");
    return asked.length > before;
  });
  await until(() => shown.has("#board-words"));
  await new Promise((done) => setTimeout(done, 10));
}

/** Each board listens for ever: it must not hear what other tests do with the page they share. */
let listeners: [name: string, hear: EventListener][] = [];
type Listen = (name: string, hear: EventListener) => void;

function noteListeners(): void {
  const listen = (Object.getPrototypeOf(document) as { addEventListener: Listen }).addEventListener;
  const note: Listen = (name, hear) => {
    listeners.push([name, hear]);
    listen.call(document, name, hear);
  };
  Object.defineProperty(document, "addEventListener", { value: note, configurable: true });
}

afterEach(() => {
  for (const [name, hear] of listeners) document.removeEventListener(name, hear);
  listeners = [];
  Reflect.deleteProperty(document, "addEventListener");
});

const words = (shown: Shown): string => shown.find("#board-words").textContent!;
const titles = (shown: Shown): string[] => shown.texts("h2");

beforeEach(() => {
  installPage();
  setGlobal("scrollBy", () => undefined);
  // The board asks when a test lets it (askNow), not by itself some seconds later.
  const start = globalThis.setTimeout;
  setGlobal("setTimeout", (run: () => void, wait = 0) => (wait < 3000 ? start(run, wait) : 0));
  setGlobal("setInterval", (run: () => void) => {
    tick = run;
    return 0;
  });
  Object.defineProperty(document, "visibilityState", { value: "visible", configurable: true });
  noteListeners();
  asked = [];
  answer = unchanged;
  globalThis.fetch = (_, options) => {
    asked.push({ ...(options!.headers as Record<string, string>) });
    return Promise.resolve(answer());
  };
});

describe("the board", () => {
  it("asks as soon as it is open, and says up to when it shows everything", async () => {
    const shown = await open();
    assert.match(words(shown), /^Shows all up to, \d/);
    assert.equal(shown.find("#board-words").className, "state safe");
  });

  it("shows a new incident, and names the version that it has from then on", async () => {
    answer = () => fresh(contentOf(incident("1"), incident("2")));
    const shown = await open();
    assert.deepEqual(titles(shown), ["Incident 1", "Incident 2"]);
    answer = unchanged;
    await askNow(shown);
    assert.deepEqual(asked.at(-1), { "If-None-Match": '"2"' });
  });

  it("says that the connection is lost, and recovers", async () => {
    const shown = await open();
    answer = () => {
      throw new TypeError("no network");
    };
    await askNow(shown);
    assert.equal(words(shown), "No connection");
    answer = unchanged;
    await askNow(shown);
    assert.match(words(shown), /^Shows all up to/);
  });

  it("says how old it is once that is not seconds, as after a sleep", async () => {
    const shown = await open();
    const now = Date.now;
    globalThis.fetch = () => new Promise<Response>(() => undefined); // no answer yet
    try {
      Date.now = () => now() + 12 * 60_000;
      tick();
      assert.equal(words(shown), "Asking, 12 min old");
    } finally {
      Date.now = now;
    }
  });

  it("counts in the title what nobody has seen, and reads out what is new", async () => {
    document.title = "Board";
    const unseen = incident("2").replace("<article", "<article data-new='Shooting, Mill'");
    const shown = await open();
    assert.equal(document.title, "Board");
    answer = () => fresh(contentOf(unseen, incident("1")));
    await askNow(shown);
    assert.equal(document.title, "(1) Board");
    assert.equal(shown.find("#board-news").textContent, "New: Shooting, Mill");
    answer = () => fresh(contentOf(incident("2"), incident("1")), '"3"');
    await askNow(shown);
    assert.equal(document.title, "Board");
  });

  it("writes how long ago something was, and goes on without the centre", async () => {
    const now = Date.now();
    const time = `<time data-age datetime="${new Date(now - 3 * 3_600_000).toISOString()}"></time>`;
    answer = () =>
      fresh(contentOf(`<p data-now="${new Date(now).toISOString()}">${time}</p>`, incident("1")));
    const shown = await open();
    tick();
    assert.equal(shown.find("time").textContent, "3 hr");
  });

  it("does not take another page for the board", async () => {
    const shown = await open();
    answer = () => fresh("<p>Accept the terms of this hotel</p>");
    await askNow(shown);
    assert.equal(words(shown), "No connection");
    assert.deepEqual(titles(shown), ["Incident 1"]);
  });

  it("asks to sign in again once the session has ended", async () => {
    const shown = await open();
    answer = () => new Response("", { status: 401 });
    await askNow(shown);
    assert.equal(words(shown), "Signed out");
    assert.equal(shown.find("#board-sign-in").hidden, false);
  });

  it("holds nothing back from who is not choosing", async () => {
    const shown = await open();
    answer = () => fresh(contentOf(incident("1", "<option>Gone</option>")));
    await askNow(shown);
    assert.match(words(shown), /^Shows all up to/);
  });

  it("leaves a list in use alone, says that something waits, and shows it when asked", async () => {
    const shown = await open();
    const list = shown.find<HTMLSelectElement>("#to-1");
    list.focus();
    answer = () => fresh(contentOf(incident("1", "<option>C</option>"), incident("2")));
    await askNow(shown);
    assert.equal(shown.find("#to-1"), list);
    assert.deepEqual(titles(shown), ["Incident 1", "Incident 2"]);
    assert.equal(words(shown), "There is a new version");
    assert.equal(shown.find("#board-show").hidden, false);
    shown.find("#board-show").click();
    assert.match(words(shown), /^Shows all up to/);
    assert.equal(shown.find("#to-1").textContent, "C");
  });
});

describe("drawing the board again", () => {
  const draw = (html: string, inUse: HTMLElement | null = null): boolean => {
    const body = new DOMParser().parseFromString(html, "text/html").body;
    return redraw(document.getElementById("board")!, body, inUse);
  };

  it("keeps open what is open, and chosen what is chosen", () => {
    const shown = showHtml(PAGE);
    shown.find<HTMLDetailsElement>("#more-1").setAttribute("open", "");
    shown.find<HTMLSelectElement>("#to-1").value = "b";
    assert.equal(draw(contentOf(incident("0"), incident("1"))), true);
    assert.equal(shown.find("#more-1").hasAttribute("open"), true);
    assert.equal(shown.find<HTMLSelectElement>("#to-1").value, "b");
  });

  it("goes on naming the state in which something was chosen, until its chooser was told", () => {
    const shown = showHtml(PAGE);
    const readMark = (): string => shown.find<HTMLInputElement>("[name=revision]").value;
    shown.find<HTMLSelectElement>("#to-1").value = "b";
    draw(contentOf(incident("1", OPTIONS, 7)));
    assert.equal(readMark(), "1");
    const body = new DOMParser().parseFromString(contentOf(incident("1", OPTIONS, 8)), "text/html");
    const board = document.getElementById("board")!;
    redraw(board, body.body, null, { form: "form-1", isDone: false });
    assert.equal(readMark(), "8");
    assert.equal(shown.find<HTMLSelectElement>("#to-1").value, "b");
  });

  it("does not choose what a list no longer offers", () => {
    const shown = showHtml(PAGE);
    shown.find<HTMLSelectElement>("#to-1").value = "b";
    draw(contentOf(incident("1", "<option value=''>-</option><option value=a>A</option>")));
    assert.equal(shown.find<HTMLSelectElement>("#to-1").value, "");
  });

  it("keeps the focus where it is", () => {
    const shown = showHtml(PAGE);
    shown.find("#to-1").focus();
    draw(contentOf(incident("1")));
    assert.equal(document.activeElement, shown.find("#to-1"));
  });

  it("leaves a form in use the state that its user saw, without moving it", () => {
    const shown = showHtml(PAGE);
    const form = shown.find("#form-1");
    assert.equal(draw(contentOf(incident("0"), incident("1", OPTIONS, 7)), form), true);
    assert.equal(shown.find("#form-1"), form);
    assert.equal(form.querySelector<HTMLInputElement>("[name=revision]")!.value, "1");
    assert.deepEqual(titles(shown), ["Incident 0", "Incident 1"]);
  });

  it("says that not all of it is shown when the form in use is gone, or offers other things", () => {
    const shown = showHtml(PAGE);
    assert.equal(
      draw(contentOf(incident("1", "<option>C</option>")), shown.find("#form-1")),
      false,
    );
    assert.equal(draw(contentOf(incident("2")), shown.find("#form-1")), false);
    assert.equal(shown.has("#form-1"), true);
  });
});
