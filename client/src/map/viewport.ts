/** Which part of a map is seen, and how large: from plain units to pixels and back. Pure. */

import type { Box, Point } from "./shapes";

const MOST_ZOOM = 24;
const MARGIN = 0.96; // of the canvas that the whole map fills
const ROOM = 0.8; // of the canvas that what is zoomed to fills

export interface Base {
  scale: number; // pixels a unit
  left: number;
  top: number;
}

export class Viewport {
  zoom = 1;
  shift: Point = [0, 0]; // pixels
  box: Box = [0, 0, 1, 1]; // of the whole map, in plain units

  /** `measure` says how large the canvas is now: width and height in pixels. */
  constructor(private readonly measure: () => Point) {}

  /** Where the whole map lies on the canvas, before it is zoomed and moved. */
  get base(): Base {
    const [left, top, right, bottom] = this.box;
    const [width, height] = this.measure();
    const scale = Math.min(width / (right - left), height / (bottom - top)) * MARGIN;
    return {
      scale,
      left: (width - (right - left) * scale) / 2 - left * scale,
      top: (height - (bottom - top) * scale) / 2 - top * scale,
    };
  }

  toPixels([x, y]: Point): Point {
    const { scale, left, top } = this.base;
    return [
      (left + x * scale) * this.zoom + this.shift[0],
      (top + y * scale) * this.zoom + this.shift[1],
    ];
  }

  toUnits([x, y]: Point): Point {
    const { scale, left, top } = this.base;
    return [
      ((x - this.shift[0]) / this.zoom - left) / scale,
      ((y - this.shift[1]) / this.zoom - top) / scale,
    ];
  }

  /** Zoom by a factor around a pixel, the middle if none is named; 0 shows the whole map. */
  zoomBy(factor: number, around?: Point): void {
    const [width, height] = this.measure();
    const [x, y] = around ?? [width / 2, height / 2];
    const zoom = Math.min(MOST_ZOOM, Math.max(1, this.zoom * factor));
    const ratio = zoom / this.zoom;
    this.shift = [x - (x - this.shift[0]) * ratio, y - (y - this.shift[1]) * ratio];
    this.zoom = zoom;
    if (zoom === 1) this.shift = [0, 0];
  }

  moveBy(x: number, y: number): void {
    this.shift = [this.shift[0] + x, this.shift[1] + y];
  }

  showAll(): void {
    this.zoom = 1;
    this.shift = [0, 0];
  }

  /** Bring a box into the middle, as large as fits. */
  zoomTo([left, top, right, bottom]: Box): void {
    this.showAll();
    const { scale } = this.base;
    const [width, height] = this.measure();
    const fit = Math.min(width / ((right - left) * scale), height / ((bottom - top) * scale));
    this.zoom = Math.min(MOST_ZOOM, Math.max(1, fit * ROOM));
    const [x, y] = this.toPixels([(left + right) / 2, (top + bottom) / 2]);
    this.moveBy(width / 2 - x, height / 2 - y);
  }
}
