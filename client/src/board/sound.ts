/** The sound of something new on the board. Browsers allow it after a click; the page says so. */

const CHOICE = "board-sound"; // in localStorage
const NOTES = [880, 660, 880, 660]; // hertz
const NOTE = 0.22; // seconds
const VOLUME = 0.4;

export class Sound {
  private readonly place = document.getElementById("board-sound");
  private context: AudioContext | null = null;

  constructor() {
    if (!this.place || typeof AudioContext === "undefined") return;
    this.place.hidden = false;
    this.find("button").addEventListener("click", () => void this.choose(!this.isOn));
    // Who chose it before need not choose it again: any click on the page is enough.
    document.addEventListener("click", () => void this.start());
    void this.start();
  }

  get isOn(): boolean {
    return this.context?.state === "running";
  }

  ring(): void {
    if (this.isOn) this.play(NOTES);
  }

  private async choose(isWanted: boolean): Promise<void> {
    localStorage.setItem(CHOICE, isWanted ? "on" : "");
    if (!isWanted) await this.context?.suspend();
    await this.start();
    if (isWanted && this.isOn) this.play(NOTES.slice(0, 1)); // so that one hears how loud it is
  }

  private async start(): Promise<void> {
    if (localStorage.getItem(CHOICE) && !this.isOn) {
      this.context ??= new AudioContext();
      this.context.onstatechange = () => this.show();
      // Without a click, this waits for one.
      const resumed = this.context.resume();
      await Promise.race([resumed, new Promise((done) => setTimeout(done, 500))]);
    }
    this.show();
  }

  private play(notes: number[]): void {
    const context = this.context!;
    const gain = context.createGain();
    gain.gain.value = VOLUME;
    gain.connect(context.destination);
    notes.forEach((hertz, at) => {
      const tone = context.createOscillator();
      tone.frequency.value = hertz;
      tone.connect(gain);
      tone.start(context.currentTime + at * NOTE);
      tone.stop(context.currentTime + (at + 1) * NOTE);
    });
  }

  private find(name: string): HTMLElement {
    return this.place!.querySelector<HTMLElement>(name)!;
  }

  private show(): void {
    const { on = "", off = "", start = "", stop = "" } = this.place!.dataset;
    this.find("p").textContent = this.isOn ? on : off;
    this.find("p").className = this.isOn ? "state" : "state wait";
    this.find("button").textContent = this.isOn ? stop : start;
  }
}
