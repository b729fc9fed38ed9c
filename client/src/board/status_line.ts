/** The line above the board: how old what is on it is, in words that the page carries. */

export type Status = "opened" | "asking" | "fresh" | "waiting" | "lost" | "ended";

const LOOKS: Record<Status, string> = {
  opened: "state",
  asking: "state",
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

  /** `line` has a sentence for each status in its data; {time} is when the centre answered. */
  constructor(private readonly line: HTMLElement) {}

  show(status: Status, answeredAt: Date): void {
    const time = { hour: "2-digit", minute: "2-digit", second: "2-digit" } as const;
    const clock = answeredAt.toLocaleTimeString(document.documentElement.lang, time);
    const text = (this.line.dataset[status] ?? "").replace("{time}", clock);
    this.words.className = LOOKS[status];
    this.words.textContent = text;
    this.showButton.hidden = status !== "waiting";
    this.signIn.hidden = status !== "ended";
    // Read out when it changes, not every time.
    if (status !== this.status && status !== "asking") this.spoken.textContent = text;
    this.status = status;
  }
}
