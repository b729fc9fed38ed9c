/** Fingers, mouse and wheel on a map: move it, zoom it, choose a place. */

import type { Point } from "./shapes";

const TAP = 6; // pixels; a finger that moved less meant to tap

export interface GestureTarget {
  /** Whether there is more of the map than is seen. */
  readonly isZoomed: boolean;
  zoomBy(factor: number, around: Point): void;
  moveBy(x: number, y: number): void;
  tap(at: Point): void;
}

const distance = (a: Point, b: Point): number => Math.hypot(a[0] - b[0], a[1] - b[1]);

/** Follow what happens on a canvas. */
export function followGestures(canvas: HTMLCanvasElement, target: GestureTarget): void {
  const fingers = new Map<number, Point>();
  let moved = 0; // pixels since the last finger came down
  const locate = (event: PointerEvent | WheelEvent): Point => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const move = (event: PointerEvent): void => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const after = locate(event);
    const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
    const step: Point = [after[0] - before[0], after[1] - before[1]];
    if (other) target.zoomBy(distance(after, other) / distance(before, other), other);
    else if (target.isZoomed) target.moveBy(...step);
    moved += Math.abs(step[0]) + Math.abs(step[1]);
    fingers.set(event.pointerId, after);
  };
  const end = (event: PointerEvent): void => {
    const isTap = fingers.delete(event.pointerId) && moved < TAP && event.type === "pointerup";
    if (isTap) target.tap(locate(event));
  };
  canvas.addEventListener("pointerdown", (event) => {
    fingers.set(event.pointerId, locate(event));
    canvas.setPointerCapture(event.pointerId);
    moved = 0;
  });
  canvas.addEventListener("pointermove", move);
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);
  canvas.addEventListener(
    "wheel",
    (event) => {
      const isPlain = !event.ctrlKey && !event.metaKey;
      if (isPlain && !target.isZoomed && event.deltaY > 0) return; // the page scrolls
      event.preventDefault();
      target.zoomBy(Math.exp(-event.deltaY / 300), locate(event));
    },
    { passive: false },
  );
}
