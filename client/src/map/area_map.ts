/**
 * A map of areas on a canvas: filled by class, outlined where it is a hot or cold spot, with the
 * viewer's name over it.
 */

import type { Outlines } from "../engine/areas";

export const CLASSES = 5;
const UNIT = 100_000;
const MOST_ZOOM = 24;
const MARK_STEP = 170; // pixels between the viewer's names
const SETTLE = 120; // milliseconds after the last move until everything is drawn anew

export interface Place {
  kind: number; // 0: nothing to show, to CLASSES: most
  spot: string; // hot, warm, cold or ""
  label: string;
}

interface Shape {
  code: string;
  path: Path2D;
  box: [number, number, number, number];
  middle: [number, number];
}

/** The rings of an area as points in plain units, so that north is up and shapes are right. */
function points(ring: number[], wide: number): [number, number][] {
  const found: [number, number][] = [];
  let x = 0;
  let y = 0;
  for (let at = 0; at < ring.length; at += 2) {
    x += ring[at]!;
    y += ring[at + 1]!;
    found.push([(x / UNIT) * wide, -y / UNIT]);
  }
  return found;
}

export class Chart {
  private shapes: Shape[] = [];
  private places = new Map<string, Place>();
  private byClass: Path2D[] = [];
  private lines = new Path2D();
  private box: [number, number, number, number] = [0, 0, 1, 1];
  private zoom = 1;
  private shift: [number, number] = [0, 0];
  private chosen = "";
  private waiting = 0;
  private settling = 0;
  private still = { picture: document.createElement("canvas"), zoom: 0, shift: [0, 0] };
  private readonly context: CanvasRenderingContext2D;
  private readonly probe = document.createElement("i");

  constructor(
    readonly canvas: HTMLCanvasElement,
    private readonly viewer: string,
    private readonly choose: (code: string) => void,
  ) {
    this.context = canvas.getContext("2d")!;
    canvas.append(this.probe);
    this.listen();
    new ResizeObserver(() => this.later()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.later());
  }

  /** Show these outlines from now on, with others around them to see where they are. */
  outline(areas: Outlines["areas"], around: Outlines["areas"]): void {
    const first = Object.values(around)[0]?.[0] ?? [0, 0];
    const wide = Math.cos(((first[1] ?? 0) / UNIT) * (Math.PI / 180));
    this.shapes = Object.entries(areas).map(([code, rings]) => {
      const path = new Path2D();
      const box: Shape["box"] = [Infinity, Infinity, -Infinity, -Infinity];
      for (const ring of rings) {
        const corners = points(ring, wide);
        corners.forEach(([x, y], at) => (at ? path.lineTo(x, y) : path.moveTo(x, y)));
        path.closePath();
        for (const [x, y] of corners) {
          box[0] = Math.min(box[0], x);
          box[1] = Math.min(box[1], y);
          box[2] = Math.max(box[2], x);
          box[3] = Math.max(box[3], y);
        }
      }
      return { code, path, box, middle: [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2] };
    });
    this.lines = new Path2D();
    for (const { path } of this.shapes) this.lines.addPath(path);
    const all: Shape["box"][] = [];
    for (const rings of Object.values(around))
      for (const ring of rings) {
        const corners = points(ring, wide);
        if (around !== areas)
          corners.forEach(([x, y], at) => (at ? this.lines.lineTo(x, y) : this.lines.moveTo(x, y)));
        const [xs, ys] = [corners.map(([x]) => x), corners.map(([, y]) => y)];
        all.push([Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)]);
      }
    this.box = all.length
      ? [
          Math.min(...all.map((one) => one[0])),
          Math.min(...all.map((one) => one[1])),
          Math.max(...all.map((one) => one[2])),
          Math.max(...all.map((one) => one[3])),
        ]
      : [0, 0, 1, 1];
  }

  /**
   * Show what each area holds from now on. Areas of one class are one path: drawing costs the same
   * for 10 and for 6,000.
   */
  fill(places: Map<string, Place>): void {
    this.places = places;
    this.byClass = Array.from({ length: CLASSES + 1 }, () => new Path2D());
    for (const { code, path } of this.shapes)
      this.byClass[places.get(code)?.kind ?? 0]!.addPath(path);
    this.later();
  }

  /** Mark an area, and bring it into view. */
  mark(code: string): void {
    this.chosen = code;
    this.later();
  }

  closer(
    factor: number,
    at: [number, number] = [this.canvas.clientWidth / 2, this.canvas.clientHeight / 2],
  ): void {
    const zoom = Math.min(MOST_ZOOM, Math.max(1, this.zoom * factor));
    const real = zoom / this.zoom;
    this.shift = [at[0] - (at[0] - this.shift[0]) * real, at[1] - (at[1] - this.shift[1]) * real];
    this.zoom = zoom;
    if (zoom === 1) this.shift = [0, 0];
    this.move();
  }

  /** Zoom to the areas that hold something. */
  fit(codes: string[]): void {
    const some = this.shapes.filter(({ code }) => codes.includes(code)).map(({ box }) => box);
    this.zoom = 1;
    this.shift = [0, 0];
    if (some.length) {
      const { scale, left, top } = this.base();
      const [x0, y0] = [
        Math.min(...some.map((one) => one[0])),
        Math.min(...some.map((one) => one[1])),
      ];
      const [x1, y1] = [
        Math.max(...some.map((one) => one[2])),
        Math.max(...some.map((one) => one[3])),
      ];
      const [width, height] = [this.canvas.clientWidth, this.canvas.clientHeight];
      const room = Math.min(width / ((x1 - x0) * scale), height / ((y1 - y0) * scale)) * 0.8;
      this.zoom = Math.min(MOST_ZOOM, Math.max(1, room));
      const [x, y] = [left + ((x0 + x1) / 2) * scale, top + ((y0 + y1) / 2) * scale];
      this.shift = [width / 2 - x * this.zoom, height / 2 - y * this.zoom];
    }
    this.later();
  }

  private base(): { scale: number; left: number; top: number } {
    const [x0, y0, x1, y1] = this.box;
    const [width, height] = [this.canvas.clientWidth, this.canvas.clientHeight];
    const scale = Math.min(width / (x1 - x0), height / (y1 - y0)) * 0.96;
    return {
      scale,
      left: (width - (x1 - x0) * scale) / 2 - x0 * scale,
      top: (height - (y1 - y0) * scale) / 2 - y0 * scale,
    };
  }

  private later(): void {
    if (!this.waiting)
      this.waiting = requestAnimationFrame(() => {
        this.waiting = 0;
        if (this.settling) this.slide();
        else this.draw();
      });
  }

  /** It is being moved: move the picture that is there, and draw everything anew once it rests. */
  private move(): void {
    if (!this.still.zoom) return this.later();
    clearTimeout(this.settling);
    this.settling = setTimeout(() => {
      this.settling = 0;
      this.later();
    }, SETTLE) as unknown as number;
    this.later();
  }

  private slide(): void {
    const { context, canvas, still } = this;
    const density = canvas.width / canvas.clientWidth;
    const ratio = this.zoom / still.zoom;
    const at = (axis: 0 | 1): number => (this.shift[axis] - still.shift[axis]! * ratio) * density;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(still.picture, at(0), at(1), canvas.width * ratio, canvas.height * ratio);
  }

  /** Draw everything now. */
  draw(): void {
    const { canvas, context } = this;
    const density = Math.min(2, devicePixelRatio || 1);
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!width || !height) return; // not on the screen yet, or no longer
    if (canvas.width !== width * density || canvas.height !== height * density) {
      canvas.width = width * density;
      canvas.height = height * density;
    }
    const colour = (name: string): string => {
      this.probe.style.color = `var(${name})`; // as it is in this look: a canvas does not know light-dark()
      return getComputedStyle(this.probe).color;
    };
    const { scale, left, top } = this.base();
    const size = scale * this.zoom;
    const place = (): void =>
      context.setTransform(
        size * density,
        0,
        0,
        size * density,
        (left * this.zoom + this.shift[0]) * density,
        (top * this.zoom + this.shift[1]) * density,
      );
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    place();
    context.lineJoin = "round";
    this.byClass.forEach((path, kind) => {
      context.globalAlpha = kind ? 0.14 + (0.8 * (kind - 1)) / (CLASSES - 1) : 1;
      context.fillStyle = colour(kind ? "--map-full" : "--map-empty");
      context.fill(path);
    });
    context.globalAlpha = 1;
    context.strokeStyle = colour("--map-line");
    context.lineWidth = 0.8 / size;
    context.stroke(this.lines);
    for (const { code, path } of this.shapes) {
      const spot = this.places.get(code)?.spot;
      if (!spot && code !== this.chosen) continue;
      context.strokeStyle = code === this.chosen ? colour("--map-chosen") : colour(`--map-${spot}`);
      context.lineWidth = (code === this.chosen ? 4 : 2.5) / size;
      context.setLineDash(spot === "cold" ? [6 / size, 4 / size] : []);
      context.stroke(path);
    }
    context.setLineDash([]);
    context.setTransform(density, 0, 0, density, 0, 0);
    this.write(colour, scale, left, top);
    this.sign(colour("--map-ink"), width, height);
    const { picture } = this.still;
    picture.width = canvas.width;
    picture.height = canvas.height;
    picture.getContext("2d")!.drawImage(canvas, 0, 0);
    this.still = { picture, zoom: this.zoom, shift: [...this.shift] };
  }

  private write(colour: (name: string) => string, scale: number, left: number, top: number): void {
    const { context } = this;
    context.font = "600 12px system-ui, sans-serif";
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.lineWidth = 3;
    for (const { code, middle, box } of this.shapes) {
      const label = this.places.get(code)?.label;
      if (!label || (box[2] - box[0]) * scale * this.zoom < 22) continue;
      const x = (left + middle[0] * scale) * this.zoom + this.shift[0];
      const y = (top + middle[1] * scale) * this.zoom + this.shift[1];
      context.strokeStyle = colour("--map-empty");
      context.strokeText(label, x, y);
      context.fillStyle = colour("--map-ink");
      context.fillText(label, x, y);
    }
  }

  /** Write who looks at it over the whole map: a picture of it says whose it was. */
  private sign(colour: string, width: number, height: number): void {
    const { context } = this;
    context.save();
    context.globalAlpha = 0.13;
    context.fillStyle = colour;
    context.font = "500 13px system-ui, sans-serif";
    context.rotate(-0.35);
    for (let y = 0; y < height * 1.6; y += MARK_STEP / 2)
      for (let x = -height; x < width * 1.3; x += MARK_STEP)
        context.fillText(this.viewer, x + ((y / MARK_STEP) % 1) * MARK_STEP, y);
    context.restore();
  }

  private at(event: PointerEvent | WheelEvent): [number, number] {
    const box = this.canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  private codeAt([x, y]: [number, number]): string {
    const { scale, left, top } = this.base();
    const px = ((x - this.shift[0]) / this.zoom - left) / scale;
    const py = ((y - this.shift[1]) / this.zoom - top) / scale;
    this.context.setTransform(1, 0, 0, 1, 0, 0);
    return (
      this.shapes.find(
        ({ box, path }) =>
          px >= box[0] &&
          px <= box[2] &&
          py >= box[1] &&
          py <= box[3] &&
          this.context.isPointInPath(path, px, py),
      )?.code ?? ""
    );
  }

  private listen(): void {
    const { canvas } = this;
    const held = new Map<number, [number, number]>();
    let moved = 0;
    canvas.addEventListener("pointerdown", (event) => {
      held.set(event.pointerId, this.at(event));
      canvas.setPointerCapture(event.pointerId);
      moved = 0;
    });
    canvas.addEventListener("pointermove", (event) => {
      const before = held.get(event.pointerId);
      if (!before) return;
      const now = this.at(event);
      const others = [...held.entries()].filter(([id]) => id !== event.pointerId);
      if (others[0]) {
        const fixed = others[0][1];
        const ratio =
          Math.hypot(now[0] - fixed[0], now[1] - fixed[1]) /
          Math.hypot(before[0] - fixed[0], before[1] - fixed[1]);
        this.closer(ratio, fixed);
      } else if (this.zoom > 1) {
        this.shift = [this.shift[0] + now[0] - before[0], this.shift[1] + now[1] - before[1]];
        this.move();
      }
      moved += Math.abs(now[0] - before[0]) + Math.abs(now[1] - before[1]);
      held.set(event.pointerId, now);
    });
    const end = (event: PointerEvent): void => {
      if (held.delete(event.pointerId) && moved < 6 && event.type === "pointerup")
        this.choose(this.codeAt(this.at(event)));
    };
    canvas.addEventListener("pointerup", end);
    canvas.addEventListener("pointercancel", end);
    canvas.addEventListener(
      "wheel",
      (event) => {
        if (!event.ctrlKey && !event.metaKey && this.zoom === 1 && event.deltaY > 0) return; // the page scrolls
        event.preventDefault();
        this.closer(Math.exp(-event.deltaY / 300), this.at(event));
      },
      { passive: false },
    );
  }
}
