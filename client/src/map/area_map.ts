/**
 * A map of areas on a canvas: filled by grade, dashed where nobody was, with the viewer's
 * name over it.
 */

import type { Outlines } from "../engine/areas";
import { followGestures } from "./gestures";
import { boxAroundAll, findWidth, isInBox, makeShapes, type Point, type Shape } from "./shapes";
import { GRADES, type Place } from "./spot_data";
import { Viewport } from "./viewport";

const MARK_STEP = 170; // pixels between the viewer's names
const SETTLE = 120; // milliseconds after the last move until everything is drawn again
const LINE = 12; // pixels
const NARROW = 22; // pixels; a narrower area shows no number

type Area = Shape & { path: Path2D };
type Colours = (name: string) => string;

function drawRings(path: Path2D, rings: Point[][], isClosed: boolean): Path2D {
  for (const corners of rings) {
    corners.forEach(([x, y], at) => (at ? path.lineTo(x, y) : path.moveTo(x, y)));
    if (isClosed) path.closePath();
  }
  return path;
}

export class AreaMap {
  private areas: Area[] = [];
  private places = new Map<string, Place>();
  private byGrade: Path2D[] = [];
  private lines = new Path2D();
  private marked = "";
  private frame = 0;
  private settling: ReturnType<typeof setTimeout> | null = null;
  /** The last picture that was drawn in full: while the map is moved, it is moved instead. */
  private still = { picture: document.createElement("canvas"), zoom: 0, shift: [0, 0] as Point };
  private readonly view: Viewport;
  private readonly context: CanvasRenderingContext2D;
  private readonly probe = document.createElement("i");

  constructor(
    readonly canvas: HTMLCanvasElement,
    private readonly viewer: string,
    private readonly choose: (code: string) => void,
  ) {
    this.context = canvas.getContext("2d")!;
    this.view = new Viewport(() => [canvas.clientWidth, canvas.clientHeight]);
    canvas.append(this.probe);
    followGestures(canvas, this);
    new ResizeObserver(() => this.requestDraw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.requestDraw());
  }

  /** Show these outlines from now on, with others around them to see where they are. */
  setAreas(areas: Outlines["areas"], around: Outlines["areas"]): void {
    const width = findWidth(around);
    this.areas = makeShapes(areas, width).map((shape) => ({
      ...shape,
      path: drawRings(new Path2D(), shape.rings, true),
    }));
    this.lines = new Path2D();
    for (const { path } of this.areas) this.lines.addPath(path);
    const context = makeShapes(around, width);
    if (around !== areas) for (const { rings } of context) drawRings(this.lines, rings, false);
    this.view.box = boxAroundAll(context.map(({ box }) => box));
  }

  /**
   * Show what each area has from now on. Areas of one grade are one path: drawing costs the same
   * for 10 areas and for 6,000.
   */
  setPlaces(places: Map<string, Place>): void {
    this.places = places;
    this.byGrade = Array.from({ length: GRADES + 1 }, () => new Path2D());
    for (const { code, path } of this.areas) {
      this.byGrade[places.get(code)?.grade ?? 0]!.addPath(path);
    }
    this.requestDraw();
  }

  /** Draw a line around an area; "" for none. */
  mark(code: string): void {
    this.marked = code;
    this.requestDraw();
  }

  /** Zoom to some areas; to the whole map when there are none. */
  zoomTo(codes: string[]): void {
    const boxes = this.areas.filter(({ code }) => codes.includes(code)).map(({ box }) => box);
    if (boxes.length > 0) this.view.zoomTo(boxAroundAll(boxes));
    else this.view.showAll();
    this.requestDraw();
  }

  get isZoomed(): boolean {
    return this.view.zoom > 1;
  }

  zoomBy(factor: number, around?: Point): void {
    this.view.zoomBy(factor, around);
    this.slide();
  }

  moveBy(x: number, y: number): void {
    this.view.moveBy(x, y);
    this.slide();
  }

  tap(at: Point): void {
    this.choose(this.findCode(at));
  }

  private findCode(at: Point): string {
    const point = this.view.toUnits(at);
    this.context.setTransform(1, 0, 0, 1, 0, 0);
    const area = this.areas.find(
      ({ box, path }) => isInBox(box, point) && this.context.isPointInPath(path, ...point),
    );
    return area?.code ?? "";
  }

  private requestDraw(): void {
    if (this.frame) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      if (this.settling !== null) this.drawStill();
      else this.draw();
    });
  }

  /** It is being moved: move the picture that is there, and draw everything again once it rests. */
  private slide(): void {
    if (!this.still.zoom) return this.requestDraw();
    if (this.settling !== null) clearTimeout(this.settling);
    this.settling = setTimeout(() => {
      this.settling = null;
      this.requestDraw();
    }, SETTLE);
    this.requestDraw();
  }

  private drawStill(): void {
    const { context, canvas, still, view } = this;
    const density = canvas.width / canvas.clientWidth;
    const ratio = view.zoom / still.zoom;
    const offset = (axis: 0 | 1): number =>
      (view.shift[axis] - still.shift[axis] * ratio) * density;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    const { width, height } = canvas;
    context.drawImage(still.picture, offset(0), offset(1), width * ratio, height * ratio);
  }

  /** Draw everything now. */
  draw(): void {
    const { canvas, context, view } = this;
    const density = Math.min(2, devicePixelRatio || 1);
    const width = canvas.clientWidth;
    const height = canvas.clientHeight;
    if (!width || !height) return; // not on the screen yet, or no longer
    if (canvas.width !== width * density || canvas.height !== height * density) {
      canvas.width = width * density;
      canvas.height = height * density;
    }
    // As it is in this look: a canvas does not know light-dark().
    const colours: Colours = (name) => {
      this.probe.style.color = `var(${name})`;
      return getComputedStyle(this.probe).color;
    };
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    const size = view.base.scale * view.zoom;
    const [left, top] = view.toPixels([0, 0]);
    context.setTransform(size * density, 0, 0, size * density, left * density, top * density);
    this.drawAreas(colours, size);
    context.setTransform(density, 0, 0, density, 0, 0);
    this.drawNumbers(colours, size);
    this.drawViewer(colours("--map-ink"), width, height);
    this.keepStill();
  }

  private drawAreas(colours: Colours, size: number): void {
    const { context } = this;
    context.lineJoin = "round";
    this.byGrade.forEach((path, grade) => {
      context.globalAlpha = grade ? 0.14 + (0.8 * (grade - 1)) / (GRADES - 1) : 1;
      context.fillStyle = colours(grade ? "--map-full" : "--map-empty");
      context.fill(path);
    });
    context.globalAlpha = 1;
    context.strokeStyle = colours("--map-line");
    context.lineWidth = 0.8 / size;
    context.stroke(this.lines);
    for (const { code, path } of this.areas) {
      const isGap = this.places.get(code)?.isGap;
      const isMarked = code === this.marked;
      if (!isGap && !isMarked) continue;
      context.strokeStyle = colours(isMarked ? "--map-chosen" : "--wait");
      context.lineWidth = (isMarked ? 4 : 2.5) / size;
      context.setLineDash(isGap ? [6 / size, 4 / size] : []);
      context.stroke(path);
    }
    context.setLineDash([]);
  }

  private drawNumbers(colours: Colours, size: number): void {
    const { context } = this;
    context.font = "600 11px system-ui, sans-serif";
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.lineWidth = 3;
    for (const { code, middle, box } of this.areas) {
      const label = this.places.get(code)?.label;
      const width = (box[2] - box[0]) * size;
      if (!label || width < NARROW) continue;
      const [x, y] = this.view.toPixels(middle);
      context.strokeStyle = colours("--map-empty");
      context.fillStyle = colours("--map-ink");
      // A name has a line for each word, as wide as the area at most.
      const lines = label.split(/ |(?<=-)/);
      lines.forEach((text, line) => {
        const height = y + (line - (lines.length - 1) / 2) * LINE;
        context.strokeText(text, x, height, width);
        context.fillText(text, x, height, width);
      });
    }
  }

  /** Write who looks at it over the whole map: a picture of it says whose it was. */
  private drawViewer(colour: string, width: number, height: number): void {
    const { context } = this;
    context.save();
    context.globalAlpha = 0.13;
    context.fillStyle = colour;
    context.font = "500 13px system-ui, sans-serif";
    context.rotate(-0.35);
    for (let y = 0; y < height * 1.6; y += MARK_STEP / 2) {
      const indent = ((y / MARK_STEP) % 1) * MARK_STEP;
      for (let x = -height; x < width * 1.3; x += MARK_STEP) {
        context.fillText(this.viewer, x + indent, y);
      }
    }
    context.restore();
  }

  private keepStill(): void {
    const { picture } = this.still;
    picture.width = this.canvas.width;
    picture.height = this.canvas.height;
    picture.getContext("2d")!.drawImage(this.canvas, 0, 0);
    this.still = { picture, zoom: this.view.zoom, shift: [...this.view.shift] };
  }
}
