/** The board keeps itself up to date: it asks every few seconds, gets nothing while nothing has changed, and says when it is cut off. */

const EVERY = 3000; // milliseconds
const LONGEST = 30_000;
const PATIENCE = 10_000;

const board = document.getElementById("board");
const state = document.getElementById("board-state");

function start(place: HTMLElement, said: HTMLElement): void {
  let mark = "";
  let pause = EVERY;
  let timer = 0;
  let lost: Date | null = null;
  const clock = (when: Date): string =>
    when.toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", second: "2-digit" });

  function tell(isFine: boolean): void {
    const words = said.dataset[isFine ? "fresh" : "lost"] ?? "";
    const text = words.replace("{time}", clock(isFine ? new Date() : (lost ?? new Date())));
    const shown = said.firstElementChild as HTMLElement;
    const kind = `state ${isFine ? "safe" : "danger"}`;
    if (shown.className !== kind)
      said.setAttribute("role", "status"); // read out when it changes, not every time
    else said.removeAttribute("role");
    shown.className = kind;
    shown.textContent = text;
  }

  /** Whether somebody is just choosing something: then the page waits with what is new. */
  const isBusy = (): boolean => place.contains(document.activeElement) && document.activeElement?.tagName === "SELECT";

  async function ask(): Promise<void> {
    clearTimeout(timer);
    try {
      const answer = await fetch(place.dataset["now"]!, {
        headers: mark ? { "If-None-Match": mark } : {},
        signal: AbortSignal.timeout(PATIENCE),
        redirect: "error",
      });
      if (answer.status !== 304) {
        if (!answer.ok) throw new Error(String(answer.status));
        const text = await answer.text();
        if (!isBusy()) {
          const open = [...place.querySelectorAll<HTMLDetailsElement>("details[open]")].map((one) => one.id);
          const focused = (document.activeElement as HTMLElement | null)?.id;
          place.replaceChildren(...new DOMParser().parseFromString(text, "text/html").body.childNodes);
          for (const id of open) document.getElementById(id)?.setAttribute("open", "");
          if (focused) document.getElementById(focused)?.focus();
          mark = answer.headers.get("ETag") ?? "";
        }
      }
      lost = null;
      pause = EVERY;
      tell(true);
    } catch {
      lost ??= new Date();
      pause = Math.min(LONGEST, pause * 2);
      tell(false);
    }
    if (document.visibilityState === "visible") timer = setTimeout(() => void ask(), pause) as unknown as number;
  }

  for (const name of ["visibilitychange", "online"])
    (name === "online" ? window : document).addEventListener(name, () => {
      if (document.visibilityState === "visible") void ask();
    });
  void ask();
}

if (board && state) start(board, state);
