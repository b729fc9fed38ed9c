/**
 * The board keeps itself up to date: it asks every few seconds and gets nothing while nothing has changed. The line above it
 * speaks of what is shown: it says "up to date" only while nothing that was heard is held back.
 */

import { redraw } from "./redraw";

const EVERY = 3000; // milliseconds
const LONGEST = 30_000;
const PATIENCE = 10_000;
const LATE = 10_000; // older than this, what is shown is no longer called up to date while the board asks again

type Kind = "opened" | "asking" | "fresh" | "waiting" | "lost" | "ended";
const LOOKS: Record<Kind, string> = {
  opened: "state",
  asking: "state",
  fresh: "state safe",
  waiting: "state wait",
  lost: "state danger",
  ended: "state danger",
};

const board = document.getElementById("board");
const state = document.getElementById("board-state");

function start(place: HTMLElement, line: HTMLElement): void {
  const [words, show, signIn, said] = ["words", "show", "sign-in", "said"].map((name) =>
    document.getElementById(`board-${name}`),
  ) as [HTMLElement, HTMLElement, HTMLElement, HTMLElement];
  let mark = "";
  let pause = EVERY;
  let timer = 0;
  let kind: Kind = "opened";
  let heard = new Date(); // when the centre last answered
  let held = ""; // the newest content, while a part of it is not shown
  let isAsking = false;

  function tell(next: Kind): void {
    const clock = heard.toLocaleTimeString(document.documentElement.lang, {
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    });
    const text = (line.dataset[next] ?? "").replace("{time}", clock);
    words.className = LOOKS[next];
    words.textContent = text;
    show.hidden = next !== "waiting";
    signIn.hidden = next !== "ended";
    if (next !== kind && next !== "asking") said.textContent = text; // read out when it changes, not every time
    kind = next;
  }

  /** The list in which somebody is just choosing: it is not taken out of their hands. */
  function inUse(): HTMLElement | null {
    const focused = document.activeElement;
    return focused instanceof HTMLSelectElement && place.contains(focused) ? focused.form : null;
  }

  function put(text: string, kept: HTMLElement | null): void {
    const fresh = new DOMParser().parseFromString(text, "text/html").body;
    if (!fresh.querySelector("#board-incidents")) throw new Error("not the board"); // somebody else answered
    held = redraw(place, fresh, kept) ? "" : text;
  }

  async function hear(answer: Response): Promise<void> {
    if (answer.status !== 304) {
      if (!answer.ok) throw new Error(String(answer.status));
      put(await answer.text(), inUse());
      mark = answer.headers.get("ETag") ?? "";
    } else if (held && !inUse()) {
      put(held, null);
    }
    heard = new Date();
    pause = EVERY;
    tell(held ? "waiting" : "fresh");
  }

  async function ask(): Promise<void> {
    if (isAsking) return;
    isAsking = true;
    clearTimeout(timer);
    if (kind === "fresh" && Date.now() - heard.getTime() > LATE) tell("asking");
    try {
      const answer = await fetch(place.dataset["now"]!, {
        headers: mark ? { "If-None-Match": mark } : {},
        signal: AbortSignal.timeout(PATIENCE),
        redirect: "error",
      });
      if (answer.status === 401 || answer.status === 403) {
        pause = LONGEST;
        tell("ended");
      } else await hear(answer);
    } catch {
      pause = Math.min(LONGEST, pause * 2);
      tell("lost");
    }
    isAsking = false;
    if (document.visibilityState === "visible") timer = setTimeout(() => void ask(), pause) as unknown as number;
  }

  show.addEventListener("click", () => {
    if (held) put(held, null);
    const isOld = Date.now() - heard.getTime() > LATE; // a request may be running for long: what it brings is not here yet
    tell(isOld ? "asking" : "fresh");
    if (isOld) void ask();
    place.focus();
  });
  for (const name of ["visibilitychange", "online"])
    (name === "online" ? window : document).addEventListener(name, () => {
      if (document.visibilityState === "visible") void ask();
    });
  void ask();
}

if (board && state) start(board, state);
