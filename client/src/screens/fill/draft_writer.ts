/**
 * Writes a draft while it is filled in: soon after each answer, one write after the other, none
 * once it is finished.
 */

const PAUSE = 300; // milliseconds after a keystroke before it is written

export type SaveState = "saved" | "saving" | "failed";

export class DraftWriter {
  private writes = Promise.resolve();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private edits = 0;
  private isClosed = false;

  /**
   * @param save writes what the form holds now
   * @param report hears how the newest answer stands
   * @param isTouched whether there is anything to write: an untouched form leaves no draft
   */
  constructor(
    private readonly save: () => Promise<void>,
    private readonly report: (state: SaveState) => void,
    private isTouched: boolean,
  ) {}

  /** There is something to write from now on. */
  touch(): void {
    this.isTouched = true;
  }

  /** An answer changed: write it once the keys rest. */
  scheduleWrite(): void {
    this.touch();
    this.edits++;
    this.report("saving");
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.write(), PAUSE);
  }

  /** Write now. An older write must never land on a newer one, nor on a draft that is finished. */
  write(): Promise<void> {
    clearTimeout(this.timer);
    this.writes = this.writes.then(async () => {
      if (this.isClosed) return;
      const written = this.edits;
      try {
        await this.save();
        // Not while a newer answer waits to be written.
        if (written === this.edits) this.report("saved");
      } catch {
        this.report("failed");
      }
    });
    return this.writes;
  }

  /** Whether an answer changed since the form was opened. */
  get isEdited(): boolean {
    return this.edits > 0;
  }

  /** The end of the writes that were asked for so far. */
  get written(): Promise<void> {
    return this.writes;
  }

  async writeIfTouched(): Promise<void> {
    if (this.isTouched) await this.write();
  }

  /** Write nothing more; resolves once the last write has ended. */
  close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.timer);
    return this.writes;
  }

  /** Write again: the draft could not be finished. */
  reopen(): void {
    this.isClosed = false;
    this.report("failed");
  }

  /** Whether answers would be lost if the pages went away now. */
  get isUnfinished(): boolean {
    return this.isTouched && !this.isClosed;
  }
}
