/** What nobody has seen yet: in the title, read out, and heard until somebody has seen it. */

import type { Sound } from "./sound";

const AGAIN = 30_000; // milliseconds

export class News {
  private readonly title = document.title;
  private readonly line = document.getElementById("board-news");
  private unseen = new Map<string, string>(); // what it is, by the id of its card
  private ringing = new Set<string>(); // came after the page was opened
  private rangAt = 0;

  constructor(
    private readonly place: HTMLElement,
    private readonly sound: Sound,
  ) {
    this.unseen = this.read();
    this.showCount();
  }

  /** Look at what is on the board now, which was drawn again. */
  look(): void {
    const before = this.unseen;
    this.unseen = this.read();
    const fresh = [...this.unseen].filter(([id]) => !before.has(id));
    for (const [id] of fresh) this.ringing.add(id);
    for (const id of this.ringing) if (!this.unseen.has(id)) this.ringing.delete(id);
    if (fresh.length > 0) {
      this.tell(fresh.map(([, what]) => what).join("; "));
      this.ring();
    }
    this.showCount();
  }

  /** Ring again while something that came has not been seen by anybody. */
  remind(): void {
    if (this.ringing.size > 0 && Date.now() - this.rangAt >= AGAIN) this.ring();
  }

  private read(): Map<string, string> {
    const cards = [...this.place.querySelectorAll<HTMLElement>("[data-new]")];
    return new Map(cards.map((card) => [card.id, card.dataset["new"]!]));
  }

  private ring(): void {
    this.rangAt = Date.now();
    this.sound.ring();
  }

  private tell(what: string): void {
    if (this.line) {
      this.line.textContent = (this.line.dataset["words"] ?? "").replace("{what}", () => what);
    }
  }

  private showCount(): void {
    const count = this.unseen.size;
    document.title = count > 0 ? `(${count}) ${this.title}` : this.title;
  }
}
