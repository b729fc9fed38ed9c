/** The line above the board: how old what is on it is, in words that the page carries. */

import { formatAge } from "./ages";

export type Status = "opened" | "asking" | "fresh" | "waiting" | "lost" | "ended";

const LOOKS: Record<Status, string> = {
  opened: "state",
  asking: "state wait",
  fresh: "state safe",
  waiting: "state wait",
  lost: "state danger",
  ended: "state danger",
};

export class StatusLine {
  status: Status = "opened";
  readonly showButton = document.getElementById("board-show")!;
  private readonly words = document.getElementById("board-words")!;
  private readonly signIn = document.getElementById("board-sign-in")!;
  private readonly spoken = document.getElementById("board-said")!;
  private answeredAt = Date.now();

  /**
   * `line` has a sentence for each status in its data; {time} is when the centre answered, {age}
   * how long ago that was.
   */
  constructor(private readonly line: HTMLElement) {}

  show(status: Status, answeredAt: number): void {
    this.answeredAt = answeredAt;
    const text = this.write(status);
    this.words.className = LOOKS[status];
    this.words.textContent = text;
    this.showButton.hidden = status !== "waiting";
    this.signIn.hidden = status !== "ended";
    // Read out when it changes, not every time.
    if (status !== this.status && status !== "asking") this.spoken.textContent = text;
    this.status = status;
  }

  /** Write again how old it is: that changes while nothing else does. */
  tick(): void {
    if (this.status === "opened") return;
    const text = this.write(this.status);
    if (this.words.textContent !== text) this.words.textContent = text;
  }

  private write(status: Status): string {
    const time = {
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      hourCycle: "h23",
    } as const;
    const clock = new Date(this.answeredAt).toLocaleTimeString(document.documentElement.lang, time);
    const age = formatAge(Date.now() - this.answeredAt);
    return (this.line.dataset[status] ?? "").replace("{time}", clock).replace("{age}", age);
  }
}
