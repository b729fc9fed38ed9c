/**
 * The board keeps itself up to date: it asks every few seconds and gets nothing while nothing has
 * changed. The line above it speaks of what is on the board: it names a time only while nothing
 * that came is held back, and says how old the board is once that is not seconds.
 */

import { writeAges } from "./ages";
import { News } from "./news";
import { redraw, type StepMade } from "./redraw";
import { Sound } from "./sound";
import type { StatusLine } from "./status_line";
import { Steps } from "./steps";

const EVERY = 3000; // milliseconds
const LONGEST = 30_000;
const PATIENCE = 10_000;
const LATE = 10_000; // older than this, the board says how old it is while it asks again
const TICK = 1000;

export class LiveBoard {
  private version = ""; // of what came last, as the centre names it
  private pause = EVERY;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private answeredAt = Date.now(); // when the centre was asked for what is shown
  private ahead = 0; // milliseconds by which this machine's clock is ahead of the centre's
  private heldBack = ""; // the newest content, while a part of it is not on the board
  private isAsking = false;
  private steps = 0; // how many were taken here: an answer to an earlier question is older
  private readonly news: News;

  constructor(
    private readonly place: HTMLElement,
    private readonly line: StatusLine,
  ) {
    this.news = new News(place, new Sound());
    new Steps(place, this);
    this.readClock();
    line.showButton.addEventListener("click", () => this.showHeldBack());
    document.addEventListener("visibilitychange", () => this.askIfSeen());
    addEventListener("online", () => this.askIfSeen());
    setInterval(() => this.tick(), TICK);
    void this.ask();
  }

  /** What a step changed, or that a colleague was faster. */
  showStep(fragment: HTMLElement, taken: StepMade, askedAt: number): void {
    this.steps += 1;
    this.put(fragment.innerHTML, fragment, null, taken);
    this.version = ""; // what is asked next brings the mark of it
    this.tellShown(askedAt);
  }

  /**
   * Say up to when the board shows everything: up to when the centre was asked. An answer may have
   * waited in a machine that slept.
   */
  private tellShown(askedAt: number): void {
    this.answeredAt = askedAt;
    const shown = this.isOld ? "asking" : "fresh";
    this.line.show(this.heldBack ? "waiting" : shown, askedAt);
  }

  askAgain(): void {
    void this.ask();
  }

  private askIfSeen(): void {
    if (document.visibilityState === "visible") void this.ask();
  }

  private get isOld(): boolean {
    return Date.now() - this.answeredAt > LATE;
  }

  /** Each second: ages go on also without the centre; a machine that slept wakes up here. */
  private tick(): void {
    const clock = document.getElementById("board-clock");
    const time = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;
    if (clock)
      clock.textContent = new Date().toLocaleTimeString(document.documentElement.lang, time);
    writeAges(this.place, this.ahead);
    if (this.line.status === "fresh" && this.isOld) {
      this.line.show("asking", this.answeredAt);
      void this.ask();
    }
    this.line.tick();
    this.news.remind();
  }

  private readClock(): void {
    const clock = this.place.querySelector<HTMLElement>("[data-now]")?.dataset["now"];
    if (clock) this.ahead = Date.now() - Date.parse(clock);
  }

  private showHeldBack(): void {
    if (this.heldBack) this.draw(this.heldBack, null);
    // A request may be running for long: what it brings is not here yet.
    this.line.show(this.isOld ? "asking" : "fresh", this.answeredAt);
    if (this.isOld) void this.ask();
    this.place.focus();
  }

  /** The form in which somebody is just choosing: it is not taken out of their hands. */
  private findFormInUse(): HTMLElement | null {
    const focused = document.activeElement;
    const isList = focused instanceof HTMLSelectElement && this.place.contains(focused);
    return isList ? focused.form : null;
  }

  private draw(text: string, inUse: HTMLElement | null): void {
    const fresh = new DOMParser().parseFromString(text, "text/html").body;
    this.put(text, fresh, inUse);
  }

  private put(text: string, fresh: HTMLElement, inUse: HTMLElement | null, taken?: StepMade): void {
    // Something else answered, such as a page that wants a sign-in.
    if (!fresh.querySelector("#board-incidents")) throw new Error("not the board");
    this.heldBack = redraw(this.place, fresh, inUse, taken) ? "" : text;
    this.news.look();
  }

  private async take(answer: Response, steps: number, askedAt: number): Promise<void> {
    if (answer.status !== 304) {
      if (!answer.ok) throw new Error(String(answer.status));
      const text = await answer.text();
      if (steps !== this.steps) return; // what a step brought since is newer
      this.draw(text, this.findFormInUse());
      this.readClock();
      this.version = answer.headers.get("ETag") ?? "";
    } else if (this.heldBack && !this.findFormInUse()) {
      this.draw(this.heldBack, null);
    }
    this.pause = EVERY;
    this.tellShown(askedAt);
  }

  private async ask(): Promise<void> {
    if (this.isAsking) return;
    this.isAsking = true;
    clearTimeout(this.timer);
    if (this.line.status === "fresh" && this.isOld) this.line.show("asking", this.answeredAt);
    try {
      const { steps } = this;
      const askedAt = Date.now();
      const answer = await fetch(this.place.dataset["now"]!, {
        headers: this.version ? { "If-None-Match": this.version } : {},
        signal: AbortSignal.timeout(PATIENCE),
        redirect: "error",
      });
      if (answer.status === 401 || answer.status === 403) {
        this.pause = LONGEST;
        this.line.show("ended", this.answeredAt);
      } else await this.take(answer, steps, askedAt);
    } catch {
      this.pause = Math.min(LONGEST, this.pause * 2);
      this.line.show("lost", this.answeredAt);
    }
    this.isAsking = false;
    // Also behind other windows: what is new is heard, and counted in the title.
    this.timer = setTimeout(() => void this.ask(), this.pause);
  }
}
