/**
 * Steps are sent without leaving the page, so that the sound stays allowed and what others choose
 * stays chosen. What was not done is said where it was tried.
 */

import type { StepMade } from "./redraw";

const PATIENCE = 15_000; // milliseconds

/** What the board does with an answer. */
export interface Board {
  /** Draw what the centre sent when it was asked. */
  showStep(fragment: HTMLElement, taken: StepMade, askedAt: number): void;
  askAgain(): void;
}

export class Steps {
  private readonly undone = document.getElementById("board-undone");
  private readonly refusals = document.getElementById("board-refusals");

  constructor(
    private readonly place: HTMLElement,
    private readonly board: Board,
  ) {
    place.addEventListener("submit", (event) => {
      event.preventDefault();
      const button = (event as SubmitEvent).submitter as HTMLButtonElement | null;
      void this.send(event.target as HTMLFormElement, button);
    });
  }

  private async send(form: HTMLFormElement, button: HTMLButtonElement | null): Promise<void> {
    if (button?.disabled) return;
    if (button) button.disabled = true;
    this.clear();
    try {
      const askedAt = Date.now();
      const fields = [...new FormData(form)].map(([name, value]) => [name, String(value)]);
      const answer = await fetch(form.action, {
        keepalive: true, // it arrives also where the next page is opened at once
        method: "POST",
        body: new URLSearchParams(fields),
        headers: { "X-Board": "1" },
        redirect: "error",
        signal: AbortSignal.timeout(PATIENCE),
      });
      await this.take(answer, form, askedAt);
    } catch {
      this.sayUndone();
    }
    // Also where its card was drawn again, or came back.
    if (button) button.disabled = false;
  }

  private async take(answer: Response, form: HTMLFormElement, askedAt: number): Promise<void> {
    if (!answer.ok && answer.status !== 409) throw new Error(String(answer.status));
    const fragment = new DOMParser().parseFromString(await answer.text(), "text/html").body;
    const refused = fragment.querySelector<HTMLElement>(".refused");
    refused?.remove();
    this.board.showStep(fragment, { form: form.id, isDone: answer.ok }, askedAt);
    if (refused) this.sayRefused(refused);
  }

  /** In the card that it was tried on, which shows what was done; above all where that is gone. */
  private sayRefused(refused: HTMLElement): void {
    const card = document.getElementById(refused.dataset["of"] ?? "");
    const place = card ?? this.refusals!;
    place.prepend(refused);
    refused.focus();
  }

  private sayUndone(): void {
    if (this.undone) {
      this.undone.textContent = this.undone.dataset["words"] ?? "";
      this.undone.hidden = false;
    }
    this.board.askAgain();
  }

  private clear(): void {
    for (const notice of document.querySelectorAll(".refused")) notice.remove();
    if (this.undone) this.undone.hidden = true;
  }
}
