/**
 * The board keeps itself up to date: it asks every few seconds and gets nothing while nothing has
 * changed. The line above it speaks of what is on the board: it says "up to date" only while
 * nothing that came is held back.
 */

import { redraw } from "./redraw";
import type { StatusLine } from "./status_line";

const EVERY = 3000; // milliseconds
const LONGEST = 30_000;
const PATIENCE = 10_000;
const LATE = 10_000; // older than this, the board is not called up to date while it asks again

export class LiveBoard {
  private version = ""; // of what came last, as the centre names it
  private pause = EVERY;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private answeredAt = new Date();
  private heldBack = ""; // the newest content, while a part of it is not on the board
  private isAsking = false;

  constructor(
    private readonly place: HTMLElement,
    private readonly line: StatusLine,
  ) {
    line.showButton.addEventListener("click", () => this.showHeldBack());
    document.addEventListener("visibilitychange", () => this.askIfSeen());
    addEventListener("online", () => this.askIfSeen());
    void this.ask();
  }

  private askIfSeen(): void {
    if (document.visibilityState === "visible") void this.ask();
  }

  private showHeldBack(): void {
    if (this.heldBack) this.draw(this.heldBack, null);
    // A request may be running for long: what it brings is not here yet.
    const isOld = Date.now() - this.answeredAt.getTime() > LATE;
    this.line.show(isOld ? "asking" : "fresh", this.answeredAt);
    if (isOld) void this.ask();
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
    // Something else answered, such as a page that wants a sign-in.
    if (!fresh.querySelector("#board-incidents")) throw new Error("not the board");
    this.heldBack = redraw(this.place, fresh, inUse) ? "" : text;
  }

  private async take(answer: Response): Promise<void> {
    if (answer.status !== 304) {
      if (!answer.ok) throw new Error(String(answer.status));
      this.draw(await answer.text(), this.findFormInUse());
      this.version = answer.headers.get("ETag") ?? "";
    } else if (this.heldBack && !this.findFormInUse()) {
      this.draw(this.heldBack, null);
    }
    this.answeredAt = new Date();
    this.pause = EVERY;
    this.line.show(this.heldBack ? "waiting" : "fresh", this.answeredAt);
  }

  private async ask(): Promise<void> {
    if (this.isAsking) return;
    this.isAsking = true;
    clearTimeout(this.timer);
    const age = Date.now() - this.answeredAt.getTime();
    if (this.line.status === "fresh" && age > LATE) this.line.show("asking", this.answeredAt);
    try {
      const answer = await fetch(this.place.dataset["now"]!, {
        headers: this.version ? { "If-None-Match": this.version } : {},
        signal: AbortSignal.timeout(PATIENCE),
        redirect: "error",
      });
      if (answer.status === 401 || answer.status === 403) {
        this.pause = LONGEST;
        this.line.show("ended", this.answeredAt);
      } else await this.take(answer);
    } catch {
      this.pause = Math.min(LONGEST, this.pause * 2);
      this.line.show("lost", this.answeredAt);
    }
    this.isAsking = false;
    if (document.visibilityState !== "visible") return;
    this.timer = setTimeout(() => void this.ask(), this.pause);
  }
}
