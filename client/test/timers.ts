/** Timers that run when a test says so. */

import { setGlobal } from "./browser";

interface Timer {
  id: number;
  at: number;
  run: () => void;
}

const real = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout };

export class Timers {
  private now = 0;
  private lastId = 0;
  private waiting: Timer[] = [];

  /** Take the place of the real timers, until `release`. */
  constructor() {
    setGlobal("setTimeout", (run: () => void, wait = 0) => {
      const id = ++this.lastId;
      this.waiting.push({ id, at: this.now + wait, run });
      return id;
    });
    setGlobal("clearTimeout", (id: number | undefined) => {
      this.waiting = this.waiting.filter((timer) => timer.id !== id);
    });
  }

  /** Let time pass; what is due runs in its order. */
  tick(milliseconds: number): void {
    this.now += milliseconds;
    const due = this.waiting.filter((timer) => timer.at <= this.now);
    this.waiting = this.waiting.filter((timer) => timer.at > this.now);
    for (const timer of due.sort((a, b) => a.at - b.at)) timer.run();
  }

  /** How long until the next one runs; null when nothing waits. */
  get next(): number | null {
    if (this.waiting.length === 0) return null;
    return Math.min(...this.waiting.map((timer) => timer.at)) - this.now;
  }

  release(): void {
    setGlobal("setTimeout", real.setTimeout);
    setGlobal("clearTimeout", real.clearTimeout);
  }
}

/** Let promises come to rest; timers stand still. */
export async function rest(): Promise<void> {
  for (let round = 0; round < 20; round++) await Promise.resolve();
}
